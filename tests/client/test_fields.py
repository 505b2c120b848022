"""No reply takes away what a visitor types, selects or ticks."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.sync_api import Page

from ..services import wait_until
from .server import Component, LiveServer, until, wrapper

pytestmark = pytest.mark.browser

STATE = "(f => [f.value, f.selectionStart, f.selectionEnd])(document.querySelector('#f'))"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def echo(state: dict[str, Any]) -> str:
    """A field that the server controls, and something that changes with every render."""
    return (
        f'<p>{state["pushes"]}</p><input id="f" name="q" value="{escaped(state["q"])}"'
        f' {state["how"]}="typed"><b>{escaped(state["q"])}</b>'
    )


def typing(how: str = "ws-input", **state: Any) -> Component:
    def typed(state: dict[str, Any], data: dict[str, Any]) -> None:
        state["q"] = data["value"]

    def model(state: dict[str, Any], name: str, value: str, data: dict[str, Any]) -> None:
        assert name == "typed"
        state["q"] = value

    methods: dict[str, Any] = {"typed": typed, "$model": model}
    return Component(echo, {"q": "", "pushes": 0, "how": how, **state}, methods)


def opened(page: Page, server: LiveServer, component: Component, **options: Any) -> None:
    server.serve(component)
    page.goto(server.page(wrapper(component.render(component.state), **options)))
    wait_until(lambda: bool(server.got("j")), what="the join")


def pushed(page: Page, server: LiveServer, component: Component) -> None:
    """Push a change that nobody asked for, and wait until the page shows it."""
    component.state["pushes"] += 1
    server.send(component.push())
    until(page, "n => document.querySelector('p').textContent == n", str(component.state["pushes"]))


HOWS = ["ws-input", "ws-model", "ws-model.debounce-40", "ws-model.lazy"]


@pytest.mark.parametrize(
    ("how", "latency"),
    [("ws-keyup", 0.05), ("ws-input", 0.0), *((how, 0.8) for how in HOWS)],
)
def test_typing_loses_no_character(
    page: Page, server: LiveServer, how: str, latency: float
) -> None:
    component = typing(how)
    chance = random.Random(7)
    server.delay = lambda: latency * chance.random()
    opened(page, server, component)
    text = 'The quick brown fox; jumps <over> & the "lazy" dog\'s 12 backs.'
    page.locator("#f").focus()
    for at, character in enumerate(text):
        page.keyboard.type(character)
        if at % 9 == 0:
            component.state["pushes"] += 1
            server.send(component.push())
        page.wait_for_timeout(8)
        assert page.evaluate(STATE) == [text[: at + 1]] + [at + 1] * 2
    assert page.evaluate(STATE) == [text, len(text), len(text)]
    if how == "ws-model.lazy":
        page.locator("#f").blur()
    until(page, "t => document.querySelector('b').textContent == t", text)
    assert page.evaluate(STATE)[0] == text
    assert component.state["q"] == text


def test_typing_in_the_middle_keeps_the_caret(page: Page, server: LiveServer) -> None:
    component = typing(q="ad")
    server.delay = lambda: 0.03
    opened(page, server, component)
    page.evaluate("(f => { f.focus(); f.setSelectionRange(1, 1) })(document.querySelector('#f'))")
    for at, character in enumerate("bc", start=2):
        page.keyboard.type(character)
        page.wait_for_timeout(70)
        assert page.evaluate(STATE)[1:] == [at, at]
    assert page.evaluate(STATE)[0] == "abcd"


def test_a_selection_in_an_untouched_field_stays(page: Page, server: LiveServer) -> None:
    component = typing(q="from the server")
    opened(page, server, component)
    page.evaluate("(f => { f.focus(); f.setSelectionRange(2, 6) })(document.querySelector('#f'))")
    component.state["q"] = "another value"
    pushed(page, server, component)
    assert page.evaluate(STATE) == ["from the server", 2, 6]
    page.locator("#f").blur()
    pushed(page, server, component)
    assert page.evaluate(STATE)[0] == "another value"


def test_the_focused_textarea_stays(page: Page, server: LiveServer) -> None:
    component = Component(
        lambda state: f"<p>{state['pushes']}</p><textarea id=f name=t>{state['q']}</textarea>",
        {"q": "one", "pushes": 0},
        {},
    )
    opened(page, server, component)
    page.evaluate("(f => { f.focus(); f.setSelectionRange(1, 2) })(document.querySelector('#f'))")
    component.state["q"] = "two"
    pushed(page, server, component)
    assert page.evaluate(STATE) == ["one", 1, 2]
    page.locator("#f").blur()
    pushed(page, server, component)
    assert page.evaluate(STATE)[0] == "two"


def test_text_that_was_never_sent_stays(page: Page, server: LiveServer) -> None:
    component = Component(
        lambda state: f'<p>{state["pushes"]}</p><form><input id="f" name="a" value=""></form>',
        {"pushes": 0},
        {},
    )
    opened(page, server, component)
    page.locator("#f").fill("half a sentence")
    page.locator("#f").blur()
    pushed(page, server, component)
    pushed(page, server, component)
    assert page.locator("#f").input_value() == "half a sentence"


def test_text_typed_before_the_script_ran_stays(page: Page, server: LiveServer) -> None:
    component = typing("title")
    server.serve(component)
    component.version = 3
    server.page(wrapper(component.render(component.state)))
    held = page.context.new_page()
    held.route("**/alive.js", lambda route: None)
    held.goto(server.url + "/", wait_until="commit")
    held.locator("#f").fill("early")
    held.locator("#f").blur()
    held.unroute("**/alive.js")
    held.evaluate("import('/asok/alive.js')")
    until(held, "document.querySelector('[aria-busy]')")
    pushed(held, server, component)
    assert held.locator("#f").input_value() == "early"


def test_a_field_without_a_value_of_the_server_keeps_its_text(
    page: Page, server: LiveServer
) -> None:
    """`<input ws-input="search">` whose template never writes a value is not emptied."""
    component = typing()
    component.render = lambda state: (
        f'<p>{state["pushes"]}</p><input id="f" name="q" ws-input="typed"><b>{state["q"]}</b>'
    )
    opened(page, server, component)
    page.locator("#f").fill("words")
    until(page, "document.querySelector('b').textContent == 'words'")
    page.locator("#f").blur()
    pushed(page, server, component)
    assert page.locator("#f").input_value() == "words"


def test_the_server_may_correct_a_field_that_was_left(page: Page, server: LiveServer) -> None:
    component = typing()
    component.methods["typed"] = lambda state, data: state.update(q=data["value"].strip())
    opened(page, server, component)
    page.locator("#f").fill("  words ")
    until(page, "document.querySelector('b').textContent == 'words'")
    assert page.locator("#f").input_value() == "  words "
    page.locator("#f").blur()
    pushed(page, server, component)
    assert page.locator("#f").input_value() == "words"


FORM = (
    '<p>{pushes}</p><form ws-submit="save"><input id="f" name="text" value=""><i>{saved}</i></form>'
)


def chat() -> Component:
    def save(state: dict[str, Any], data: dict[str, Any]) -> None:
        state["saved"] = data["text"]

    return Component(
        lambda state: FORM.format_map(state), {"pushes": 0, "saved": ""}, {"save": save}
    )


def test_after_a_submit_the_server_empties_the_focused_field(
    page: Page, server: LiveServer
) -> None:
    component = chat()
    opened(page, server, component)
    page.locator("#f").fill("hello")
    page.locator("#f").press("Enter")
    until(page, "document.querySelector('i').textContent == 'hello'")
    assert page.evaluate(STATE) == ["", 0, 0]
    assert page.evaluate("document.activeElement.id") == "f"
    assert server.posts == []


def test_what_is_typed_after_a_submit_is_not_emptied(page: Page, server: LiveServer) -> None:
    component = chat()
    server.delay = lambda: 0.3
    opened(page, server, component)
    page.locator("#f").fill("hello")
    page.locator("#f").press("Enter")
    page.keyboard.type(" and more")
    until(page, "document.querySelector('i').textContent == 'hello'")
    assert page.locator("#f").input_value() == "hello and more"
    pushed(page, server, component)
    assert page.locator("#f").input_value() == "hello and more"


def test_a_pending_submit_is_not_emptied_by_a_push(page: Page, server: LiveServer) -> None:
    component = chat()
    opened(page, server, component)
    server.delay = lambda: 0.5
    page.locator("#f").fill("hello")
    page.locator("#f").press("Enter")
    pushed(page, server, component)
    assert page.locator("#f").input_value() == "hello"
    until(page, "document.querySelector('i').textContent == 'hello'")
    assert page.locator("#f").input_value() == ""


def box(kind: str) -> Component:
    def render(state: dict[str, Any]) -> str:
        fields = "".join(
            f'<input type="{kind}" name="x" value="{n}" id="x{n}" ws-change="pick"'
            f"{' checked' if n in state['on'] else ''}>"
            for n in range(3)
        )
        return f"<p>{state['pushes']}</p><form>{fields}</form>"

    return Component(render, {"on": [0], "pushes": 0}, {"pick": lambda state, data: None})


@pytest.mark.parametrize("kind", ["checkbox", "radio"])
def test_a_tick_that_is_on_its_way_stays(page: Page, server: LiveServer, kind: str) -> None:
    component = box(kind)
    opened(page, server, component)
    server.delay = lambda: 0.5
    page.locator("#x2").check()
    pushed(page, server, component)
    assert page.locator("#x2").is_checked()


def test_a_tick_that_the_server_refused_goes(page: Page, server: LiveServer) -> None:
    component = box("checkbox")
    opened(page, server, component)
    page.locator("#x2").click()
    until(page, "!document.querySelector('#x2').checked")
    assert page.evaluate("document.activeElement.id") == "x2"


def test_the_server_ticks_and_selects(page: Page, server: LiveServer) -> None:
    def render(state: dict[str, Any]) -> str:
        on = state["pushes"] % 3
        radios = "".join(
            f'<input type="radio" name="r" value="{n}"{" checked" if n == on else ""}>'
            for n in range(3)
        )
        options = "".join(f"<option{' selected' if n == on else ''}>{n}</option>" for n in range(3))
        return f"<p>{state['pushes']}</p><form>{radios}<select name=s>{options}</select></form>"

    component = Component(render, {"pushes": 0}, {})
    opened(page, server, component)
    for _ in range(4):
        pushed(page, server, component)
        on = str(component.state["pushes"] % 3)
        form = "Object.fromEntries(new FormData(document.querySelector('form')))"
        assert page.evaluate(form) == {"r": on, "s": on}


def test_a_choice_that_was_never_sent_stays(page: Page, server: LiveServer) -> None:
    component = Component(
        lambda state: (
            f"<p>{state['pushes']}</p><select id=f name=s>"
            f"<option>a</option><option selected>b</option><option>c</option></select>"
        ),
        {"pushes": 0},
        {},
    )
    opened(page, server, component)
    page.locator("#f").select_option("c")
    pushed(page, server, component)
    assert page.locator("#f").input_value() == "c"


@pytest.mark.parametrize("how", HOWS)
def test_an_ime_composition_goes_through_pushes(page: Page, server: LiveServer, how: str) -> None:
    component = typing(how)
    chance = random.Random(3)
    server.delay = lambda: 0.4 * chance.random()
    opened(page, server, component)
    keyboard = page.context.new_cdp_session(page)
    page.locator("#f").focus()
    for text in ["k", "か", "かn", "かん", "かんj", "かんじ"]:
        keyboard.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )
        pushed(page, server, component)
        assert page.evaluate(STATE) == [text, len(text), len(text)]
    keyboard.send("Input.insertText", {"text": "漢字"})
    pushed(page, server, component)
    assert page.evaluate(STATE) == ["漢字", 2, 2]
    if how == "ws-model.lazy":
        page.locator("#f").blur()
    until(page, "document.querySelector('b').textContent == '漢字'")
    pushed(page, server, component)
    assert page.evaluate(STATE)[0] == "漢字"


def test_a_row_that_moves_does_not_end_a_composition(page: Page, server: LiveServer) -> None:
    def render(state: dict[str, Any]) -> str:
        rows = "".join(
            f'<li key="{key}"><input id="{key}" name="{key}"></li>' for key in state["order"]
        )
        return f"<p>{state['pushes']}</p><ul>{rows}</ul>"

    component = Component(render, {"order": "abf", "pushes": 0}, {})
    opened(page, server, component)
    keyboard = page.context.new_cdp_session(page)
    page.locator("#f").focus()
    keyboard.send("Input.imeSetComposition", {"text": "か", "selectionStart": 1, "selectionEnd": 1})
    component.state["order"] = "fba"
    pushed(page, server, component)
    keyboard.send(
        "Input.imeSetComposition", {"text": "かん", "selectionStart": 2, "selectionEnd": 2}
    )
    assert page.evaluate(STATE) == ["かん", 2, 2]
    keyboard.send("Input.insertText", {"text": "漢"})
    assert page.evaluate(STATE) == ["漢", 1, 1]
