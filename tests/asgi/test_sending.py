"""Bytes on their way out: planned files, answers with something to do afterwards, lost readers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from tests.site import load_site, write_site

from asok.asgi.finishing import deliver
from asok.asgi.sending import send_plan
from asok.assets import FileSlice, Plan
from asok.assets.files import FileParts

from .conftest import Open


def sent(plan: Plan, **scope: Any) -> list[Any]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(send_plan(plan, {"type": "http", "method": "GET", **scope}, send))
    return messages


def piece(path: Path, start: int, length: int, status: int = 200) -> Plan:
    return Plan(
        status, ((b"content-length", b"%d" % length),), FileSlice(path, start, length, path.parent)
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 60_000)
    return path


def test_a_file_goes_out_in_pieces_that_are_whole_together(file: Path) -> None:
    start, *body = sent(piece(file, 0, 600_000))
    assert start["status"] == 200
    assert b"".join(message["body"] for message in body) == file.read_bytes()
    assert [message["more_body"] for message in body] == [True, True, False]


def test_a_part_of_a_file_is_exactly_that_part(file: Path) -> None:
    start, body = sent(piece(file, 5, 10, 206), extensions={"http.response.pathsend": {}})
    assert (start["status"], body["body"]) == (206, b"5678901234")


def test_a_server_that_can_is_given_the_path(file: Path) -> None:
    _, body = sent(piece(file, 0, 600_000), extensions={"http.response.pathsend": {}})
    assert body == {"type": "http.response.pathsend", "path": str(file)}


@pytest.mark.parametrize(("start", "length", "status"), [(0, 600_000, 200), (5, 10, 206)])
def test_a_server_that_can_is_given_the_open_file(
    file: Path, start: int, length: int, status: int
) -> None:
    read: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.zerocopysend":
            assert message["more_body"] is False
            read.append(os.pread(message["file"], message["count"], message["offset"]))

    offered = {"http.response.zerocopysend": {}, "http.response.pathsend": {}}
    asyncio.run(send_plan(piece(file, start, length, status), {"extensions": offered}, send))
    assert read == [file.read_bytes()[start : start + length]]


def test_parts_of_a_file_go_out_between_what_announces_them(file: Path) -> None:
    whole = FileSlice(file, 0, 600_000, file.parent)
    parts = FileParts(((b"--x", whole.part(5, 10)), (b"--y", whole.part(0, 300_000))), b"--")
    offered = {"http.response.zerocopysend": {}, "http.response.pathsend": {}}
    start, *body = sent(Plan(206, (), parts), extensions=offered)
    assert start["status"] == 206
    wanted = b"--x5678901234--y" + file.read_bytes()[:300_000] + b"--"
    assert b"".join(message["body"] for message in body) == wanted
    assert [message["more_body"] for message in body] == [True] * (len(body) - 1) + [False]


def test_an_empty_file_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sent(piece(tmp_path / "empty", 0, 0))[1]["body"] == b""


def test_a_file_that_went_away_is_not_found(tmp_path: Path) -> None:
    start, _ = sent(piece(tmp_path / "gone", 0, 5))
    assert start["status"] == 404
    assert (b"x-content-type-options", b"nosniff") in start["headers"]


def test_a_file_that_shrinks_meanwhile_is_cut_off_and_not_padded(file: Path) -> None:
    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            file.write_bytes(b"short")

    with pytest.raises(OSError, match="before its planned end"):
        asyncio.run(send_plan(piece(file, 0, 600_000), {"type": "http"}, send))


def test_a_file_that_shrank_before_is_not_found(file: Path) -> None:
    assert sent(piece(file, 599_990, 100))[0]["status"] == 404


SITE = {
    "src/pages/page.py": """
        from starlette.background import BackgroundTask
        from starlette.responses import Response

        def get(request):
            status = int(request.args["status"])
            later = BackgroundTask((request.site.root / "done").touch)
            return Response("x", status, background=later)
        """,
    "src/pages/a/page.py": """
        async def get(request):
            request.session["n"] = request.session.get("n", 0) + 1
            return str(request.session["n"])
        """,
}


@pytest.mark.parametrize("status", [200, 204])
def test_what_is_to_be_done_afterwards_is_done(
    open_site: Open, tmp_path: Path, status: int
) -> None:
    assert open_site(SITE).get(f"/?status={status}").status_code == status
    assert (tmp_path / "done").exists()


def test_sessions_over_the_network_are_kept(open_site: Open, redis_url: str) -> None:
    client = open_site(SITE, session_backend="redis", redis_url=redis_url)
    assert [client.get("/a").text for _ in range(2)] == ["1", "2"]


def test_a_reader_who_is_lost_is_no_error(tmp_path: Path) -> None:
    from starlette.responses import StreamingResponse

    app = load_site(write_site(tmp_path, SITE))
    ended: list[bool] = []

    async def chunks() -> AsyncGenerator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            ended.append(True)

    async def send(message: Any) -> None:
        raise OSError("gone")

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "headers": [], "asok.path": "/"}
    newest = {**scope, "asgi": {"spec_version": "2.4"}}
    visitor = app.parts.visitor(scope)
    body = chunks()
    response = StreamingResponse(body)

    async def begin() -> None:
        await anext(body)
        await deliver(app.parts, visitor, response, newest, receive, send)

    asyncio.run(begin())
    assert ended == [True]
