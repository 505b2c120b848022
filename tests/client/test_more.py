"""What the runtime loads when a page needs it: further events, modifiers, polling, the rest."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from asok.live.runtime import script_name

from ..services import wait_until
from .server import Component, Frame, LiveServer, until, wrapper

pytestmark = pytest.mark.browser


def opened(page: Page, server: LiveServer, inside: str, *, more: bool = True) -> None:
    page.goto(server.page(wrapper(inside) + "<p id=out tabindex=0>outside</p>"))
    wait_until(lambda: bool(server.got("j")), what="the join")
    if more:
        wait_until(lambda: "more" in server.scripts, what="the further script")
        page.evaluate("name => import('/asok/' + name).then(() => 1)", script_name("more"))


def calls(server: LiveServer, count: int) -> list[Frame]:
    """Return what was called, as [method, args, data], once `count` calls arrived."""
    wait_until(lambda: len(server.got("c")) >= count, what=f"call {count}", limit=10)
    return [frame[3:] for frame in server.got("c")]


def test_a_page_that_needs_nothing_further_loads_nothing(page: Page, server: LiveServer) -> None:
    opened(page, server, '<input ws-input.debounce="a" ws-keyup.escape.prevent="b">', more=False)
    page.wait_for_timeout(200)
    assert server.scripts == ["alive"]


def test_focus_and_blur_leave_the_field_to_the_visitor(page: Page, server: LiveServer) -> None:
    component = Component(
        lambda state: f'<input name="q" ws-focus="came" ws-blur="went(1)"><b>{state["n"]}</b>',
        {"n": 0},
        {
            "came": lambda state, data: state.update(n=state["n"] + 1),
            "went": lambda state, one, data: state.update(n=state["n"] + one),
        },
    )
    server.serve(component)
    opened(page, server, component.render(component.state))
    page.locator("input").focus()
    page.keyboard.type("never sent")
    until(page, "document.querySelector('b').textContent == 1")
    page.locator("#out").focus()
    until(page, "document.querySelector('b').textContent == 2")
    assert page.locator("input").input_value() == "never sent"
    assert calls(server, 2) == [
        ["came", [], {"name": "q", "value": ""}],
        ["went", [1], {"name": "q", "value": "never sent"}],
    ]


def test_once_outside_throttle_and_keys(page: Page, server: LiveServer) -> None:
    opened(
        page,
        server,
        '<a href="/elsewhere" ws-click.once.prevent="first">a</a>'
        '<div id="menu" ws-click.outside="close" ws-click="inside"><i>x</i></div>'
        '<button ws-click.throttle-60000="vote">v</button>'
        '<input ws-keydown.once.enter="enter" ws-keyup.a.space.once="letter">',
    )
    page.locator("a").click()
    page.locator("a").click()
    page.locator("i").click()
    page.locator("button").click()
    page.locator("button").click()
    page.locator("input").press("b")
    page.locator("input").press("Enter")
    page.locator("input").press("Enter")
    page.locator("input").press("Space")
    page.locator("#out").click()
    page.locator("i").click()
    got = [call[0] for call in calls(server, 10)]
    assert got == [
        *["close", "first", "close", "inside", "close", "vote", "close"],
        *["enter", "letter", "close", "inside"],
    ]
    assert page.url == server.url + "/"


def test_throttled_typing_sends_the_first_and_the_last(page: Page, server: LiveServer) -> None:
    opened(page, server, '<input name="q" ws-input.throttle-900="search">')
    page.locator("input").press_sequentially("abcdef", delay=5)
    values = [call[2]["value"] for call in calls(server, 2)]
    page.wait_for_timeout(300)
    assert [values[0], values[-1], len(server.got("c"))] == ["a", "abcdef", 2]


def test_a_lazy_model_is_sent_when_the_field_is_left(page: Page, server: LiveServer) -> None:
    opened(page, server, '<input ws-model.lazy="title"><input ws-model.debounce-30="other">')
    page.locator("input").nth(0).press_sequentially("abc")
    assert server.got("c") == []
    page.locator("input").nth(1).press_sequentially("xyz")
    got = [call[:2] for call in calls(server, 2)]
    assert got[0] == ["$model", ["title", "abc"]]
    until(page, "!document.querySelector('.asok-loading')")
    wait_until(lambda: server.got("c")[-1][4] == ["other", "xyz"], what="the last value")


def test_polling_renders_anew_or_calls(page: Page, server: LiveServer) -> None:
    opened(page, server, '<p ws-poll="0.25s">x</p><p ws-poll.250ms="check(2)">y</p>')
    got = [call[:2] for call in calls(server, 4)]
    assert ["$refresh", []] in got
    assert ["check", [2]] in got
    page.evaluate("document.querySelectorAll('p[ws-poll],#asok-1 p').forEach(p => p.remove())")
    page.wait_for_timeout(300)
    before = len(server.got("c"))
    page.wait_for_timeout(600)
    assert len(server.got("c")) == before


def test_polling_waits_for_the_network(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    opened(page, server, '<p ws-poll="0.25s">x</p>')
    calls(server, 1)
    server.refuse = True
    server.drop()
    until(page, "document.documentElement.matches('.asok-offline')")
    page.wait_for_timeout(600)
    before = len(server.got("c"))
    server.refuse = False
    until(page, "!document.documentElement.matches('.asok-offline')")
    calls(server, before + 1)
    assert len({frame[2] for frame in server.got("c")}) >= len(server.got("c")) - 1
    console_errors.clear()


def test_what_changed_is_announced(page: Page, server: LiveServer) -> None:
    component = Component(
        lambda state: f'<p ws-announce>{state["n"]} items</p><button ws-click="add">+</button>',
        {"n": 1},
        {"add": lambda state, data: state.update(n=state["n"] + 1)},
    )
    server.serve(component)
    opened(page, server, component.render(component.state))
    assert page.locator(".asok-announcer").count() == 0
    page.locator("button").click()
    until(page, "document.querySelector('.asok-announcer')?.textContent == '2 items'")
    region = page.locator(".asok-announcer")
    assert region.get_attribute("role") == "status"
    assert region.get_attribute("aria-live") == "polite"
    assert region.evaluate("e => [e.offsetWidth, e.offsetHeight]") == [1, 1]


def test_nothing_moves_but_what_the_author_moves_for_those_who_want_it(
    page: Page, server: LiveServer
) -> None:
    component = Component(
        lambda state: (
            '<button ws-click="turn">turn</button><p ws-announce>'
            + "".join(f"<b key={n}>{n}</b>" for n in state["rows"])
            + "</p>"
        ),
        {"rows": [1, 2, 3]},
        {"turn": lambda state, data: state.update(rows=state["rows"][::-1])},
    )
    server.serve(component)
    server.delay = lambda: 0.3
    page.emulate_media(reduced_motion="reduce")
    opened(page, server, component.render(component.state))
    page.evaluate(
        """() => { window.moved = [];
             const sheet = new CSSStyleSheet();
             sheet.replaceSync(`@media (prefers-reduced-motion: no-preference) {
               .asok-loading button { transition: opacity 30s; opacity: 0.5 } }`);
             document.adoptedStyleSheets.push(sheet);
             const all = [[Element.prototype, "animate"], [Element.prototype, "scrollIntoView"],
                          [document, "startViewTransition"], [window, "scrollTo"]];
             for (const [owner, name] of all) owner[name] = () => moved.push(name);
             addEventListener("transitionrun", () => moved.push("transition"), true);
             addEventListener("animationstart", () => moved.push("animation"), true) }"""
    )
    for wanted, shown, moved in (
        ("reduce", "321", []),
        ("no-preference", "123", ["transition"]),
    ):
        page.emulate_media(reduced_motion=wanted)  # type: ignore[arg-type]
        page.locator("button").click()
        until(page, "document.querySelector('.asok-loading')")
        until(page, "t => document.querySelector('p').textContent == t", shown)
        assert page.evaluate("[...new Set(moved)]") == moved


def test_the_server_dispatches_events_and_goes_elsewhere(page: Page, server: LiveServer) -> None:
    opened(page, server, "x", more=False)
    page.evaluate(
        "addEventListener('saved', event => { window.got = [event.detail, event.target.id] })"
    )
    server.page("elsewhere", "/next")
    server.send(["d", 1, "saved", {"id": 7}, 0])
    until(page, "window.got")
    assert page.evaluate("got") == [{"id": 7}, "asok-1"]
    server.send(["g", 1, "/next", 0])
    page.wait_for_url("**/next")


def test_special_names_in_what_is_sent_are_plain_names(page: Page, server: LiveServer) -> None:
    opened(page, server, "x", more=False)
    page.evaluate("addEventListener('saved', event => { window.got = event.detail })")
    # Not by way of a dictionary: JSON.parse makes an own property of it, nothing else does.
    server.send(["d", 1, "saved", {"__proto__": {"evil": 1}, "constructor": 2}, 0])
    until(page, "window.got")
    assert page.evaluate("[{}.evil, got.evil, Object.keys(got)]") == [
        None, None, ["__proto__", "constructor"],
    ]  # fmt: skip


@pytest.mark.parametrize("client", ["interaction", "media:(min-width: 500px)"])
def test_what_waits_comes_alive_in_its_time(page: Page, server: LiveServer, client: str) -> None:
    page.set_viewport_size({"width": 400, "height": 400})
    html = wrapper('<button ws-click="go">go</button>', client=client)
    page.goto(
        server.page(
            html.replace("data-asok-state", "data-asok-later")
            + '<script type="module" src="/asok/later.js"></script>'
        )
    )
    page.wait_for_timeout(250)
    assert server.sockets == 0
    if client == "interaction":
        page.locator("button").click()
        wait_until(lambda: len(server.frames) == 2, what="join and call", limit=10)
    else:
        page.locator("button").click()
        page.wait_for_timeout(150)
        assert server.frames == []
        page.set_viewport_size({"width": 600, "height": 400})
        wait_until(lambda: len(server.got("j")) == 1, what="the join", limit=10)
        page.locator("button").click()
    assert [call[0] for call in calls(server, 1)] == ["go"]
    assert [frame[2] for frame in server.got("j")] == ["token-1"]
