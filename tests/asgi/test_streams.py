"""Streamed answers: what they show of the visitor, and clients that leave before the end."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
from tests.site import serve, write_site

from .conftest import Open

SITE = {
    "src/pages/form/page.py": """
        def get(request):
            yield f'<form method="post" action="/form">{request.csrf_input}</form>'
            yield f'<script nonce="{request.nonce}">1</script>'
        def post(request):
            return "sent"
        """,
    "src/pages/note/page.py": """
        def get(request):
            return {"seen": request.session.get("seen")}
        """,
    "src/pages/write/page.py": """
        def get(request):
            yield "a"
            request.session["seen"] = True
        """,
    "src/pages/late/page.py": """
        from starlette.responses import StreamingResponse

        def get(request):
            def chunks():
                yield "a"
                request.session["seen"] = True
            return StreamingResponse(chunks(), media_type="text/plain")
        """,
    "src/pages/endless/page.py": """
        import asyncio, time
        from pathlib import Path

        def get(request):
            try:
                while True:
                    time.sleep(0.02)
                    yield "x" * 1000
            finally:
                Path("sync-ended").touch()
        """,
    "src/pages/endless/async/page.py": """
        import asyncio
        from pathlib import Path

        async def get(request):
            try:
                while True:
                    await asyncio.sleep(0.02)
                    yield "x" * 1000
            finally:
                Path("async-ended").touch()
        """,
    "src/pages/breaks/page.py": """
        def get(request):
            yield "a"
            raise RuntimeError("in the middle")
        """,
}


def test_a_stream_shows_a_token_and_a_nonce_that_work(open_site: Open) -> None:
    client = open_site(SITE)
    answer = client.get("/form")
    nonce = re.search(r'nonce="([^"]+)"', answer.text)
    token = re.search(r'value="([^"]+)"', answer.text)
    assert nonce is not None
    assert token is not None
    assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-cache"
    assert client.post("/form", data={"csrf_token": token[1]}).text == "sent"


def test_a_session_that_a_stream_changes_is_saved(open_site: Open) -> None:
    client = open_site(SITE)
    assert client.get("/write").text == "a"
    assert client.get("/note").json() == {"seen": True}


def test_a_cookie_that_comes_too_late_is_reported(
    open_site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = open_site(SITE)
    with caplog.at_level(logging.ERROR):
        assert client.get("/late").text == "a"
    assert "the cookie can't be set any more" in caplog.text


@pytest.mark.parametrize("path", ["/endless", "/endless/async"])
def test_the_head_of_an_endless_stream_ends(open_site: Open, path: str) -> None:
    answer = open_site(SITE).head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("streams"), SITE)


@pytest.fixture(scope="module")
def url(folder: Path) -> Generator[str]:
    with serve(folder) as url:
        yield url


@pytest.mark.parametrize(("path", "mark"), [("", "sync-ended"), ("/async", "async-ended")])
def test_a_stream_ends_when_its_reader_leaves(folder: Path, url: str, path: str, mark: str) -> None:
    with httpx.stream("GET", f"{url}/endless{path}") as answer:
        assert next(answer.iter_bytes())
    end = time.monotonic() + 10
    while not (folder / mark).exists():
        assert time.monotonic() < end, "the generator was never closed"
        time.sleep(0.02)


def test_a_stream_that_fails_is_seen_as_cut_off(url: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{url}/breaks")
    assert httpx.get(f"{url}/note").status_code == 200
