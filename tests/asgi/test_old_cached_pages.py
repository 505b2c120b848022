"""Pages of `@cache_page` that grew old, were damaged, or became everybody's or nobody's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.services import wait_until

from asok import Asok

from .conftest import Open

COUNT = "from asok.cache import cache_page\nmade = []\n"
SITE = {
    "src/pages/page.py": COUNT
    + """
@cache_page(ttl=0.2, stale=60, query=("q",), unless=lambda request: "x" in request.cookies)
async def get(request):
    made.append(request)
    if len(made) == 2:
        return "broken", 500
    if len(made) == 3:
        assert request is not made[0] and request.visitor is not made[0].visitor
        assert request.path == "/" and request.method == "GET"
    return f"made {len(made)} {request.args.get('q')}"
""",
    "src/pages/own/page.py": COUNT
    + """
@cache_page
async def get(request):
    made.append(1)
    request.tag("own")
    return f"{len(made)} {request.session.get('name') if len(made) < 3 else 'nobody'}"
""",
    "src/pages/own/sync/page.py": COUNT
    + """
@cache_page
def get(request):
    made.append(1)
    return f"{len(made)} {request.session.get('name') if len(made) < 3 else 'nobody'}"
""",
    "src/pages/becomes/[what]/page.py": COUNT
    + """
@cache_page(ttl=0.1, stale=60)
def get(request):
    made.append(1)
    if len(made) > 1 and request.params["what"] == "private":
        request.session.get("name")
    if len(made) > 1 and request.params["what"] == "gone":
        request.abort(404)
    return f"made {len(made)}"
""",
    "src/pages/head/page.py": COUNT
    + """
@cache_page(ttl=60)
def get(request):
    made.append(1)
    return "" if request.method == "HEAD" else f"made {len(made)}"
""",
    "src/pages/stale/page.py": COUNT
    + """
@cache_page(ttl=0.2, stale=60, tags=("stale",))
def get(request):
    made.append(1)
    if len(made) == 2:
        1 / 0
    return f"made {len(made)} {request.args.get('x')}"
""",
}


def stored_pages(client: TestClient) -> Callable[[], set[str]]:
    """Return a function that tells under which keys pages were stored since."""
    keys: set[str] = set()
    app: Asok = client.app  # type: ignore[assignment]
    store: Any = app.cache.store
    real = store.set

    def set_(key: str, *args: Any, **options: Any) -> bool:
        keys.add(key)
        return real(key, *args, **options)

    store.set = set_
    return lambda: {key for key in keys if key.startswith("page:")}


def test_an_old_page_is_served_while_one_is_made(
    open_cached: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_cached(SITE)
    monkeypatch.setattr("asok.cache.refresh._REST", 0.0)

    def old_then(text: str) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            answer = client.get("/stale")
            if answer.text == text:
                return
            assert answer.text == "made 1 None"
            time.sleep(0.05)
        pytest.fail("nobody made it anew")

    old_then("made 1 None")
    old_then("made 3 None")


def test_a_damaged_page_in_the_store_costs_a_render(open_cached: Open) -> None:
    client = open_cached(SITE)
    app: Asok = client.app  # type: ignore[assignment]
    pages = stored_pages(client)
    assert client.get("/head").text == "made 1"
    (key,) = pages()
    app.cache.set(key, ("nonsense",))
    assert client.get("/head").text == "made 2"
    assert client.get("/head").text == client.get("/head").text == "made 3"


def test_old_pages_of_async_handlers_are_made_anew_by_a_request_of_their_own(
    open_cached: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.cache.refresh._REST", 0.0)
    client = open_cached(SITE)
    assert client.get("/").text == "made 1 None"

    def becomes(text: str) -> bool:
        return client.get("/").text == text

    wait_until(lambda: becomes("made 3 None"), what="the third page")
    assert "could not be made anew: the status is 500" in caplog.text
    bypass = client.get("/", headers={"cookie": "x=1"}).headers["cache-status"]
    assert bypass == "asok; fwd=bypass; detail=unless"


def test_a_page_that_becomes_everybodys_is_kept_from_then_on(open_cached: Open) -> None:
    client = open_cached(SITE)
    pages = stored_pages(client)
    app: Asok = client.app  # type: ignore[assignment]
    for path in ("/own", "/own/sync"):
        assert [client.get(path).text for _ in range(6)] == [
            *("1 None", "2 None", "3 nobody", "4 nobody", "4 nobody", "4 nobody")
        ]
        for key in pages():
            app.cache.set(key, "damaged")
        assert client.get(path).text == "5 nobody"
        assert client.get(path).text == client.get(path).text == "6 nobody"


def test_an_old_page_that_became_private_or_nothing_is_not_served_for_ever(
    open_cached: Open,
) -> None:
    client = open_cached(SITE)
    for what in ("private", "gone"):
        client.get(f"/becomes/{what}")
    wait_until(lambda: client.get("/becomes/private").text != "made 1", what="a private page")
    wait_until(lambda: client.get("/becomes/gone").status_code == 404, what="the end of the page")
