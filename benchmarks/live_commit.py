"""10,000 live clicks, each a whole commit: started, method, render, done, answered.

Prints operations a second and the median round trip for an async method with state in memory,
for a sync method (one thread hop), and for both with SQLite and with Redis (`--redis URL`).
No socket: this is what the server does for a frame, the transport comes on top.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from asok.component import Component, exposed
from asok.live import (
    Limits,
    Live,
    LiveStore,
    MemoryLiveStore,
    RedisLiveStore,
    Registry,
    SqliteLiveStore,
)
from asok.signing import Keys

CLICKS = 10_000


class Counter(Component):
    """A counter with an async method: it says that its rendering does not block."""

    count: int = 0

    @exposed
    async def increment(self) -> None:
        self.count += 1

    def render(self) -> str:
        return f'<div><h3>Count: {self.count}</h3><button ws-click="increment">Add 1</button></div>'


class SyncCounter(Counter):
    """The same with a sync method."""

    @exposed
    def increment(self) -> None:  # type: ignore[override]
        self.count += 1


def live(store: LiveStore) -> Live:
    """Return an application of the two counters."""

    def no_templates(name: str, context: Any, *, page_dir: Any = None) -> str:
        raise NotImplementedError

    def no_session(session_id: str) -> Any:
        raise NotImplementedError

    registry = Registry()
    registry.register(Counter)
    registry.register(SyncCounter)
    return Live(
        registry,
        keys=Keys(["a-secret-key-of-at-least-32-characters"]),
        store=store,
        render_template=no_templates,
        open_session=no_session,
        runtime_url="/asok/alive.js",
        limits=Limits(messages_per_second=1e9, burst=1_000_000),
    )


async def clicks(name: str, store: LiveStore, count: int) -> tuple[float, float, int, int]:
    """Click `count` times; return (operations a second, median seconds, bytes up, bytes down)."""
    application = live(store)
    page = application.render(name, page="/", session_id=None, frozen=True)
    token = page.split('data-asok-state="')[1].split('"')[0]
    received: list[str] = []
    arrived = asyncio.Event()

    async def emit(frame: str) -> None:
        received.append(frame)
        arrived.set()

    async def hang_up(code: int, reason: str) -> None:
        raise SystemExit(f"closed: {code} {reason}")

    conversation = application.conversation("visitor", emit=emit, hang_up=hang_up)
    await conversation.receive(json.dumps(["j", 1, token, "tab"]))
    await conversation.settle()
    times: list[float] = []
    frame = ""
    began = time.perf_counter()
    for seq in range(1, count + 1):
        frame = f'["c",1,{seq},"increment",[],null]'
        started = time.perf_counter()
        arrived.clear()
        await conversation.receive(frame)
        await arrived.wait()
        times.append(time.perf_counter() - started)
    taken = time.perf_counter() - began
    await conversation.close()
    await application.drain(5)
    last = json.loads(received[-1])
    if last[2] != count or len(received) != count + 1:
        raise SystemExit(f"lost updates: {last}")
    return count / taken, statistics.median(times), len(frame), len(received[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", help="a Redis URL to measure too")
    parser.add_argument("--clicks", type=int, default=CLICKS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stores: dict[str, LiveStore] = {
            "memory": MemoryLiveStore(),
            "SQLite": SqliteLiveStore(Path(folder) / "live.sqlite3"),
        }
        if options.redis:
            stores["Redis"] = RedisLiveStore(options.redis, prefix="asok-bench")
        print(f"{options.clicks:,} clicks, one after the other, one process")
        for kind, store in stores.items():
            for name in ("Counter", "SyncCounter"):
                rate, median, up, down = asyncio.run(clicks(name, store, options.clicks))
                method = "async" if name == "Counter" else "sync "
                print(
                    f"  {method} {kind:7} {rate:8,.0f}/s   p50 {median * 1e6:6.0f} µs"
                    f"   {up} B up, {down} B down"
                )
            store.close()


if __name__ == "__main__":
    main()
