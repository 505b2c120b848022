"""What is one visitor's own never reaches another through a shared cache."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .origin import Origin
from .servers import Proxy

pytestmark = pytest.mark.soak

#: Pages that hold a visitor's nonce, token or name; `{slug}` where every test has its own.
PRIVATE = ["/form/{slug}", "/cached", "/enter", "/account"]

#: Addresses that look like files, of a page that is not one.
DISGUISED = [
    "/account/x.css", "/account/x.js?v=1", "/account;x.css", "/account%2fx.css",
    "/account%00.css", "/account%3fx.css", "/account%23x.css", "/account/%2e%2e/x.css",
    "/account/..%2fstatic/css/x.css", "/account.css", "/account%0a.css", "/account\\x.css",
]  # fmt: skip


def secrets_of(answer: httpx.Response) -> set[str]:
    """The nonces, tokens and cookies of one answer."""
    text = answer.text
    found = set(re.findall(r'nonce="([^"]+)"', text))
    found |= set(re.findall(r'name="csrf_token" value="([^"]+)"', text))
    if answer.url.path == "/enter":
        found.add(text)
    found |= set(re.findall(r"'nonce-([^']+)'", answer.headers["content-security-policy"]))
    return found | {value for value in answer.cookies.values() if value}


def enter(client: httpx.Client, name: str) -> None:
    token = client.get("/enter").text
    answer = client.post("/enter", data={"name": name, "csrf_token": token})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", PRIVATE)
def test_two_visitors_share_no_secret(
    proxy: Proxy, visitor: httpx.Client, other: httpx.Client, slug: str, path: str
) -> None:
    path = path.format(slug=slug)
    given: list[set[str]] = []
    for client in (visitor, other, visitor, other):
        answer = client.get(path)
        assert answer.status_code == 200
        assert not proxy.hit(answer)
        assert answer.headers["cache-control"].startswith("private")
        assert "age" not in answer.headers or answer.headers["age"] == "0"
        given.append(secrets_of(answer))
    shared = [one & two for at, one in enumerate(given) for two in given[at + 1 :]]
    assert not any(shared)
    kept = proxy.stored()
    assert not [secret for one in given for secret in one if secret.encode() in kept]


def test_visitors_at_the_same_moment_share_no_secret(proxy: Proxy, slug: str) -> None:
    def ask(_: int) -> set[str]:
        answer = httpx.get(f"{proxy.url}/form/{slug}", timeout=20)
        assert answer.status_code == 200
        return secrets_of(answer)

    with ThreadPoolExecutor(12) as pool:
        given = list(pool.map(ask, range(24)))
    assert len(set[str]().union(*given)) == sum(map(len, given)) == 24 * 3


def test_a_stored_form_is_accepted_behind_the_cache(
    visitor: httpx.Client, other: httpx.Client, slug: str
) -> None:
    def token(client: httpx.Client) -> str:
        text = client.get(f"/form/{slug}").text
        return text.partition('name="csrf_token" value="')[2].partition('"')[0]

    own, foreign = token(visitor), token(other)
    fields = {"name": "ada"}
    assert visitor.post("/enter", data={**fields, "csrf_token": foreign}).status_code == 403
    assert visitor.post("/enter", data={**fields, "csrf_token": own}).status_code == 200


def test_who_is_logged_in_stays_with_him(
    proxy: Proxy, visitor: httpx.Client, other: httpx.Client
) -> None:
    assert other.get("/account").text == "account of None"
    enter(visitor, "ada")
    assert visitor.get("/account").text == "account of ada"
    assert other.get("/account").text == "account of None"
    assert b"account of ada" not in proxy.stored()


def test_a_guard_is_asked_at_every_hit(
    proxy: Proxy, visitor: httpx.Client, other: httpx.Client, slug: str
) -> None:
    path = f"/members/{slug}"
    assert other.get(path).status_code == 403
    enter(visitor, "ada")
    for _ in range(2):
        answer = visitor.get(path)
        assert (answer.status_code, answer.text) == (200, "<p>for members</p>")
        assert answer.headers["cache-control"] == "private, no-store"
        assert not proxy.hit(answer)
        refused = other.get(path)
        assert refused.status_code == 403
        assert other.head(path).status_code == 403
    assert b"for members" not in proxy.stored()


@pytest.mark.parametrize("path", DISGUISED)
def test_a_page_disguised_as_a_file_gives_nothing_away(
    proxy: Proxy, visitor: httpx.Client, other: httpx.Client, path: str
) -> None:
    enter(visitor, "victim")
    tempted = visitor.get(path)
    assert "victim" not in tempted.text
    stolen = other.get(path)
    assert "victim" not in stolen.text
    assert 400 <= stolen.status_code < 500
    assert b"victim" not in proxy.stored()


def test_a_public_page_sets_no_cookie(
    proxy: Proxy, origin: Origin, visitor: httpx.Client, other: httpx.Client, slug: str
) -> None:
    enter(visitor, "ada")
    for client in (visitor, other, visitor):
        answer = client.get(f"/public/{slug}")
        assert "set-cookie" not in answer.headers
    assert len(origin.asked(f"/public/{slug}")) == 1
    assert visitor.get("/account").text == "account of ada"
