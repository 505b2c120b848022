"""Small messages to every worker of the site: something was invalidated, revoked, broadcast.

The port is `Notices`. `FileNotices` serves the workers of one machine: an append-only file,
one JSON line a notice, read by each worker every `interval` seconds from where it stopped.
Across machines a Redis channel does the same behind the same port.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

__all__ = ["FileNotices", "LocalNotices", "Notices", "Subscriber"]

log = logging.getLogger("asok.notices")

Subscriber = Callable[[dict[str, Any]], None]


class Notices(Protocol):
    """Delivers each notice to every subscriber of its topic, in every worker, at least once."""

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send `message` (JSON types) to the subscribers of `topic`; in this process at once."""
        ...

    def subscribe(self, topic: str, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber(message)` for every notice; returns the call that ends it."""
        ...

    def start(self) -> None:
        """Begin to receive what other processes publish."""
        ...

    def stop(self) -> None:
        """Stop receiving; idempotent."""
        ...


class LocalNotices:
    """Notices inside one process."""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Subscriber]] = {}
        self._lock = threading.Lock()

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        self.deliver(topic, message)

    def deliver(self, topic: str, message: dict[str, Any]) -> None:
        """Call this process's subscribers; one that fails is logged and the others go on."""
        with self._lock:
            subscribers = tuple(self._subscribers.get(topic, ()))
        for subscriber in subscribers:
            try:
                subscriber(message)
            except Exception:
                log.exception("a subscriber of %r failed on %r", topic, message)

    def subscribe(self, topic: str, subscriber: Subscriber) -> Callable[[], None]:
        with self._lock:
            self._subscribers.setdefault(topic, []).append(subscriber)

        def end() -> None:
            with self._lock, suppress(ValueError):
                self._subscribers[topic].remove(subscriber)

        return end

    def start(self) -> None:
        """Nothing to do: a process hears itself."""

    def stop(self) -> None:
        """Nothing to do."""


class FileNotices(LocalNotices):
    """Notices between the processes of one machine, through an append-only file.

    A line is written by one `write` call in append mode, which POSIX keeps whole for the
    short lines used here. A reader that finds the file shorter than its position (it was
    truncated after `limit` bytes) starts again at its beginning.
    """

    def __init__(self, path: Path, *, interval: float = 0.5, limit: int = 4 * 1024 * 1024) -> None:
        super().__init__()
        self.path = path
        self.interval = interval
        self.limit = limit
        self._position = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        self.deliver(topic, message)
        line = json.dumps([os.getpid(), topic, message], separators=(",", ":")) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        handle = os.open(self.path, flags, 0o600)
        try:
            if os.fstat(handle).st_size > self.limit:
                os.ftruncate(handle, 0)
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def start(self) -> None:
        if self._thread is not None:
            return
        with suppress(FileNotFoundError):
            self._position = self.path.stat().st_size
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="asok-notices", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self.interval):
            try:
                self.poll()
            except OSError:
                log.exception("the notices in %s can't be read", self.path)

    def poll(self) -> None:
        """Deliver what other processes have written since the last call."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            self._position = 0
            return
        if size < self._position:
            self._position = 0
        if size == self._position:
            return
        with self.path.open("rb") as file:
            file.seek(self._position)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.splitlines():
            try:
                sender, topic, message = json.loads(line)
            except ValueError:
                log.warning("a notice in %s is not whole and was passed over", self.path)
                continue
            if sender != os.getpid():
                self.deliver(topic, message)
