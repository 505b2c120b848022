"""States and calls that somebody changed, swapped, kept or made up, over real sockets."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Generator
from typing import Any, cast

import httpx
import pytest
from msgspec import Raw, structs
from tests.site import KEY, serve, write_site

from asok.live import owner_of
from asok.live.token import Joined, Tokens
from asok.signing import Keys

from .wire import TEXT, Wire

SITE = {
    "src/pages/page.html": "{{ component('Counter', cid='c') }}",
    "src/pages/enter/page.py": """
        def get(request):
            request.session["name"] = "Ada"
            return "entered"
        """,
    "src/components/Counter.py": """
        from asok import Component, exposed

        class Base(Component):
            count: int = 0
            role: str = "guest"
            _bindable = ("count",)

            @exposed
            def add(self):
                self.count += 1

            @exposed
            def promote(self):
                self.role = "admin"

        class Counter(Base):
            def promote(self):
                self.role = "admin"

            def render(self):
                return f"<b>{self.count} {self.role}</b>"

        class Admin(Base):
            def render(self):
                return f"<b>{self.count} {self.role}</b>"
        """,
}
RETIRED, REMOVED = "a-retired-key-" * 3, "a-key-that-was-removed-" * 2


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    root = write_site(tmp_path_factory.mktemp("states"), SITE)
    with serve(root, SECRET_KEY_FALLBACKS=RETIRED) as url:
        yield url


def entered(url: str) -> tuple[str, str]:
    """Return a visitor's cookie, and the state of the component on his page."""
    with httpx.Client(base_url=url) as browser:
        browser.get("/enter")
        found = re.search(r'data-asok-state="([^"]+)"', browser.get("/").text)
        assert found is not None
        [(name, value)] = browser.cookies.items()
        return f"{name}={value}", html.unescape(found[1])


def read(token: str) -> Joined:
    payload = Tokens(Keys([KEY])).read(token)
    assert isinstance(payload, Joined)
    return payload


def ask(wire: Wire, *frame: Any) -> list[Any]:
    wire.send(json.dumps(frame).encode())
    opcode, answer = wire.receive()
    assert opcode == TEXT
    return json.loads(answer)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Admin"},
        {"cid": "another"},
        {"owner": owner_of("another")},
        {"schema": "another"},
        {"version": 9},
        {"issued": 9e9},
        {"page": ""},
        {"slot": "<script></script>"},
        {"state": Raw(b'{"count":0,"role":"admin"}')},
        {"props": Raw(b'{"role":"admin"}')},
    ],
    ids=lambda change: next(iter(cast("dict[str, Any]", change))),
)
def test_no_part_of_a_state_is_taken_with_the_signature_of_another(
    url: str, change: dict[str, Any]
) -> None:
    cookie, token = entered(url)
    other = Tokens(Keys([KEY])).sign(structs.replace(read(token), **change))
    forged = f"{other.split('.')[0]}.{token.split('.')[1]}"
    with Wire(url, cookie=cookie) as wire:
        assert ask(wire, "j", 1, forged, "tab") == ["r", "signature"]
        assert ask(wire, "c", 1, 1, "add")[3] == "not-joined"


@pytest.mark.parametrize(
    ("key", "change", "answer"),
    [
        (KEY, {}, ["o", 1, 0, 0]),
        (RETIRED, {}, ["o", 1, 0, 0]),
        (REMOVED, {}, ["r", "signature"]),
        (KEY, {"owner": owner_of("another")}, ["r", "session"]),
        (KEY, {"issued": 1.0}, ["r", "expired"]),
        (KEY, {"version": 4}, ["r", "expired"]),
        (KEY, {"schema": "before"}, ["r", "schema"]),
        (KEY, {"name": "Gone"}, ["r", "schema"]),
    ],
    ids=["now", "retired", "removed", "session", "expired", "lost", "schema", "class"],
)
def test_what_a_state_that_was_signed_here_is_worth(
    url: str, key: str, change: dict[str, Any], answer: list[Any]
) -> None:
    cookie, token = entered(url)
    changed = Tokens(Keys([key])).sign(structs.replace(read(token), **change))
    with Wire(url, cookie=cookie) as wire:
        assert ask(wire, "j", 1, changed, "tab") == answer
        assert ask(wire, "c", 1, 1, "add")[0] == ("h" if answer[0] == "o" else "e")


def test_a_state_is_its_session_s_own_and_never_comes_back_old(url: str) -> None:
    (cookie, token), (other, theirs) = entered(url), entered(url)
    with Wire(url, cookie=cookie) as wire, Wire(url, cookie=other) as thief:
        assert ask(thief, "j", 1, token, "tab") == ["r", "session"]
        assert ask(thief, "c", 1, 1, "add")[3] == "not-joined"
        assert ask(wire, "j", 1, token, "tab")[0] == "o"
        for seq in (1, 2):
            assert ask(wire, "c", 1, seq, "add")[1:3] == [1, seq]
        # A cookie is no state, and a state no cookie.
        assert ask(wire, "j", 2, cookie.partition("=")[2], "tab") == ["r", "signature"]
        assert ask(thief, "j", 2, theirs, "tab")[0] == "o"
    name = cookie.partition("=")[0]
    answer = httpx.get(f"{url}/enter", headers={"cookie": f"{name}={token}"})
    assert answer.headers["set-cookie"].startswith(f"{name}="), "a new session"
    with Wire(url, cookie=cookie) as again:
        assert ask(again, "j", 1, token, "later")[:4] == ["h", 1, 2, "<b>2 guest</b>"]
        assert ask(again, "c", 1, 1, "add")[1:3] == [1, 3]


@pytest.mark.parametrize(
    ("method", "args", "code"),
    [
        ("promote", [], "refused"),  # its subclass overrides it, and says nothing
        ("__init__", [], "refused"),
        ("_bindable", [], "refused"),
        ("render", [], "refused"),
        ("session", [], "refused"),
        ("$model", ["role", "admin"], "refused"),
        ("$model", ["count.__class__", 1], "refused"),
        ("$model", ["_bindable", ["role"]], "refused"),
        ("$model", ["count", [1]], "failed"),
        ("$model", ["count", {"$type": "os.system", "x": 1}], "failed"),
        ("$model", ["count", [[[[[[[[[[[1]]]]]]]]]]]], "malformed"),
        ("$model", ["count"], "malformed"),
        ("add", [1], "arguments"),
    ],
)
def test_what_may_not_be_called_touches_nothing(
    url: str, method: str, args: list[Any], code: str
) -> None:
    cookie, token = entered(url)
    with Wire(url, cookie=cookie) as wire:
        assert ask(wire, "j", 1, token, "tab")[0] == "o"
        assert ask(wire, "c", 1, 1, method, args)[3] == code
        assert ask(wire, "c", 1, 2, "add") == ["h", 1, 1, "<b>1 guest</b>", 2]


def test_one_component_more_than_64_is_one_too_many(url: str) -> None:
    cookie, token = entered(url)
    payload, tokens = read(token), Tokens(Keys([KEY]))
    with Wire(url, cookie=cookie) as wire:
        for n in range(1, 65):
            own = tokens.sign(structs.replace(payload, cid=f"c{n}"))
            assert ask(wire, "j", n, own, "tab") == ["o", n, 0, 0]
        assert ask(wire, "j", 65, token, "tab")[3] == "too-many"
        assert ask(wire, "c", 64, 1, "add")[:3] == ["h", 64, 1]
