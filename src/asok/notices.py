"""Small messages to every worker of the site: something was invalidated, revoked, broadcast.

The port is `Notices`. `FileNotices` serves the workers of one machine: an append-only file,
one JSON line a notice, read by each worker every `interval` seconds from where it stopped.
Across machines a Redis channel does the same behind the same port.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

__all__ = ["MISSED", "FileNotices", "LocalNotices", "Notices", "Subscriber"]

log = logging.getLogger("asok.notices")

Subscriber = Callable[[dict[str, Any]], None]

#: Delivered where a channel was away: what was published meanwhile is not known.
MISSED: Final = "notices.missed"


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

    def catch_up(self) -> None:
        """Deliver now what others published, before something is made of what they changed."""
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

    def take(self, line: bytes, *, own: object, source: object) -> None:
        """Deliver what another process wrote: a JSON list of sender, topic and message.

        What the sender `own` wrote was delivered at once; `source` names the place in the log.
        What is not whole (a full disk cut it) may have been anything: that is `MISSED`.
        """
        try:
            sender, topic, message = json.loads(line)
        except (ValueError, TypeError):
            log.warning("a notice in %s is not whole and was passed over", source)
            self.deliver(MISSED, {})
            return
        if sender != own:
            self.deliver(topic, message)

    def subscribe(self, topic: str, subscriber: Subscriber) -> Callable[[], None]:
        with self._lock:
            self._subscribers.setdefault(topic, []).append(subscriber)

        def end() -> None:
            with self._lock, suppress(ValueError):
                self._subscribers[topic].remove(subscriber)

        return end

    def start(self) -> None:
        """Nothing to do: a process hears itself."""

    def catch_up(self) -> None:
        """Nothing to do: what arrives is delivered at once."""

    def stop(self) -> None:
        """Nothing to do."""


class FileNotices(LocalNotices):
    """Notices between the processes of one machine, through an append-only file.

    A writer holds the file's lock for its one short write, and begins a new file beyond
    `limit` bytes. A reader keeps the file that it reads open, so that it finishes the old
    one before it goes on with the new one: nothing is lost at the change. What the disk refused
    is made up for by `MISSED`, as soon as it takes that.
    """

    def __init__(self, path: Path, *, interval: float = 0.5, limit: int = 4 * 1024 * 1024) -> None:
        super().__init__()
        self.path = path
        self.interval = interval
        self.limit = limit
        self._file: BinaryIO | None = None
        self._rest = b""
        #: With the process's number: containers that share a folder number theirs alike.
        self._token = secrets.token_hex(6)
        #: Whether the others have yet to hear that they missed something.
        self._owing = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._reading = threading.RLock()
        self._polling = False

    @property
    def _sender(self) -> str:
        return f"{self._token}.{os.getpid()}"  # forked workers are apart

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        self.deliver(topic, message)
        try:
            self._send(topic, message)
        except OSError:
            self._owing = True
            raise

    def _send(self, topic: str, message: dict[str, Any]) -> None:
        # It begins a line of its own: one that a full disk cut must not swallow it.
        line = "\n" + json.dumps([self._sender, topic, message], separators=(",", ":")) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        while not self._append(line.encode()):
            pass  # another writer began a new file between our open and our lock

    def _settle(self) -> None:
        """Tell the others that they missed a notice of this process, once the disk takes it."""
        if self._owing:
            self._owing = False
            try:
                self._send(MISSED, {})
            except OSError:
                self._owing = True

    def _append(self, line: bytes) -> bool:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            status = os.fstat(handle)
            if not self._is_current(status):
                return False
            if os.write(handle, line) < len(line):
                raise OSError(errno.ENOSPC, "only a part could be written", str(self.path))
            if status.st_size > self.limit:
                os.unlink(self.path)
            return True
        finally:
            os.close(handle)

    def _is_current(self, status: os.stat_result) -> bool:
        try:
            return os.path.samestat(self.path.stat(), status)
        except FileNotFoundError:
            return False

    def start(self) -> None:
        if self._thread is not None:
            return
        self._open_current()
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="asok-notices", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()
        with self._reading:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _run(self) -> None:
        while not self._stopping.wait(self.interval):
            self._settle()
            self.catch_up()

    def catch_up(self) -> None:
        if self._thread is None:
            return  # nobody is told of what was before the start
        try:
            self.poll()
        except OSError:
            log.exception("the notices in %s can't be read", self.path)

    def _open_current(self) -> None:
        with suppress(FileNotFoundError):
            self._file = self.path.open("rb")
            self._rest = b""

    def poll(self) -> None:
        """Deliver what other processes have written since the last call."""
        with self._reading:
            if self._polling:
                return  # a subscriber asks, who is being told
            self._polling = True
            try:
                self._poll()
            finally:
                self._polling = False

    def _poll(self) -> None:
        if self._file is None:
            self._open_current()
        while self._file is not None:
            # Asked before reading: what is written to a file before it is given up is read.
            current = self._is_current(os.fstat(self._file.fileno()))
            *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
            for line in filter(None, lines):
                self.take(line, own=self._sender, source=self.path)
            if current:
                return
            self._file.close()
            self._file = None
            self._open_current()
