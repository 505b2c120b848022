"""When a component comes alive: at once, when seen, when idle, or when it is used."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from ..services import wait_until
from .server import LiveServer, wrapper

pytestmark = pytest.mark.browser

TALL = "<br>" * 500
BUTTON = '<button ws-click="go">go</button>'


def joined(server: LiveServer, count: int = 1) -> list[str]:
    """Return the tokens of the components that joined, once there are `count`."""
    wait_until(lambda: len(server.got("j")) >= count, what=f"join {count}", limit=10)
    return [frame[2] for frame in server.got("j")]


def test_load_joins_at_once(page: Page, server: LiveServer) -> None:
    page.goto(server.page(wrapper("x", client="load") + wrapper("y", cid="2")))
    assert joined(server, 2) == ["token-1", "token-2"]
    assert server.sockets == 1


def test_a_page_without_components_opens_no_socket(page: Page, server: LiveServer) -> None:
    page.goto(server.page("<p>plain</p>"))
    page.wait_for_timeout(300)
    assert server.sockets == 0


def test_visible_opens_no_socket_before_it_is_seen(page: Page, server: LiveServer) -> None:
    page.goto(server.page(TALL + wrapper("x", client="visible")))
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(300)
    assert server.sockets == 0
    page.locator("#asok-1").scroll_into_view_if_needed()
    assert joined(server) == ["token-1"]
    page.evaluate("scrollTo(0, 0)")
    page.locator("#asok-1").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    assert len(server.got("j")) == 1


def test_idle_joins_when_the_browser_idles(page: Page, server: LiveServer) -> None:
    page.add_init_script(
        "window.requestIdleCallback = (work, options) => { window.idle = [work, options] }"
    )
    page.goto(server.page(wrapper("x", client="idle")))
    assert page.evaluate("idle[1]") == {"timeout": 2000}
    assert server.sockets == 0
    page.evaluate("idle[0]()")
    assert joined(server) == ["token-1"]


def test_idle_works_where_browsers_know_no_idling(page: Page, server: LiveServer) -> None:
    page.add_init_script("delete window.requestIdleCallback")
    page.goto(server.page(wrapper("x", client="idle")))
    assert joined(server) == ["token-1"]


@pytest.mark.parametrize("client", ["visible", "idle"])
def test_a_click_brings_it_alive_and_is_sent(page: Page, server: LiveServer, client: str) -> None:
    page.add_init_script(
        """window.IntersectionObserver = class { observe() {} };
           window.requestIdleCallback = () => {}"""
    )
    page.goto(server.page(wrapper(BUTTON, client=client)))
    page.wait_for_timeout(200)
    assert server.frames == []
    page.locator("button").click()
    wait_until(lambda: len(server.frames) == 2, what="join and call", limit=10)
    assert [frame[0] for frame in server.frames] == ["j", "c"]


def test_a_click_before_the_socket_is_open_is_sent_later(page: Page, server: LiveServer) -> None:
    page.goto(server.page(wrapper(BUTTON)), wait_until="commit")
    page.evaluate(
        """new Promise(done => {
             const script = document.querySelector("script");
             script.addEventListener("load", () => {
               document.querySelector("button").click(); done() });
             if (document.readyState == "complete") {
               document.querySelector("button").click(); done() }
           })"""
    )
    wait_until(lambda: len(server.frames) == 2, what="join and call", limit=10)
    assert [frame[0] for frame in server.frames] == ["j", "c"]


def test_a_component_in_a_reply_comes_alive(page: Page, server: LiveServer) -> None:
    inner = '<div id="asok-7" data-asok-state="token-7">y</div>'
    server.answer = lambda frame, tab: (
        [["h", 1, 1, inner, 0]] if frame[:2] == ["j", 1] else [["o", frame[1], 0, 0]]
    )
    page.goto(server.page(wrapper("x")))
    assert joined(server, 2) == ["token-1", "token-7"]


def test_what_a_script_puts_in_is_taken_up_when_it_says_so(page: Page, server: LiveServer) -> None:
    page.goto(server.page(wrapper("<p>first</p>")))
    wait_until(lambda: len(server.got("j")) == 1, what="the first join")
    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)", wrapper("new", cid="2")
    )
    page.evaluate("dispatchEvent(new Event('asok'))")
    wait_until(lambda: len(server.got("j")) == 2, what="the second join")
    assert server.got("j")[1][2] == "token-2"
    page.evaluate("document.getElementById('asok-2').remove()")
    page.evaluate("dispatchEvent(new Event('asok'))")
    wait_until(lambda: len(server.got("l")) == 1, what="the leaving")
    assert server.sockets == 1
