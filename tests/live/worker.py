"""A worker of a site with one component, driven by lines: for tests that kill it.

Run as a program: `worker.py sqlite:PATH|redis:URL PREFIX EFFECTS`. Lines in are JSON:
`["open", session, tab]` opens a socket, `["die", step]` kills the process at that step of the
next call, `["frame", text]` is a frame from the browser. Lines out are the frames sent.
`EFFECTS` gets a line for each side effect, appended by one write.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from asok.component import Component, exposed
from asok.live import Limits, Live, LiveStore, RedisLiveStore, Registry, SqliteLiveStore
from asok.live.component import SessionLike
from asok.signing import Keys

__all__ = ["KEYS", "LEASE_SECONDS", "Hit", "make_live", "make_store"]

KEYS = Keys(["a-secret-key-of-at-least-32-characters"])
LEASE_SECONDS = 0.5
_doomed: list[str] = []
_effects = -1


class Hit(Component):
    """Counts what was done to it, and does something that can't be undone."""

    count: int = 0

    @exposed
    def hit(self, text: str) -> None:
        os.write(_effects, f"{text}\n".encode())
        self.count += 1
        self.session["hits"] = text
        self.session.modified = True

    @exposed
    async def later(self, text: str) -> None:
        os.write(_effects, f"{text}\n".encode())
        await asyncio.sleep(0)
        self.count += 1

    def render(self) -> str:
        return f"<b>{self.count}</b>"


class _Session(dict[str, Any]):
    modified = False

    def save(self) -> None:
        self.modified = False


def make_store(spec: str, prefix: str) -> LiveStore:
    kind, _, place = spec.partition(":")
    if kind == "redis":
        return RedisLiveStore(place, prefix=prefix, lease_seconds=LEASE_SECONDS)
    return SqliteLiveStore(Path(place))


def make_live(store: LiveStore) -> Live:
    def render_template(name: str, context: Any, *, page_dir: Any = None) -> str:
        raise NotImplementedError

    def open_session(session_id: str) -> SessionLike:
        return _Session()

    def step(name: str) -> None:
        if name in _doomed:
            os.kill(os.getpid(), signal.SIGKILL)

    registry = Registry()
    registry.register(Hit)
    return Live(
        registry,
        keys=KEYS,
        store=store,
        render_template=render_template,
        open_session=open_session,
        runtime_url="/asok/alive.js",
        limits=Limits(messages_per_second=1e6),
        on_step=step,
    )


async def _main(spec: str, prefix: str, effects: str) -> None:
    global _effects
    _effects = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    store = make_store(spec, prefix)
    live = make_live(store)
    conversation = None

    async def emit(frame: str) -> None:
        os.write(1, frame.encode() + b"\n")

    async def hang_up(code: int, reason: str) -> None:
        os.write(1, json.dumps(["closed", code, reason]).encode() + b"\n")

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    os.write(1, b'["ready"]\n')
    while line := await reader.readline():
        order, *rest = json.loads(line)
        if order == "open":
            if conversation is not None:
                await conversation.close()
            conversation = live.conversation(rest[0], emit=emit, hang_up=hang_up)
        elif order == "die":
            _doomed[:] = rest
        else:
            assert conversation is not None
            await conversation.receive(rest[0])
    store.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
