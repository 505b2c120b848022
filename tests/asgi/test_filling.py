"""Filling a stored page remembers visitors, within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.site import load_site, write_site

from asok import Asok
from asok.asgi import filling
from asok.asgi.filling import Filler
from asok.holes import Holed

PAGE = Holed((b"<", b"|", b">"), ("nonce", "csrf"))


@pytest.fixture
def app(tmp_path: Path) -> Asok:
    return load_site(write_site(tmp_path, {"src/pages/page.html": "x"}))


def fill(app: Asok, filler: Filler, cookie: bytes) -> tuple[dict[bytes, bytes], str]:
    scope: dict[str, Any] = {"headers": [(b"cookie", cookie)]}
    headers, body = filler.fill(PAGE, scope, {b"cookie": cookie}, ((b"x-a", b"b"),))
    return dict(headers), body.decode()


def test_a_known_visitor_gets_a_token_of_the_own_session_and_no_cookie(app: Asok) -> None:
    filler = Filler(app.parts)
    visitor = app.ids.new()
    cookie = b"asok=" + visitor.encode()
    for given in (cookie, cookie, b"a=b; " + cookie):
        headers, body = fill(app, filler, given)
        nonce, token = body[1:-1].split("|")
        assert f"'nonce-{nonce}'" in headers[b"content-security-policy"].decode()
        assert app.parts.csrf.valid(token, visitor)
        assert len(body) == PAGE.filled_size
        assert headers[b"x-a"] == b"b"
        assert b"set-cookie" not in headers


def test_a_new_visitor_gets_a_cookie_for_the_token(app: Asok) -> None:
    headers, body = fill(app, Filler(app.parts), b"asok=" + b"A" * 65)
    given = headers[b"set-cookie"].decode().partition(";")[0].removeprefix("asok=")
    assert app.parts.csrf.valid(body[1:-1].split("|")[1], given)


def test_what_is_remembered_is_bounded_in_number_and_bytes(
    app: Asok, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "_REMEMBERED", 10)
    filler = Filler(app.parts)
    cookie = b"asok=" + app.ids.new().encode()
    for number in range(50):
        fill(app, filler, b"%b; n=%d" % (cookie, number))
    assert len(filler._values[False]) <= 10
    before = len(filler._values[False])
    assert b"set-cookie" not in fill(app, filler, cookie + b"; x=" + b"x" * 60_000)[0]
    assert len(filler._values[False]) == before
