"""The fork server: it has imported what every site needs, and forks a child in a millisecond.

It never imports site code, so that a child always begins from a clean state, and it never
starts a thread, so that forking is safe. Run as `python -m asok.cli.dev.zygote LISTENER
CONTROL ROOT`, both numbers of inherited descriptors.

Asked: `["start", generation]` with the child's end of its channel as descriptor, and
`["kill", generation]`. The end of the control channel ends it.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from asok.cli.dev.channel import Channel

__all__ = ["Zygote", "main", "preload"]

#: What a child needs before it imports the site; each saves its import at every restart.
_ALWAYS = (
    "asok",
    "asok.app",
    "asok.component",
    "asok.cli.dev.child",
    "starlette.applications",
    "jinja2.ext",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
)
#: Seconds for the children's own end; the supervisor waits longer for ours.
_PATIENCE = 3.0
_WITH_MODELS = ("asok.models", "sqlalchemy.orm", "sqlalchemy.dialects.sqlite")


def preload(root: Path) -> None:
    """Import what the site at `root` will need; what is not installed it doesn't need."""
    names: list[str] = list(_ALWAYS)
    if (root / "src" / "models").is_dir():
        names += _WITH_MODELS
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)
    # Objects made so far are never garbage: collections in a child leave their pages shared.
    gc.collect()
    gc.freeze()


class Zygote:
    """Forks children that serve on `listener`."""

    def __init__(self, listener: socket.socket, control: Channel, root: Path) -> None:
        self.listener = listener
        self.control = control
        self.root = root
        self.children: dict[int, int] = {}

    def run(self) -> None:
        """Do what the supervisor asks until it goes away; then end every child."""
        # Python runs the handler while it waits in `receive`, and goes on waiting (PEP 475).
        signal.signal(signal.SIGCHLD, self._on_end)
        while (received := self.control.receive()) is not None:
            name, generation = received
            if name == "start":
                self.start(generation, self.control.descriptor())
            elif name == "kill" and generation in self.children:
                os.kill(self.children[generation], signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Wait for the children, which end when their channels do; kill one that hangs."""
        for number, seconds in ((0, _PATIENCE), (signal.SIGTERM, 1.0), (signal.SIGKILL, 1.0)):
            for pid in list(self.children.values()):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            end = time.monotonic() + seconds
            while self.children and time.monotonic() < end:
                time.sleep(0.01)
                self.reap()

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self.reap()

    def reap(self) -> None:
        """Forget the children that have ended, so that none stays a zombie."""
        for generation, pid in list(self.children.items()):
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
            self.children.pop(generation, None)

    def start(self, generation: int, descriptor: int) -> None:
        """Fork the child of `generation`, whose channel is `descriptor`."""
        # One that ends at once must be known by its number before it is reaped.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid:
            self.children[generation] = pid
            os.close(descriptor)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            return
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        status = 1
        try:
            self.control.close()
            from asok.cli.dev.child import serve

            serve(self.root, self.listener, socket.socket(fileno=descriptor), generation)
            status = 0
        except KeyboardInterrupt:
            status = 130
        finally:
            # The zygote's own clean-up is not the child's to run.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def main(arguments: list[str]) -> None:
    """Run the zygote of `LISTENER CONTROL ROOT`."""
    listener, control, root = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    # The terminal's Ctrl-C is the supervisor's, which ends everything in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    preload(root)
    channel = Channel(socket.socket(fileno=control))
    Zygote(socket.socket(fileno=listener), channel, root).run()


if __name__ == "__main__":
    main(sys.argv[1:])
