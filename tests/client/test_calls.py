"""`ws-…` attributes become calls: their arguments, data, modifiers and order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from ..services import wait_until
from .server import Frame, LiveServer, until, wrapper

pytestmark = pytest.mark.browser


def opened(page: Page, server: LiveServer, inside: str) -> None:
    page.goto(server.page(wrapper(inside)))
    wait_until(lambda: bool(server.got("j")), what="the join")


def calls(server: LiveServer, count: int = 1) -> list[Frame]:
    """Return what was called, as [method, args, data], once `count` calls arrived."""
    wait_until(lambda: len(server.got("c")) >= count, what=f"call {count}", limit=10)
    return [frame[3:] for frame in server.got("c")]


@pytest.mark.parametrize(
    ("code", "method", "args"),
    [
        ("increment", "increment", []),
        ("increment()", "increment", []),
        ("remove(3)", "remove", [3]),
        ("remove(-3.5, true, null)", "remove", [-3.5, True, None]),
        ("say('x', 'y z')", "say", ["x", "y z"]),
        ("say('(a) and (b)')", "say", ["(a) and (b)"]),
        ("say(&quot;it\\u0027s&quot;)", "say", ["it's"]),
        ("put([1, {'a': 2}])", "put", [[1, {"a": 2}]]),
        ("say('😀 é')", "say", ["😀 é"]),
    ],
)
def test_arguments_are_literals(
    page: Page, server: LiveServer, code: str, method: str, args: list[Any]
) -> None:
    opened(page, server, f'<button ws-click="{code}">go</button>')
    page.locator("button").click()
    assert calls(server) == [[method, args, None]]


def test_nothing_is_evaluated(page: Page, server: LiveServer, console_errors: list[str]) -> None:
    opened(page, server, '<button ws-click="go(document.title = 1)">go</button><i ws-click=b>b</i>')
    page.locator("button").click()
    page.locator("i").click()
    assert calls(server) == [["b", [], None]]
    assert page.title() == "test"
    assert "JSON" in console_errors.pop()


def test_a_click_inside_bubbles_to_every_handler(page: Page, server: LiveServer) -> None:
    opened(page, server, '<div ws-click="outer"><p ws-click="inner"><b>x</b></p></div>')
    page.locator("b").click()
    assert [call[0] for call in calls(server, 2)] == ["inner", "outer"]


def test_stop_keeps_a_click_from_the_outer_handler(page: Page, server: LiveServer) -> None:
    opened(
        page, server, '<div ws-click="outer"><p ws-click.stop="inner"><b>x</b></p><i>y</i></div>'
    )
    page.locator("b").click()
    page.locator("i").click()
    assert [call[0] for call in calls(server, 2)] == ["inner", "outer"]


def test_prevent_keeps_the_browser_from_its_own_action(page: Page, server: LiveServer) -> None:
    opened(page, server, '<a href="/elsewhere" ws-click.prevent="go">x</a>')
    page.locator("a").click()
    assert calls(server)[0][0] == "go"
    assert page.url == server.url + "/"


def test_a_key_filter(page: Page, server: LiveServer) -> None:
    opened(
        page,
        server,
        '<input name="q" ws-keydown.enter="add" ws-keyup.prevent.escape="leave"'
        ' ws-keydown.arrowdown="down">',
    )
    page.locator("input").press("a")
    for key in ["Enter", "Escape", "ArrowDown"]:
        page.keyboard.press(key)
    got = calls(server, 3)
    assert [[call[0], call[2]["key"]] for call in got] == [
        ["add", "Enter"],
        ["leave", "Escape"],
        ["down", "ArrowDown"],
    ]
    assert got[0][2] == {"key": "Enter", "name": "q", "value": "a"}


def test_enter_that_ends_a_composition_is_no_enter(page: Page, server: LiveServer) -> None:
    opened(page, server, '<input name="q" ws-keydown.enter="add"><b ws-click="other">x</b>')
    page.evaluate(
        """document.querySelector("input").dispatchEvent(
             new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true}))"""
    )
    page.locator("b").click()
    assert [call[0] for call in calls(server)] == ["other"]


def test_input_and_change_send_the_field(page: Page, server: LiveServer) -> None:
    opened(
        page,
        server,
        '<div ws-change="changed"><input name="q" ws-input="typed">'
        '<input type="checkbox" name="on"><select name="s"><option>a<option>b</select></div>',
    )
    page.locator("[name=q]").fill("x")
    page.locator("[name=on]").check()
    page.locator("select").select_option("b")
    wanted = [
        ["typed", [], {"name": "q", "value": "x"}],
        ["changed", [], {"name": "q", "value": "x"}],
        ["changed", [], {"name": "on", "value": True}],
        ["changed", [], {"name": "s", "value": "b"}],
    ]
    assert calls(server, 4) == wanted


def test_a_model_sends_field_and_value(page: Page, server: LiveServer) -> None:
    opened(
        page,
        server,
        '<input ws-model="title"><input type="checkbox" ws-model.debounce-10="done">'
        '<input ws-model="both" ws-input="search" name="q">',
    )
    page.locator("input").nth(0).fill("it's")
    calls(server, 1)
    page.locator("input").nth(1).check()
    calls(server, 2)
    page.locator("input").nth(2).fill("z")
    assert [call[:2] for call in calls(server, 4)] == [
        ["$model", ["title", "it's"]],
        ["$model", ["done", True]],
        ["$model", ["both", "z"]],
        ["search", []],
    ]


def test_a_submit_sends_the_form_and_no_page(page: Page, server: LiveServer) -> None:
    boxes = "".join(
        f'<input type="checkbox" name="m" value="{n}"{checked}>'
        for n, checked in enumerate([" checked", " checked", ""])
    )
    opened(
        page,
        server,
        '<form method="post" action="/plain" ws-submit="save(1)">'
        '<input type="hidden" name="csrf_token" value="secret"><input name="a" value="1">'
        '<input name="constructor" value="c"><textarea name="t">x\ny</textarea>'
        f'{boxes}<select name="s" multiple><option selected>p</option>'
        "<option selected>q</option><option selected>r</option></select>"
        '<button name="how" value="now">go</button></form>',
    )
    page.locator("button").click()
    assert calls(server) == [
        [
            "save",
            [1],
            {
                "a": "1",
                "constructor": "c",
                "t": "x\ny",
                "m": ["0", "1"],
                "s": ["p", "q", "r"],
                "how": "now",
            },
        ]
    ]
    assert server.posts == []


def test_a_debounced_field_sends_its_last_value_once(page: Page, server: LiveServer) -> None:
    opened(page, server, '<input name="q" ws-input.debounce-800="search">')
    page.locator("input").press_sequentially("abcdef", delay=5)
    assert calls(server) == [["search", [], {"name": "q", "value": "abcdef"}]]
    page.wait_for_timeout(1000)
    assert len(server.got("c")) == 1


def test_a_submit_does_not_wait_for_the_debounce(page: Page, server: LiveServer) -> None:
    opened(
        page,
        server,
        '<form ws-submit="save"><input name="q" ws-input.debounce-60000="search"></form>',
    )
    page.locator("input").fill("abc")
    page.locator("input").press("Enter")
    assert [call[0] for call in calls(server, 2)] == ["search", "save"]


def test_typing_on_a_slow_line_sends_only_the_latest(page: Page, server: LiveServer) -> None:
    server.delay = lambda: 0.4
    opened(page, server, '<input name="q" ws-input="search">')
    page.locator("input").press_sequentially("abcdefgh", delay=5)
    values = [call[2]["value"] for call in calls(server, 2)]
    assert values[0] == "a"
    assert values[-1] == "abcdefgh"
    assert len(values) == 2


def test_clicks_are_not_held_back_and_keep_their_order(page: Page, server: LiveServer) -> None:
    server.delay = lambda: 0.4
    opened(page, server, '<input name="q" ws-input="search"><button ws-click="go">go</button>')
    page.locator("input").press_sequentially("ab")
    page.locator("button").click()
    page.locator("button").click()
    page.locator("input").press("End")
    page.keyboard.press("c")
    got = calls(server, 5)
    assert [[call[0], (call[2] or {}).get("value")] for call in got] == [
        ["search", "a"],
        ["search", "ab"],
        ["go", None],
        ["go", None],
        ["search", "abc"],
    ]
    sequence = [frame[2] for frame in server.got("c")]
    assert sequence == sorted(set(sequence))


def test_loading_shows_while_a_call_runs(page: Page, server: LiveServer) -> None:
    server.delay = lambda: 1.0
    opened(page, server, '<button ws-click="go">go</button>')
    shown = "e => [e.classList.contains('asok-loading'), e.ariaBusy]"
    root = page.locator("#asok-1")
    page.locator("button").click()
    assert root.evaluate(shown) == [True, "true"]
    until(page, "!document.querySelector('.asok-loading')")
    assert root.evaluate(shown) == [False, "false"]


def test_an_error_is_told_and_the_rest_goes_on(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    server.answer = lambda frame, tab: (
        [["e", frame[1], frame[2], "failed", "it broke"]]
        if frame[0] == "c" and frame[3] == "bad"
        else [["o", frame[1], 1, frame[2] if frame[0] == "c" else 0]]
    )
    opened(page, server, '<button ws-click="bad">bad</button><i ws-click="good">good</i>')
    page.evaluate(
        """document.querySelector("#asok-1").addEventListener(
             "asok:error", event => { window.error = event.detail })"""
    )
    page.locator("button").click()
    until(page, "window.error")
    assert page.evaluate("error.slice(2)") == [server.got("c")[0][2], "failed", "it broke"]
    assert len(console_errors) == 1
    console_errors.clear()
    page.locator("i").click()
    calls(server, 2)
    until(page, "!document.querySelector('.asok-loading')")


def test_attributes_outside_a_component_do_nothing(page: Page, server: LiveServer) -> None:
    page.goto(server.page('<b ws-click="x">x</b>' + wrapper('<i ws-click="y">y</i>')))
    wait_until(lambda: bool(server.got("j")), what="the join")
    page.locator("b").click()
    page.locator("i").click()
    assert [call[0] for call in calls(server)] == ["y"]


def test_a_counter_click_is_small(page: Page, server: LiveServer) -> None:
    opened(page, server, '<button ws-click="increment">+</button>')
    page.locator("button").click()
    calls(server)
    assert len(json.dumps(server.got("c")[0], separators=(",", ":"))) <= 100
