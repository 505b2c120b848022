"""Deferred components in Chromium: two visitors of one shared page, each with a cart."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from tests.proxies.servers import proxy_before
from tests.services import open_chromium
from tests.site import serve, write_site

pytestmark = pytest.mark.browser

SITE = {
    "src/components/Cart.py": """
        from asok import Component, exposed

        class Cart(Component):
            items: int = 0

            def mount(self):
                self.items = self.session.get("items", 0)

            def render_placeholder(self):
                return "<p>Your cart …</p><noscript>It needs JavaScript.</noscript>"

            @exposed
            def add(self):
                self.items += 1
                self.session["items"] = self.items
        """,
    "src/components/cart.html": """
        <div><p id="cart">In your cart: {{ items }}</p>
        <button ws-click="add">Add</button></div>
        """,
    "src/components/Clicks.py": """
        from asok import Component, exposed

        class Clicks(Component):
            count: int = 0

            @exposed
            def click(self):
                self.count += 1
        """,
    "src/components/clicks.html": """
        <div><button ws-click="click">Clicked {{ count }}</button></div>
        """,
    "src/partials/html/base.html": """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
        <link rel="icon" href="data:,"></head><body>{% block main %}{% endblock %}</body></html>
        """,
    "src/pages/page.py": "SSG = True\nREVALIDATE = 3600",
    "src/pages/page.html": """
        {% extends "html/base.html" %}
        {% block main %}<h1>Shop</h1>{{ component('Cart', client='defer') }}
        <script>document.title = "own script ran"</script><a href="/other">other</a>
        {% endblock %}
        """,
    "src/components/Shop.py": """
        from asok import Component, exposed

        class Shop(Component):
            visits: int = 0

            @exposed
            def visit(self):
                self.visits += 1
        """,
    "src/components/shop.html": """
        <div><button ws-click="visit">Visits {{ visits }}</button>
        {{ component('Cart', client='defer') }}</div>
        """,
    "src/components/Visits.py": """
        from asok import Component, exposed

        class Visits(Component):
            count: int = 0

            def mount(self):
                self.count = self.session["visits"] = self.session.get("visits", 0) + 1

            @exposed
            def more(self):
                self.count = self.session["visits"] = self.session["visits"] + 100
        """,
    "src/components/visits.html": """
        <form method="post"><p id="visits">Visits: {{ count }}</p></form>
        <button ws-click="more">More</button>
        """,
    "src/pages/visits/page.py": "SSG = True",
    "src/pages/visits/page.html": """
        {% extends "html/base.html" %}
        {% block main %}{{ component('Clicks') }}{{ component('Visits', client='defer') }}
        {% endblock %}
        """,
    "src/pages/session/page.py": """
        def get(request):
            return str(request.session.get("visits"))
        """,
    "src/pages/shop/page.py": "SSG = True",
    "src/pages/shop/page.html": """
        {% extends "html/base.html" %}{% block main %}{{ component('Shop') }}{% endblock %}
        """,
    "src/pages/other/page.py": "SSG = True",
    "src/pages/other/page.html": """
        {% extends "html/base.html" %}
        {% block main %}<h1>Other</h1>{{ component('Clicks') }}
        {{ component('Cart', cid='cart', client='defer') }}
        {{ component('Cart', client='defer') }}<a href="/">shop</a>{% endblock %}
        """,
    "src/pages/add/page.py": """
        def get(request):
            request.session["items"] = request.session.get("items", 0) + 5
            return "added"
        """,
    ".env": "ASOK_CSP=hash\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with serve(write_site(tmp_path_factory.mktemp("shop"), SITE)) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium(history=True) as browser:
        yield browser


@pytest.fixture
def people(chromium: Browser) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    with ExitStack() as stack:
        first, second = chromium.new_context(), chromium.new_context()
        stack.callback(first.close)
        stack.callback(second.close)
        yield first, second


def test_the_component_comes_alive_in_its_place(page: Page, site: str) -> None:
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one) if "fragments" in one.url else None)
    page.goto(site)
    expect(page.locator("#cart")).to_have_text("In your cart: 0")
    expect(page).to_have_title("own script ran")
    assert page.locator("[aria-busy=true], .asok-failed").count() == 0
    page.get_by_role("button").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 1")
    page.reload()
    expect(page.locator("#cart")).to_have_text("In your cart: 1")
    assert len(asked) == 2


def test_one_request_fills_all_of_a_page_beside_live_ones(page: Page, site: str) -> None:
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one) if "fragments" in one.url else None)
    page.goto(f"{site}/other")
    page.get_by_role("button", name="Clicked 0").click()
    expect(page.get_by_role("button", name="Clicked 1")).to_be_visible()
    expect(page.locator("#cart")).to_have_count(2)
    page.get_by_role("button", name="Add").nth(1).click()
    expect(page.locator("#cart").nth(1)).to_have_text("In your cart: 1")
    page.get_by_role("button", name="Clicked 1").click()
    expect(page.get_by_role("button", name="Clicked 2")).to_be_visible()
    assert len(asked) == 1


def test_two_visitors_behind_a_shared_cache_see_their_own(
    site: str, people: tuple[BrowserContext, BrowserContext]
) -> None:
    with proxy_before(site, "nginx") as proxy:
        for times, person in enumerate(people):
            tab = person.new_page()
            for _ in range(times):
                tab.goto(f"{proxy.url}/add")
            answer = tab.goto(proxy.url)
            assert answer is not None
            expect(tab.locator("#cart")).to_have_text(f"In your cart: {5 * times}")
            if times:
                assert answer.headers["x-proxy"] in ("HIT", "REVALIDATED")
        assert b"In your cart" not in proxy.stored()


def test_navigation_and_history_show_the_cart_as_it_is(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("button").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 1")
    page.get_by_role("link").click()
    expect(page.locator("#cart").nth(1)).to_have_text("In your cart: 1")
    page.go_back(wait_until="commit")
    expect(page.locator("#cart")).to_have_text("In your cart: 1")
    page.get_by_role("button").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 2")


@pytest.mark.parametrize("trouble", ["network", "server"])
def test_trouble_is_asked_once_more(
    page: Page, site: str, console_errors: list[str], trouble: str
) -> None:
    tries: list[Route] = []

    def fail(route: Route) -> None:
        tries.append(route)
        if len(tries) > 1:
            route.continue_()
        elif trouble == "network":
            route.abort()
        else:
            route.fulfill(status=503)

    page.route("**/asok/fragments", fail)
    page.goto(site)
    expect(page.locator("#cart")).to_have_text("In your cart: 0")
    assert len(tries) == 2
    console_errors.clear()


def test_what_goes_on_failing_keeps_its_placeholder(
    page: Page, site: str, console_errors: list[str]
) -> None:
    tries: list[Route] = []

    def fail(route: Route) -> None:
        tries.append(route)
        route.fulfill(status=500)

    page.route("**/asok/fragments", fail)
    page.goto(site)
    place = page.locator(".asok-failed")
    expect(place).to_have_text("Your cart …")
    assert place.get_attribute("aria-busy") == "false"
    assert len(tries) == 2
    page.unroute("**/asok/fragments")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#cart")).to_have_text("In your cart: 0")
    console_errors.clear()


def test_without_scripts_the_placeholder_says_so(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    expect(page.locator("body")).to_contain_text("Your cart …")
    assert page.locator("noscript").text_content() == "It needs JavaScript."
    context.close()


def test_a_refusal_is_not_asked_again(page: Page, site: str, console_errors: list[str]) -> None:
    tries: list[Route] = []

    def refuse(route: Route) -> None:
        tries.append(route)
        route.fulfill(status=403, json={"error": "no"})

    page.route("**/asok/fragments", refuse)
    page.goto(site)
    expect(page.locator(".asok-failed")).to_have_text("Your cart …")
    assert len(tries) == 1
    console_errors.clear()


def test_a_page_that_left_while_it_asked_is_filled_when_it_comes_back(
    page: Page, site: str, console_errors: list[str]
) -> None:
    held: list[Route] = []
    page.route("**/asok/fragments", lambda route: held.append(route))
    page.goto(site)
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    page.evaluate("location.href = '/add'")
    page.wait_for_url("**/add")
    page.unroute("**/asok/fragments")
    page.go_back(wait_until="commit")
    expect(page.locator("#cart")).to_have_text("In your cart: 5")
    page.get_by_role("button").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 6")
    console_errors.clear()


def test_a_page_from_the_back_forward_cache_asks_for_what_failed(
    page: Page, site: str, console_errors: list[str]
) -> None:
    page.route("**/asok/fragments", lambda route: route.fulfill(status=403, json={}))
    page.goto(site)
    expect(page.locator(".asok-failed")).to_have_count(1)
    page.evaluate("window.kept = 1")
    page.goto(f"{site}/add")
    page.unroute("**/asok/fragments")
    page.go_back(wait_until="commit")
    expect(page.locator("#cart")).to_have_text("In your cart: 5")
    assert page.evaluate("window.kept") == 1, "it came from elsewhere"
    console_errors.clear()


@pytest.mark.parametrize("first", ["fragments", "call"])
def test_a_deferred_component_inside_a_live_one(page: Page, site: str, first: str) -> None:
    """Whichever comes first, the answer for the page or a new rendering of what is around it."""
    page.request.get(f"{site}/add")  # with the cookies of the page's profile
    held: list[Route] = []
    if first == "call":
        page.route("**/asok/fragments", lambda route: held.append(route))
    page.goto(f"{site}/shop")
    if first == "call":
        expect(page.locator("[aria-busy=true]")).to_have_count(1)
        page.get_by_role("button", name="Visits 0").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 5")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 6")
    for route in held:
        route.continue_()
    page.get_by_role("button", name="Visits").click()
    expect(page.get_by_role("button", name=f"Visits {1 + len(held)}")).to_be_visible()
    expect(page.locator("#cart")).to_have_text("In your cart: 6")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#cart")).to_have_text("In your cart: 7")


def test_a_first_visitor_has_one_session_whoever_makes_it(chromium: Browser, site: str) -> None:
    """The socket of another component and the fragments are asked for without a cookie."""
    for _ in range(8):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{site}/visits")
        page.get_by_role("button", name="More").click()
        expect(page.locator("#visits")).to_have_text("Visits: 101")
        page.get_by_role("button", name="More").click()
        expect(page.locator("#visits")).to_have_text("Visits: 201")
        # What the component shows is in the session that the browser has.
        assert page.request.get(f"{site}/session").text() == "201"
        context.close()
