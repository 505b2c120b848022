"""Deferred components over HTTP: the page is everybody's, its parts are each visitor's."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from asok.errors import StateRefused
from asok.live import owner_of
from asok.live.deferred import Deferrals
from asok.signing import Keys

from .conftest import Open

CART = """\
from asok import Component, exposed

class Cart(Component):
    title: str = "Cart"
    items: int = 0

    def mount(self):
        self.items = self.session.get("items", 0)

    def render_placeholder(self):
        return f"<p>{self.title} …</p>"

    def render(self):
        return self.html("cart.html")

    @exposed
    def add(self):
        self.items += 1
        self.session["items"] = self.items
"""
SITE = {
    "src/components/Cart.py": CART,
    "src/components/cart.html": "<p>{{ title }}: {{ items }}</p><form method=post></form>",
    "src/pages/page.py": "SSG = True\n\ndef get(request):\n    return request.html('page.html')\n",
    "src/pages/page.html": "<h1>Shop</h1>{{ component('Cart', client='defer', title='Yours') }}",
    "src/pages/add/page.py": (
        "def get(request):\n"
        "    request.session['items'] = request.session.get('items', 0) + 1\n"
        "    return 'added'\n"
    ),
}
FETCH = {"sec-fetch-site": "same-origin", "origin": "http://localhost"}


def places(text: str) -> dict[str, str]:
    """The placeholders of a page: what its script sends."""
    found = re.findall(r'<div id="([^"]+)"[^>]*? data-asok-defer="([^"]+)"', text)
    return {element: html.unescape(token) for element, token in found}


def ask(client: TestClient, asked: object, **headers: str) -> Any:
    return client.post(
        "/asok/fragments",
        content=json.dumps(asked),
        headers={**FETCH, "content-type": "application/json", **headers},
    )


def test_the_page_is_shared_and_holds_a_place(open_site: Open) -> None:
    client = open_site(SITE)
    first, second = client.get("/"), client.get("/", headers={"cookie": "asok=x"})
    assert first.text == second.text
    assert "public" in second.headers["cache-control"]
    assert second.headers["etag"]
    assert "set-cookie" not in second.headers
    assert "<p>Yours …</p></div>" in first.text
    assert 'aria-busy="true"' in first.text
    assert "data-asok-state" not in first.text
    scripts = re.findall(r'<script type="module" src="([^"]+)"></script>', first.text)
    assert [re.sub("-.*", "", url) for url in scripts] == ["/asok/alive", "/asok/defer"]
    for url in scripts:
        script = client.get(url)
        assert script.headers["content-type"].startswith("text/javascript")
        assert "immutable" in script.headers["cache-control"]


def test_each_visitor_gets_the_component_of_the_session(open_site: Open) -> None:
    client = open_site(SITE)
    asked = places(client.get("/").text)
    client.get("/add")
    client.get("/add")
    answer = ask(client, asked)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (element,) = asked
    (inside,) = answer.json().values()
    assert f'<div id="{element}" data-asok-component="Cart" data-asok-state="' in inside
    assert "<p>Yours: 2</p>" in inside
    assert re.search('name="csrf_token" value="[A-Za-z0-9_-]{86}"', inside)
    assert "<script" not in inside
    other = TestClient(client.app, base_url="http://localhost")
    assert "<p>Yours: 0</p>" in ask(other, asked).json()[element]


def test_a_new_visitor_gets_a_cookie_that_the_state_is_bound_to(open_site: Open) -> None:
    client = open_site(SITE)
    asked = places(client.get("/").text)
    for new in (True, False):
        answer = ask(client, asked)
        token = re.search('data-asok-state="([^"]+)"', next(iter(answer.json().values())))
        assert token is not None
        state = client.app.live.tokens.read(token[1])  # type: ignore[attr-defined]  # pyright: ignore
        assert state.owner == owner_of(client.cookies["asok"])
        assert ("set-cookie" in answer.headers) is new
        assert answer.headers.get("x-asok-session") == ("new" if new else None)


def test_what_a_component_writes_into_the_session_is_saved(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Seen.py": (
            "from asok import Component\n\nclass Seen(Component):\n    def render(self):\n"
            "        self.session['n'] = self.session.get('n', 0) + 1\n"
            "        return str(self.session['n'])\n"
        ),
        "src/pages/page.html": "{{ component('Seen', client='defer') }}",
    }
    client = open_site(files)
    asked = places(client.get("/").text)
    for count in "123":
        (inside,) = ask(client, asked).json().values()
        assert f">{count}</div>" in inside


def test_a_page_that_is_rendered_per_request_defers_too(open_site: Open) -> None:
    client = open_site({**SITE, "src/pages/page.py": SITE["src/pages/page.py"][12:]})
    client.get("/add")
    text = client.get("/").text
    assert "<p>Yours …</p></div>" in text
    (inside,) = ask(client, places(text)).json().values()
    assert "<p>Yours: 1</p>" in inside


def test_the_slot_is_shown_until_then_and_given_on(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Card.py": (
            "from asok import Component\n\nclass Card(Component):\n    pass\n"
        ),
        "src/components/card.html": "<section>{{ slot }}</section>",
        "src/pages/page.html": (
            '{% component "Card", client="defer" %}<b>wait</b>'
            "<noscript>Needs JavaScript.</noscript>{% endcomponent %}"
        ),
    }
    client = open_site(files)
    text = client.get("/").text
    assert "<b>wait</b><noscript>Needs JavaScript.</noscript></div>" in text
    (inside,) = ask(client, places(text)).json().values()
    assert "<section><b>wait</b>" in inside


def test_components_inside_a_deferred_one_come_with_it(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Shelf.py": (
            "from asok import Component\n\nclass Shelf(Component):\n    pass\n"
        ),
        "src/components/shelf.html": "<i>{{ component('Cart', client='defer') }}</i>",
        "src/pages/page.html": "{{ component('Shelf', client='defer') }}",
    }
    client = open_site(files)
    client.get("/add")
    text = client.get("/").text
    assert len(places(text)) == 1
    (inside,) = ask(client, places(text)).json().values()
    assert "<p>Cart: 1</p>" in inside
    assert "data-asok-defer" not in inside
    assert "<script" not in inside


def test_a_component_inside_one_of_the_page_is_deferred(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Shelf.py": (
            "from asok import Component\n\nclass Shelf(Component):\n    pass\n"
        ),
        "src/components/shelf.html": "<i>{{ component('Cart', client='defer') }}</i>",
        "src/pages/page.html": "{{ component('Shelf') }}",
    }
    client = open_site(files)
    client.get("/add")
    text = client.get("/").text
    assert text.count("/asok/alive-") == text.count("/asok/defer-") == 1
    (inside,) = ask(client, places(text)).json().values()
    assert "<p>Cart: 1</p>" in inside


GUARDED = {
    **SITE,
    "src/pages/private/page.py": (
        "SSG = True\n\ndef known(request):\n"
        "    if not request.session.get('items'):\n"
        "        return request.redirect('/add')\n\n"
        "GUARDS = (known,)\n\ndef get(request):\n    return request.html('page.html')\n"
    ),
    "src/pages/private/page.html": "{{ component('Cart', client='defer', title='Secret') }}",
}


def test_the_guards_of_the_page_are_those_of_its_parts(open_site: Open) -> None:
    """CVE-2026-47200: a part of a guarded page was rendered for everybody."""
    client = open_site(GUARDED)
    client.get("/add")
    asked = places(client.get("/private").text)
    assert "Secret: 1" in next(iter(ask(client, asked).json().values()))
    anonymous = TestClient(client.app, base_url="http://localhost")
    answer = ask(anonymous, asked)
    assert answer.status_code == 403
    assert "Secret" not in answer.text
    both = {**places(client.get("/").text), **asked}
    shown = ask(anonymous, both).json()
    assert [inside is None for inside in shown.values()] == [False, True]


@pytest.mark.parametrize(
    "middleware",
    [
        "async def m(request, call_next):\n"
        "    assert (request.method, request.path, str(request.args)) == ('GET', '/', '')\n"
        "    if not request.session.get('items'):\n"
        "        return request.text('no', 401)\n"
        "    return await call_next(request)\n",
        "def m(request, call_next):\n"
        "    answer = call_next(request)\n"
        "    return answer if request.session.get('items') else request.text('no', 401)\n",
    ],
)
def test_the_middleware_of_the_page_runs_around_its_parts(open_site: Open, middleware: str) -> None:
    page = f"{middleware}\nMIDDLEWARE = (m,)\n{SITE['src/pages/page.py']}"
    client = open_site({**SITE, "src/pages/page.py": page})
    client.get("/add")
    asked = places(client.get("/").text)
    assert "Yours: 1" in next(iter(ask(client, asked).json().values()))
    assert ask(TestClient(client.app, base_url="http://localhost"), asked).status_code == 403


def changed(asked: dict[str, str], change: Any) -> dict[str, str]:
    ((element, token),) = asked.items()
    return change(element, token)


@pytest.mark.parametrize(
    "change",
    [
        lambda e, t: {e: t[:-1] + ("A" if t[-1] != "A" else "B")},
        lambda e, t: {e: "A" + t[1:]},
        lambda e, t: {e: t[1:]},
        lambda e, t: {e: ""},
        lambda e, t: {e: "é" * 60},
        lambda e, t: {e + "x": t},  # another instance
        lambda e, t: {e: t + "x" * 9000},
        lambda e, t: {},
    ],
)  # fmt: skip
def test_a_placeholder_that_was_changed_is_refused(open_site: Open, change: Any) -> None:
    client = open_site(SITE)
    answer = ask(client, changed(places(client.get("/").text), change))
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_state_is_no_placeholder_and_a_placeholder_no_state(open_site: Open) -> None:
    client = open_site(SITE)
    asked = places(client.get("/").text)
    (element,) = asked
    inside = ask(client, asked).json()[element]
    state = re.search('data-asok-state="([^"]+)"', inside)
    assert state is not None
    assert ask(client, {element: state[1]}).status_code == 400
    with pytest.raises(StateRefused):
        client.app.live.tokens.read(asked[element])  # type: ignore[attr-defined]  # pyright: ignore


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"a": 1}', 400),
        (b'{"a": "b"', 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (json.dumps({str(n): "x" for n in range(65)}).encode(), 400),
        (b"x" * 5_000_000, 413),
    ],
)
def test_what_is_no_question_is_refused(open_site: Open, body: bytes, status: int) -> None:
    client = open_site(SITE)
    headers = {**FETCH, "content-type": "application/json"}
    assert client.post("/asok/fragments", content=body, headers=headers).status_code == status

    def chunks() -> Any:
        yield body

    streamed = client.post("/asok/fragments", content=chunks(), headers=headers)
    assert streamed.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://sub.localhost"}, 403),
        ({"sec-fetch-site": "", "origin": "null"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({}, 200),
    ],
)
def test_only_a_page_of_this_site_can_ask(
    open_site: Open, headers: dict[str, str], status: int
) -> None:
    client = open_site(SITE)
    assert ask(client, places(client.get("/").text), **headers).status_code == status


def test_it_is_asked_by_post_alone(open_site: Open) -> None:
    client = open_site(SITE)
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = client.request(method, "/asok/fragments", headers=FETCH)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.headers["cache-control"] == "private, no-store"


def test_a_component_that_fails_leaves_the_others(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Broken.py": (
            "from asok import Component\n\nclass Broken(Component):\n"
            "    def render(self):\n        raise RuntimeError('secret')\n"
        ),
        "src/pages/page.html": (
            "{{ component('Broken', client='defer') }}{{ component('Cart', client='defer') }}"
        ),
        "src/pages/worse/page.html": "{{ component('Broken', client='defer') }}",
    }
    client = open_site(files)
    answer = ask(client, places(client.get("/").text))
    broken, cart = answer.json().values()
    assert broken is None
    assert "Cart: 0" in cart
    worse = ask(client, places(client.get("/worse").text))
    assert worse.status_code == 500
    assert "secret" not in worse.text


def test_a_session_that_can_not_be_saved_shows_nothing(open_site: Open) -> None:
    cart = CART.replace("self.items = self", "self.session['bad'] = {1}\n        self.items = self")
    client = open_site({**SITE, "src/components/Cart.py": cart})
    answer = ask(client, places(client.get("/").text))
    assert answer.status_code == 500
    assert "Yours" not in answer.text


def test_sessions_that_are_kept_in_redis(open_site: Open, redis_url: str) -> None:
    client = open_site(SITE, session_backend="redis", redis_url=redis_url)
    asked = places(client.get("/").text)
    client.get("/add")
    assert "Yours: 1" in next(iter(ask(client, asked).json().values()))


def test_a_class_that_is_gone_leaves_its_placeholder(open_site: Open, caplog: Any) -> None:
    client = open_site(SITE)
    asked = places(client.get("/").text)
    client.app.live.registry._definitions.pop("Cart")  # type: ignore[attr-defined]  # pyright: ignore
    assert ask(client, asked).status_code == 500
    assert "there is no component 'Cart'" in caplog.text


def test_a_page_of_a_retired_key_is_asked_in_vain(open_site: Open) -> None:
    client = open_site(SITE)
    asked = places(client.get("/").text)
    again = open_site(SITE)
    live = again.app.live  # type: ignore[attr-defined]  # pyright: ignore
    live.deferrals = Deferrals(live, Keys(["another key, " * 3]), script_url="/x.js")
    assert ask(again, asked).status_code == 400


def test_a_placeholder_can_not_read_the_session(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Cart.py": CART.replace('f"<p>{self.title} …</p>"', "self.session['a']"),
    }
    assert open_site(files).get("/").status_code == 500


def test_an_error_page_may_defer(open_site: Open) -> None:
    client = open_site({**SITE, "src/pages/404/page.html": SITE["src/pages/page.html"]})
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "Yours: 0" in next(iter(ask(client, places(answer.text)).json().values()))


def test_a_cached_fragment_on_another_page_is_filled(open_site: Open) -> None:
    cached = "{% cache 'cart' 60 %}{{ component('Cart', client='defer') }}{% endcache %}"
    client = open_site({**SITE, "src/pages/page.html": cached, "src/pages/b/page.html": cached})
    client.get("/")
    text = client.get("/b").text
    assert "/asok/defer-" in text
    assert "Cart: 0" in next(iter(ask(client, places(text)).json().values()))


def test_it_works_below_a_mount(open_site: Open) -> None:
    client = open_site(SITE, base_url="http://localhost/shop")
    text = client.get("/shop/").text
    assert 'src="/shop/asok/defer-' in text
    headers = {**FETCH, "content-type": "application/json"}
    answer = client.post("/shop/asok/fragments", json=places(text), headers=headers)
    assert "Yours: 0" in next(iter(answer.json().values()))


def test_a_socket_there_is_closed(open_site: Open) -> None:
    client = open_site(SITE)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/asok/fragments"):
        pass
