"""What others change, where no WebSocket gets through: one answer that stays open for a while."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.types import Message
from tests.site import serve, write_site

from asok.asgi.live_stream import LiveStreams
from asok.live import Conversation, Emit, HangUp

SITE = {
    "src/components/Wall.py": """\
        from asok import Component, exposed, listens

        class Wall(Component):
            said: list[str] = []

            @listens("wall")
            def hear(self, text: str):
                self.said = [*self.said, text]

            @exposed
            def say(self, text: str):
                self.said = [*self.said, text]

            def render(self):
                return "<p>" + " ".join(self.said) + "</p>" + "<b>row</b>" * 50
        """,
    "src/components/Deaf.py": """\
        from asok import Component

        class Deaf(Component):
            def render(self):
                return "<p>deaf</p>"
        """,
    "src/pages/page.html": "{{ component('Wall') }}{{ component('Deaf') }}",
    "src/pages/say/[text]/page.py": """\
        from asok import broadcast

        def get(request):
            broadcast("wall", text=request.params["text"])
            return "said"
        """,
    "src/pages/leave/page.py": """\
        def get(request):
            request.session.logout()
            return "gone"
        """,
}


def test_broadcasts_are_told_at_once_and_what_is_open_is_bounded(tmp_path: Path) -> None:
    headers = {"sec-fetch-site": "same-origin"}
    with (
        serve(write_site(tmp_path, SITE)) as url,
        httpx.Client(base_url=url, headers=headers, timeout=30) as browser,
        ExitStack() as stack,
    ):
        page = browser.get("/").text
        tokens = [html.unescape(one) for one in re.findall(r'data-asok-state="([^"]+)"', page)]
        wall, deaf = (["j", n, token, "tab", None] for n, token in enumerate(tokens, start=1))

        def listen(*frames: list[Any]) -> tuple[httpx.Response, Iterator[list[Any]]]:
            answer = stack.enter_context(
                browser.stream(
                    "POST", "/asok/live", json=frames, headers={"accept": "text/event-stream"}
                )
            )
            lines = (line for line in answer.iter_lines() if line)
            return answer, (json.loads(line.removeprefix("data: ")) for line in lines)

        answer, told = listen(wall, deaf)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["cache-control"] == "private, no-store"
        assert sorted([next(told)[:2], next(told)[:2]]) == [["h", 1], ["o", 2]]
        browser.get("/say/one")
        frame = next(told)
        assert frame[:3] == ["h", 1, 1]
        assert "<p>one</p>" in frame[3]
        # A call goes its own way; what is told next refers to nothing that it has changed.
        call = ["c", 1, 1, "say", ["two"], None]
        answered = browser.post("/asok/live", json=[wall, call]).json()
        # Nor does its answer to what was told meanwhile.
        assert [frame[:3] for frame in answered] == [["h", 1, 1], ["h", 1, 2]]
        browser.get("/say/three")
        frame = next(told)
        assert frame[:3] == ["h", 1, 3]
        assert "<p>one two three</p>" in frame[3]
        # Who listens to nothing is not kept waiting; and there is a bound for everybody.
        assert listen(deaf)[0].status_code == 204
        for _ in range(3):
            listen(wall)
        assert listen(wall)[0].status_code == 429
        # The end of a session ends them.
        browser.get("/leave")
        assert list(told) == [["r", "session"]]


class Silent:
    """A conversation that listens, and hears nothing."""

    listens = True
    closed = 0

    async def settle(self) -> None:
        pass

    async def close(self) -> None:
        self.closed += 1


SCOPE = {"type": "http", "asgi": {"spec_version": "2.4"}, "headers": []}


async def stays() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def touched(conversation: Conversation) -> None:
    assert isinstance(conversation, Silent)


def test_an_open_answer_ends_after_its_time() -> None:
    async def main() -> None:
        streams, one, sent = LiveStreams(touched, seconds=0.05), Silent(), list[Message]()

        async def send(message: Message) -> None:
            sent.append(message)

        answer = await streams.answer(
            "visitor", [], lambda emit, hang_up: cast("Conversation", one)
        )
        assert (answer.status_code, len(streams)) == (200, 1)
        await answer(SCOPE, stays, send)
        assert [message.get("body") for message in sent] == [None, b""]
        assert (one.closed, len(streams)) == (1, 0)

    asyncio.run(main())


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_nothing_stays_of_a_browser_that_went_before_it_was_told_anything(version: str) -> None:
    async def main() -> None:
        streams, one = LiveStreams(touched), Silent()

        async def send(message: Message) -> None:
            raise OSError("gone")

        answer = await streams.answer(
            "visitor", [], lambda emit, hang_up: cast("Conversation", one)
        )
        await answer({**SCOPE, "asgi": {"spec_version": version}}, stays, send)
        assert (one.closed, len(streams)) == (1, 0)

    asyncio.run(main())


def test_who_tells_a_slow_browser_waits_until_it_reads_or_goes() -> None:
    async def main() -> None:
        streams, one, emits = LiveStreams(touched), Silent(), list[Emit]()
        sent: list[bytes] = []
        reads = asyncio.Semaphore(3)

        async def send(message: Message) -> None:
            await reads.acquire()
            sent.append(message.get("body", b""))

        def begin(emit: Emit, hang_up: HangUp) -> Conversation:
            emits.append(emit)
            return cast("Conversation", one)

        answer = await streams.answer("visitor", [], begin)
        # What is told before it reads waits for nothing: the joins come first.
        for number in range(10):
            await emits[0](str(number))
        answering = asyncio.create_task(answer(SCOPE, stays, send))
        while len(sent) < 3:
            await asyncio.sleep(0)
        telling = [asyncio.ensure_future(emits[0]("more")) for _ in range(30)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert not any(task.done() for task in telling)
        for _ in range(60):
            reads.release()
        await asyncio.gather(*telling)
        assert sent.count(b"data: more\n\n") >= 20
        telling = [asyncio.ensure_future(emits[0]("last")) for _ in range(30)]
        await asyncio.sleep(0)
        answering.cancel()
        await asyncio.wait({answering})
        await asyncio.gather(*telling)

    asyncio.run(main())
