"""The socket: rejoined after every loss, with nothing lost and nothing run twice."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from ..services import wait_until
from .server import Component, LiveServer, until, wrapper

pytestmark = pytest.mark.browser

COUNTER = '<b>{count}</b><button ws-click="increment">+</button><input name="note">'


def counter() -> Component:
    def increment(state: dict[str, Any], data: object) -> None:
        state["count"] += 1

    return Component(
        lambda state: COUNTER.format_map(state), {"count": 0}, {"increment": increment}
    )


def opened(page: Page, server: LiveServer, component: Component, **options: Any) -> None:
    server.serve(component)
    page.goto(server.page(wrapper(component.render(component.state)), **options))
    wait_until(lambda: bool(server.got("j")), what="the join")


def shows(page: Page, count: int) -> None:
    until(page, "n => document.querySelector('b').textContent == n", str(count))


def lost(console_errors: list[str]) -> None:
    """The browser itself tells of each connection that failed."""
    # The latter of a part, or of the way by POST, which this server does not have.
    told = ("WebSocket connection", "net::ERR_", "Failed to load resource")
    assert all(any(text in error for text in told) for error in console_errors), console_errors
    console_errors.clear()


def test_it_joins_with_its_token_and_the_version_it_shows(page: Page, server: LiveServer) -> None:
    component = counter()
    opened(page, server, component)
    page.locator("button").click()
    shows(page, 1)
    server.drop()
    wait_until(lambda: len(server.got("j")) == 2, what="the second join")
    first, second = server.got("j")
    assert first[:3] == ["j", 1, "token-1"]
    assert first[4] is None
    assert second == [*first[:4], 1]
    page.locator("button").click()
    shows(page, 2)


def test_what_happened_meanwhile_is_shown_after_the_return(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    component = counter()
    opened(page, server, component)
    page.locator("button").click()
    shows(page, 1)
    page.locator("input").fill("unsaved")
    server.refuse = True
    server.drop()
    component.state["count"] = 40
    component.push()
    server.refuse = False
    shows(page, 40)
    assert page.locator("input").input_value() == "unsaved"
    lost(console_errors)


def test_a_call_whose_answer_was_lost_runs_once(page: Page, server: LiveServer) -> None:
    component = counter()
    opened(page, server, component)

    def swallow(frame: list[Any], tab: str) -> list[list[Any]]:
        component.answer(frame, tab)
        return []

    server.answer = swallow
    page.locator("button").click()
    page.locator("button").click()
    wait_until(lambda: len(component.ran) == 2, what="both calls")
    server.answer = component.answer
    server.drop()
    shows(page, 2)
    until(page, "!document.querySelector('.asok-loading')")
    assert [method for method, _ in component.ran] == ["increment"] * 2
    sequence = [frame[2] for frame in server.got("c")]
    assert sequence == [1, 2, 1, 2]


def test_a_call_that_never_arrived_runs_after_the_return(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    component = counter()
    opened(page, server, component)
    server.refuse = True
    server.drop()
    until(page, "document.documentElement.classList.contains('asok-offline')")
    for _ in range(3):
        page.locator("button").click()
    server.refuse = False
    shows(page, 3)
    assert len(component.ran) == 3
    lost(console_errors)


def test_all_are_joined_before_the_first_call(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    # What the call emits is for those that are there by then.
    server.refuse = True
    inside = '<button ws-click="increment">+</button>'
    page.goto(server.page(wrapper(inside) + wrapper("", cid="2")))
    until(page, "document.documentElement.classList.contains('asok-offline')")
    page.locator("button").click()
    server.refuse = False
    wait_until(lambda: bool(server.got("c")), what="the call")
    assert [frame[:2] for frame in server.frames] == [["j", 1], ["j", 2], ["c", 1]]
    lost(console_errors)


def test_offline_shows_until_the_socket_is_back(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    opened(page, server, counter())
    offline = "document.documentElement.classList.contains('asok-offline')"
    assert not page.evaluate(offline)
    server.refuse = True
    server.drop()
    until(page, offline)
    server.refuse = False
    until(page, f"!{offline}")
    lost(console_errors)


def test_it_comes_back_at_once_when_the_network_does(
    page: Page, server: LiveServer, console_errors: list[str]
) -> None:
    component = counter()
    opened(page, server, component)
    page.context.set_offline(True)
    server.drop()
    page.locator("button").click()
    page.wait_for_timeout(1500)
    page.context.set_offline(False)
    shows(page, 1)
    assert len(component.ran) == 1
    lost(console_errors)


def test_a_splice_on_an_unknown_base_fetches_everything(page: Page, server: LiveServer) -> None:
    component = counter()
    opened(page, server, component)
    page.locator("button").click()
    shows(page, 1)
    component.state["count"] = 7
    component.version = 5
    server.send(["s", 1, 6, 5, [[0, 0, "nonsense"]], 0])
    shows(page, 7)
    assert "nonsense" not in page.content()


def test_a_stale_reply_is_dropped(page: Page, server: LiveServer) -> None:
    component = counter()
    opened(page, server, component)
    page.locator("button").click()
    shows(page, 1)
    server.send(["h", 1, 0, "<b>old</b>", 0], ["t", "x"])
    server.send(["h", 1, 2, "<b>new</b>", 0])
    until(page, "document.querySelector('b').textContent == 'new'")
    assert page.evaluate("document.querySelectorAll('b').length") == 1


def test_a_state_that_began_anew_is_shown_though_its_version_is_lower(
    page: Page, server: LiveServer
) -> None:
    component = counter()
    opened(page, server, component)
    for count in (1, 2, 3):
        page.locator("button").click()
        shows(page, count)
    component.version, component.state["count"], component.base = 1, 90, None
    server.drop()
    shows(page, 90)


def test_a_reload_is_done_at_most_once(page: Page, server: LiveServer) -> None:
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    server.answer = lambda frame, tab: [["r", "expired"]]
    page.goto(server.page(wrapper("x")))
    wait_until(lambda: len(server.got("j")) == 2, what="the join after the reload")
    page.wait_for_timeout(500)
    assert len(server.got("j")) == 2
    assert page.evaluate("performance.getEntriesByType('navigation')[0].type") == "reload"


def test_after_a_call_that_worked_it_may_reload_again(page: Page, server: LiveServer) -> None:
    test_a_reload_is_done_at_most_once(page, server)
    server.answer = lambda frame, tab: [["o", frame[1], 0, frame[2] if frame[0] == "c" else 0]]
    page.goto(server.page(wrapper('<button ws-click="x">x</button>')))
    page.locator("button").click()
    until(page, "!sessionStorage.asok")
    server.send(["r", "expired"])
    until(page, "performance.getEntriesByType('navigation')[0].type == 'reload'")


def test_a_mounted_application_has_its_own_socket(page: Page, server: LiveServer) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    opened(page, server, counter(), runtime="/prefix/asok/alive.js")
    page.locator("button").click()
    shows(page, 1)
    assert sockets == [server.url.replace("http", "ws") + "/prefix/asok/live"]
