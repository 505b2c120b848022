"""Bad frames on real sockets: of the server as anybody starts it, and as `asok preview` does."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.site import serve, write_site

from .wire import CONTINUATION, TEXT, Wire

SITE = {
    "src/pages/page.html": "{{ component('Counter') }}",
    "src/components/Counter.py": """
        from asok import Component, exposed

        class Counter(Component):
            count: int = 0

            @exposed
            def add(self, text: str = ""):
                self.count += 1

            @exposed
            def fail(self):
                raise ValueError

            def render(self):
                return f"<b>{self.count}</b>"
        """,
}
LIMIT = 64 * 1024
PREVIEW = (
    "--ws", "websockets-sansio", "--ws-max-size", str(2 * LIMIT),
    "--ws-per-message-deflate", "false",
)  # fmt: skip


@pytest.fixture(scope="module", params=[(), PREVIEW], ids=["default", "preview"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    root = write_site(tmp_path_factory.mktemp("wire"), SITE)
    with serve(root, *request.param) as url:
        yield url


def call(size: int, seq: int = 1) -> bytes:
    """A call in exactly so many bytes."""
    frame = json.dumps(["c", 1, seq, "add", [""]], separators=(",", ":")).encode()
    return frame.replace(b'""', b'"' + b"x" * (size - len(frame)) + b'"')


def joined(url: str, **options: Any) -> Wire:
    page = httpx.get(url).text
    found = re.search(r'data-asok-state="([^"]+)"', page)
    assert found is not None
    wire = Wire(url, **options)
    assert wire.status == 101
    wire.send(json.dumps(["j", 1, html.unescape(found[1]), "tab"]).encode())
    assert answer(wire)[0] == "o"
    return wire


def answer(wire: Wire) -> list[Any]:
    opcode, payload = wire.receive()
    assert opcode == TEXT
    return json.loads(payload)


def test_the_limit_and_one_byte_more(url: str) -> None:
    with joined(url) as wire:
        wire.send(call(LIMIT))
        assert answer(wire) == ["h", 1, 1, "<b>1</b>", 1]
        wire.send(call(LIMIT + 1, 2))
        assert wire.closing() == 1009


def test_the_limit_and_one_byte_more_deflated(url: str) -> None:
    with joined(url, deflate=True) as wire:
        if "permessage-deflate" not in wire.extensions:
            wire.deflated(call(LIMIT))
            assert wire.closing() == 1002, "nobody agreed to it"
            return
        wire.deflated(call(LIMIT))
        assert answer(wire) == ["h", 1, 1, "<b>1</b>", 1]
        wire.deflated(call(LIMIT + 1, 2))
        assert wire.closing() == 1009


def test_fragments_count_together(url: str) -> None:
    whole, more = call(LIMIT), call(LIMIT + 1, 2)
    with joined(url) as wire:
        for message in (whole, more):
            pieces = [message[at : at + 10_000] for at in range(0, len(message), 10_000)]
            for number, piece in enumerate(pieces):
                wire.send(
                    piece,
                    opcode=CONTINUATION if number else TEXT,
                    final=piece is pieces[-1],
                )
            if message is whole:
                assert answer(wire)[:2] == ["h", 1]
        assert wire.closing() == 1009


def test_a_message_without_an_end_is_not_kept(url: str, request: pytest.FixtureRequest) -> None:
    # The default of the server is 16 MiB, which is its own business.
    pieces = 20 if "preview" in request.node.name else 1100
    with joined(url) as wire:
        for number in range(pieces):
            try:
                wire.send(b"x" * 16_384, opcode=CONTINUATION if number else TEXT, final=False)
            except (BrokenPipeError, ConnectionResetError):
                break
        try:
            assert wire.closing() == 1009
        except (EOFError, ConnectionResetError):
            assert pieces == 1100, "more was on its way than a close waits for"


@pytest.mark.parametrize("bad", [b"\xff\xfe", b'["c",1,1,"add",["\xc3\x28"]]', b"\xed\xa0\x80"])
def test_what_is_no_utf8_is_1007(url: str, bad: bytes) -> None:
    with joined(url) as wire:
        wire.send(bad)
        assert wire.closing() == 1007


def test_a_character_may_be_cut_by_a_fragment(url: str) -> None:
    text = '["c",1,1,"add",["é"]]'.encode()
    at = text.index(b"\xa9")
    with joined(url) as wire:
        wire.send(text[:at], final=False)
        wire.send(text[at:], opcode=CONTINUATION)
        assert answer(wire) == ["h", 1, 1, "<b>1</b>", 1]


@pytest.mark.parametrize(
    "frame",
    [{"masked": False}, {"rsv": 1}, {"rsv": 2}, {"rsv": 4}, {"opcode": 3}, {"opcode": 11},
     {"opcode": CONTINUATION}],
)  # fmt: skip
def test_what_the_protocol_forbids_is_1002(url: str, frame: dict[str, Any]) -> None:
    with joined(url) as wire:
        wire.send(call(100), **frame)
        assert wire.closing() == 1002


def test_what_is_no_frame_of_ours_is_an_error_and_the_socket_goes_on(url: str) -> None:
    bad = [
        "[]", "1", "null", '["c",1,1,"add",[NaN]]', "[" * 10_000, '["c",2,1,"add"]',
        '["c",1,1,"add",[],{"a":1,"a":2}]',
    ]  # fmt: skip
    with joined(url) as wire:
        for text in bad:
            wire.send(text.encode())
            assert answer(wire)[0] == "e", text
        wire.send(b"\x00\xff", opcode=2)
        assert answer(wire)[3] == "malformed"
        wire.send(call(60))
        assert answer(wire) == ["h", 1, 1, "<b>1</b>", 1]


def test_a_method_that_raises_fails_alone(url: str) -> None:
    with joined(url) as wire, joined(url) as neighbour:
        wire.send(b'["c",1,1,"fail"]')
        assert answer(wire) == ["e", 1, 1, "failed", "The call failed."]
        wire.send(b'["c",1,2,"add"]')
        assert answer(wire) == ["h", 1, 1, "<b>1</b>", 2]
        neighbour.send(b'["c",1,1,"add"]')
        assert answer(neighbour) == ["h", 1, 1, "<b>1</b>", 1]


def test_forged_states_end_the_socket(url: str) -> None:
    with Wire(url) as wire:
        for number in range(1, 4):
            wire.send(json.dumps(["j", number, "forged.token", "tab"]).encode())
            assert answer(wire) == ["r", "signature"]
        assert wire.closing() == 1008


def test_a_flood_waits_and_its_neighbours_do_not(url: str) -> None:
    with joined(url) as flood, joined(url) as neighbour:
        for number in range(1, 1001):
            flood.send(json.dumps(["c", 1, number, "add"]).encode())
        for number in range(1, 31):
            neighbour.send(json.dumps(["c", 1, number, "add"]).encode())
            assert answer(neighbour)[-1] == number
        assert flood.waiting() < 900
        seen = 0
        while seen < 40:
            seen = answer(flood)[-1]


def test_a_server_that_ends_does_not_wait_for_a_flood(tmp_path: Path) -> None:
    began = time.monotonic()
    with serve(write_site(tmp_path, SITE), *PREVIEW) as url, joined(url) as flood:
        for number in range(1, 1001):
            flood.send(json.dumps(["c", 1, number, "add"]).encode())
        assert answer(flood)[-1] == 1
        began = time.monotonic()
    # `serve` kills a server after 15 seconds.
    assert time.monotonic() - began < 12
