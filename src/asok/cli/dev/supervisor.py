"""The supervisor: watches the files, starts generations, and tells them what changed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from asok.cli.dev.announce import Announcer
from asok.cli.dev.changes import Effect, effect_of, page_files, watched_folders
from asok.cli.dev.channel import Channel
from asok.cli.dev.generation import Generation

__all__ = ["Supervisor"]

#: Seconds that an old generation may take to finish its requests before it is killed.
_PATIENCE: Final = 4.0
#: A file that is still being written gives several events; they are joined when this many
#: milliseconds pass without one, at the latest after `_BURST` of them.
_QUIET: Final = 10
_BURST: Final = 100


class Supervisor:
    """Runs the development server of the site at `root` on `listener` until it is stopped.

    `environment` is what the serving processes get.
    """

    def __init__(
        self,
        root: Path,
        listener: socket.socket,
        announcer: Announcer,
        environment: Mapping[str, str],
    ) -> None:
        self.root = root
        self.listener = listener
        self.announcer = announcer
        self.environment = environment
        self.serving: Generation | None = None
        self.starting: Generation | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._number = 0
        self._since = time.perf_counter()
        self._pages = page_files(root)
        self._stop = asyncio.Event()
        self._wanted = asyncio.Event()

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        ours, theirs = socket.socketpair()
        zygote = self._spawn(theirs)
        theirs.close()
        self._control = Channel(ours)
        tasks = [
            asyncio.create_task(coroutine)
            for coroutine in (
                self._generations(),
                self._watch(list(watched_folders(self.root)), recursive=True),
                self._watch([self.root], recursive=False),
            )
        ]
        stopped = asyncio.create_task(self._stop.wait())
        self._wanted.set()
        try:
            done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
        finally:
            for task in (stopped, *tasks):
                task.cancel()
            await asyncio.gather(stopped, *tasks, return_exceptions=True)
            await self._end(zygote)

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        descriptors = (self.listener.fileno(), control.fileno())
        return subprocess.Popen(  # noqa: S603 - this interpreter, and no shell
            [sys.executable, "-m", "asok.cli.dev.zygote", *map(str, descriptors), str(self.root)],
            pass_fds=descriptors,
            env=dict(self.environment),
            cwd=self.root,
        )

    async def _end(self, zygote: subprocess.Popen[bytes]) -> None:
        alive = [one for one in (self.serving, self.starting) if one is not None]
        for generation in alive:
            generation.retire()
        for generation in alive:
            if not await generation.gone(_PATIENCE):
                self._control.send(["kill", generation.number])
            generation.close()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        self._control.close()
        try:
            await asyncio.to_thread(zygote.wait, 2 * _PATIENCE)
        except subprocess.TimeoutExpired:
            zygote.kill()
            zygote.wait()

    # Generations

    async def _generations(self) -> None:
        """Start a generation whenever one is wanted; a newer wish ends one that isn't ready."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self.starting is not None:
                # It still imports what has changed meanwhile.
                self._control.send(["kill", self.starting.number])
                self.starting.close()
            self._number += 1
            self.starting = Generation(self._number, self._on_message)
            await self.starting.start(self._control)

    def restart(self) -> None:
        """Ask for a new generation."""
        self._since = time.perf_counter()
        self._wanted.set()

    def _on_message(self, generation: Generation, message: list[Any]) -> None:
        name = message[0]
        if name == "ready" and generation is self.starting:
            generation.ready = True
            previous, self.serving, self.starting = self.serving, generation, None
            if previous is not None:
                task = asyncio.create_task(self._retire(previous))
                self._retiring.add(task)
                task.add_done_callback(self._retiring.discard)
            milliseconds = (time.perf_counter() - self._since) * 1000
            self.announcer.ready(self._number, milliseconds, message[1])
        elif name == "note":
            self.announcer.note(message[1])
        elif name == "ended":
            self._on_end(generation)

    def _on_end(self, generation: Generation) -> None:
        generation.close()
        if self._stop.is_set() or generation.retired:
            return
        if generation is self.serving:
            # It crashed in C code, or the kernel killed it: without a child nobody serves.
            self.serving = None
            self.announcer.died("the serving process ended by itself; starting it again")
            if self.starting is None:
                self.restart()
        elif generation is self.starting:
            # sys.exit() or a crash while it was importing: the old one goes on serving.
            self.starting = None
            self.announcer.died("the new process ended while it imported the site; waiting")

    async def _retire(self, generation: Generation) -> None:
        generation.retire()
        if not await generation.gone(_PATIENCE):
            self._control.send(["kill", generation.number])
        generation.close()

    # Changes

    async def _watch(self, folders: list[Path], *, recursive: bool) -> None:
        from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

        def relevant(_: object, path: str) -> bool:
            return effect_of(Path(path), self.root) is not Effect.NOTHING

        async for changes in awatch(
            *folders,
            watch_filter=relevant,
            recursive=recursive,
            step=_QUIET,
            debounce=_BURST,
            stop_event=self._stop,
        ):
            self.changed({Path(path) for _, path in changes})

    def changed(self, paths: Iterable[Path]) -> None:
        """Do what the changes of `paths` ask for."""
        paths = sorted(paths)
        effect = max((effect_of(path, self.root) for path in paths), default=Effect.NOTHING)
        pages = self.root / "src" / "pages"
        if effect is not Effect.RESTART and any(path.is_relative_to(pages) for path in paths):
            found = page_files(self.root)
            if found != self._pages:
                effect, self._pages = Effect.RESTART, found
        if effect is Effect.NOTHING:
            return
        shown = [os.path.relpath(path, self.root) for path in paths]
        self.announcer.changed(shown, effect)
        if effect is Effect.RESTART:
            self._pages = page_files(self.root)
            self.restart()
        elif self.serving is not None:
            self.serving.tell(["changed", effect.name, shown])
