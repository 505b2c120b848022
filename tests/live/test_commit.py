"""The live commit while workers are killed: no effect twice, no update lost.

Four workers, every call to another one, SIGKILL between every two steps of a call. The
browser does what the runtime does: it joins again and sends the call again.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asok.live import owner_of

from .worker import make_live, make_store

STEPS = ("turn", "started", "called", "rendered", "session", "done")
WORKER = Path(__file__).with_name("worker.py")
Make = Callable[[], "Workers"]


class Worker:
    """One worker process; started again when it was killed."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self.lock = asyncio.Lock()
        self.killed = 0

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(WORKER),
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert await self.read() == ["ready"]

    def order(self, *order: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def read(self) -> list[Any] | None:
        """Return the next frame, or None where the worker is dead."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        return json.loads(line) if line else None

    async def restart(self) -> None:
        assert self._process is not None
        assert await self._process.wait() == -9
        self.killed += 1
        await self.start()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._process.wait()


class Workers:
    """Some workers on one store, and the file of their side effects."""

    def __init__(self, spec: str, prefix: str, effects: Path, size: int = 4) -> None:
        self.spec = spec
        self.prefix = prefix
        self.effects = effects
        self.all = [Worker([spec, prefix, str(effects)]) for _ in range(size)]

    async def __aenter__(self) -> Workers:
        await asyncio.gather(*(worker.start() for worker in self.all))
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(worker.stop() for worker in self.all))

    def check(self, session: str, browsers: list[Browser]) -> None:
        """Compare what happened with what the browsers were told."""
        store = make_store(self.spec, self.prefix)
        row = store.load(owner_of(session), "hit")
        store.close()
        assert row is not None
        happened = Counter(self.effects.read_text().split())
        done = {text for browser in browsers for text in browser.done}
        unknown = {text for browser in browsers for text in browser.unknown}
        assert set(happened.values()) <= {1}, "a call was run twice"
        assert done <= set(happened), "a call was answered and not run"
        assert set(happened) - done <= unknown
        assert row.version == len(done)
        assert json.loads(row.state) == {"count": len(done)}


class Browser:
    """One page view that clicks, each time by another worker."""

    def __init__(self, workers: Workers, tab: str, token: str, session: str) -> None:
        self.workers = workers
        self.tab = tab
        self.token = token
        self.session = session
        self.done: list[str] = []
        self.unknown: list[str] = []
        self._seq = 0

    async def click(self, method: str, die: str | None = None) -> None:
        """Click until there is an answer; the first worker dies at step `die`."""
        self._seq += 1
        text = f"{self.tab}.{self._seq}"
        while True:
            worker = random.choice(self.workers.all)
            async with worker.lock:
                answer = await self._attempt(worker, method, text, die)
                if answer is None:
                    await worker.restart()
            if answer is not None:
                break
            die = None
        if answer[0] == "e":
            assert answer[3] == "unknown", answer
            self.unknown.append(text)
        else:
            self.done.append(text)

    async def _attempt(
        self, worker: Worker, method: str, text: str, die: str | None
    ) -> list[Any] | None:
        worker.order("die", die)
        worker.order("open", self.session, self.tab)
        worker.order("frame", json.dumps(["j", 1, self.token, self.tab, -1]))
        worker.order("frame", json.dumps(["c", 1, self._seq, method, [text], None]))
        while True:
            frame = await worker.read()
            if frame is None:
                return None
            if (frame[2] if frame[0] == "e" else frame[-1]) == self._seq:
                return frame


def token() -> str:
    from .fake_client import wrappers

    live = make_live(make_store("sqlite:/nonexistent", ""))
    page = live.render("Hit", page="/", session_id=None, frozen=True, cid="hit")
    return wrappers(page)[0]["token"]


@pytest.fixture(params=["sqlite", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    spec = f"sqlite:{tmp_path / 'live.sqlite3'}"
    if request.param == "redis":
        spec = f"redis:{request.getfixturevalue('redis_url')}"
    return lambda: Workers(spec, tmp_path.name, tmp_path / "effects")


@pytest.mark.parametrize("method", ["hit", "later"])
def test_a_worker_killed_at_any_step_runs_nothing_twice(make: Make, method: str) -> None:
    steps = [step for step in STEPS if method == "hit" or step != "session"]

    async def scenario() -> None:
        async with make() as workers:
            browser = Browser(workers, "tab", token(), "visitor")
            for step in steps:
                await browser.click(method)
                await browser.click(method, die=step)
            await browser.click(method)

            assert sum(worker.killed for worker in workers.all) == len(steps)
            # Killed before anything was written, or after everything was: it counts.
            assert len(browser.unknown) == len(steps) - 2
            workers.check("visitor", [browser])

    asyncio.run(scenario())


def _many(make: Make, *, tabs: int, clicks: int, deaths: float) -> None:
    async def scenario() -> None:
        async with make() as workers:
            made = token()
            browsers = [Browser(workers, f"tab{n}", made, "visitor") for n in range(tabs)]

            async def visit(browser: Browser) -> None:
                for _ in range(clicks):
                    die = random.choice(STEPS) if random.random() < deaths else None
                    await browser.click(random.choice(["hit", "later"]), die)

            await asyncio.gather(*map(visit, browsers))
            workers.check("visitor", browsers)

    asyncio.run(scenario())


def test_two_tabs_on_four_workers_lose_nothing(make: Make) -> None:
    _many(make, tabs=2, clicks=40, deaths=0.05)


@pytest.mark.soak
def test_ten_thousand_clicks_lose_nothing(make: Make) -> None:
    _many(make, tabs=4, clicks=2_500, deaths=0.02)
