"""Components without a WebSocket: frames by POST, and forms without JavaScript."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok import Asok

NAME = "Guestbook"
SITE = {
    "src/components/Guestbook.py": """\
        from asok import Component
        from asok.component import exposed

        class Guestbook(Component):
            names: list[str] = []
            times: int = 0

            @exposed
            def sign(self, times: int, name: str, tags: list[str] | None = None):
                self.names = [*self.names, name + "".join(tags or [])]
                self.times += times

            @exposed
            def fail(self):
                raise RuntimeError("broken")

            @exposed
            def leave(self):
                self.redirect("/elsewhere")

            def render(self):
                return self.html("guestbook.html")
        """,
    "src/components/guestbook.html": """\
        <p>{{ times }}: {{ names|join(", ") }}</p>
        <form class="a > b" ws-submit="sign(2)"><input name="name"><button>Sign</button></form>
        <form ws-submit='fail'><button>Fail</button></form>
        <form ws-submit=leave method="get"><button>Leave</button></form>
        <form ws-submit="sign(1)" action="/own"></form>
        """,
    "src/pages/page.html": "{{ component('Guestbook') }}",
    "src/pages/frozen/page.py": "SSG = True\ndef get(request):\n"
    "    return request.html('page.html')\n",
    "src/pages/frozen/page.html": "{{ component('Guestbook', cid='book') }}",
}
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, SITE))


@pytest.fixture
def browser(app: Asok) -> Generator[TestClient]:
    with TestClient(app, base_url="http://localhost", headers=OWN) as client:
        yield client


def token(page: str) -> str:
    found = re.search(r'data-asok-state="([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def post(browser: TestClient, *frames: list[Any]) -> list[list[Any]]:
    answer = browser.post("/asok/live", json=list(frames))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.json()


def forms(page: str) -> list[tuple[str, dict[str, str]]]:
    """The forms of a page: the tag, and the hidden fields of Asok."""
    return [
        (
            tag,
            {
                name: html.unescape(value)
                for name, value in re.findall(
                    r'<input type="hidden" name="(asok-\w+)" value="([^"]*)">', inside
                )
            },
        )
        for tag, inside in re.findall(
            r"(<form(?:[^>\"]|\"[^\"]*\")*>)(.*?)</form>", page, re.DOTALL
        )
    ]


def test_each_request_joins_and_calls(browser: TestClient) -> None:
    signed = token(browser.get("/").text)
    join = ["j", 1, signed, "tab", None]
    assert post(browser) == []
    assert post(browser, join) == [["o", 1, 0, 0]]
    call = ["c", 1, 1, "sign", [2], {"name": "Ada"}]
    first, second = post(browser, join, call)
    assert [first[0], second[0], second[2], second[4]] == ["o", "h", 1, 1]
    assert "2: Ada" in second[3]
    # The same call again, as after an answer that was lost: it does not run twice.
    again = post(browser, ["j", 1, signed, "tab", 1], call)
    assert [frame[0] for frame in again][-1] in ("o", "h")
    assert "2: Ada" in browser.get("/").text


@pytest.mark.parametrize(
    ("content", "kind", "origin", "status"),
    [
        (b"[]", "application/json", {"sec-fetch-site": "cross-site"}, 403),
        (b"[]", "application/json", {"sec-fetch-site": ""}, 403),
        (b"{}", "application/json", {}, 400),
        (b"[", "application/json", {}, 400),
        (b"[]", "text/plain", {}, 415),
        (b"[" + b"[]," * 128 + b"[]]", "application/json", {}, 400),
        (b"[" + b" " * 300_000 + b"]", "application/json", {}, 413),
        (b"name=Ada", "application/x-www-form-urlencoded", {}, 400),
        (b"asok-state=x&asok-call=sign", "application/x-www-form-urlencoded", {}, 400),
    ],
)
def test_what_is_refused(
    browser: TestClient, content: bytes, kind: str, origin: dict[str, str], status: int
) -> None:
    headers = {"content-type": kind, **origin}
    answer = browser.post("/asok/live", content=content, headers=headers)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


def test_bad_frames_end_it_and_too_many_are_told_to_wait(browser: TestClient) -> None:
    bad = browser.post("/asok/live", json=[["j", 1, "no token", "tab", None]] * 3)
    assert bad.status_code == 403
    assert bad.json()[0][0] == "r"
    signed = token(browser.get("/").text)
    frames = [["j", 1, signed, "tab", None]] * 128
    answers = [browser.post("/asok/live", content=json.dumps(frames), headers={
        "content-type": "application/json"}).status_code for _ in range(1)]  # fmt: skip
    for _ in range(3):
        app_door = browser.post("/asok/live", json=[["l", 1]] * 128)
        answers.append(app_door.status_code)
    assert answers[-1] == 429


def test_arguments_of_a_form_that_nest_too_deep_are_refused(browser: TestClient) -> None:
    signed = token(browser.get("/").text)
    call = f"sign({'[' * 1000}{']' * 1000})"
    answer = browser.post("/asok/live", data={"asok-state": signed, "asok-call": call})
    assert answer.status_code == 400


def test_the_join_that_a_call_needs_is_not_counted_beside_it(browser: TestClient) -> None:
    join = ["j", 1, token(browser.get("/").text), "tab", None]
    for n in range(1, 121):
        assert post(browser, join, ["c", 1, n, "$refresh"])[-1][-1] == n


def test_a_request_makes_twenty_calls_at_the_most(browser: TestClient) -> None:
    join = ["j", 1, token(browser.get("/").text), "tab", None]
    calls = [["c", 1, n, "sign", [1], {"name": "A"}] for n in range(1, 22)]
    refused = browser.post("/asok/live", json=[join, *calls])
    assert refused.status_code == 400
    assert "20 calls" in refused.text
    hidden = json.dumps([join, *calls]).replace('"c"', '"\\u0063"')
    assert (
        browser.post(
            "/asok/live", content=hidden, headers={"content-type": "application/json"}
        ).status_code
        == 400
    )
    assert post(browser, join, [1], *calls[:20])[-1][-1] == 20
    assert "20: A, A" in browser.get("/").text


def test_a_form_works_without_javascript(browser: TestClient) -> None:
    page = browser.get("/?page=2").text
    (first, signing), (_, failing), (third, leaving), (fourth, own) = forms(page)
    assert 'class="a > b"' in first
    assert first.endswith('method="post" action="/asok/live">')
    assert third == '<form ws-submit=leave method="post" action="/asok/live">'
    assert (fourth, own) == ('<form ws-submit="sign(1)" action="/own">', {})
    assert signing["asok-call"] == "sign(2)"
    sent = {**signing, "name": "Ada", "tags": ["!", "?"]}
    answer = browser.post(
        "/asok/live",
        data=sent,
        headers={"referer": "http://localhost/?page=2"},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/?page=2")
    assert "2: Ada!?" in browser.get("/").text
    for foreign in ("http://elsewhere.example/x", "nonsense", ""):
        answer = browser.post(
            "/asok/live", data=sent, headers={"referer": foreign}, follow_redirects=False
        )
        assert answer.headers["location"] == "/"
    away = browser.post("/asok/live", data=leaving, follow_redirects=False)
    assert away.headers["location"] == "/elsewhere"
    assert browser.post("/asok/live", data=failing).status_code == 500
    refused = browser.post("/asok/live", data={**signing, "asok-call": "render"})
    assert refused.status_code == 403
    assert browser.post("/asok/live", data={**signing, "asok-call": "a b"}).status_code == 400


def test_a_frozen_page_s_form_gives_its_visitor_a_session(browser: TestClient) -> None:
    ((_, signing), *_) = forms(browser.get("/frozen").text)
    answer = browser.post("/asok/live", data={**signing, "name": "Eve"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/frozen")
    assert "set-cookie" in answer.headers
