"""The right to make one thing that Redis holds: a token with an end, renewed while it lasts.

A killed holder renews nothing, so another takes over after at most `seconds`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

__all__ = ["LEASE_SECONDS", "RedisLease", "Renewer"]

LEASE_SECONDS: Final = 3.0


class RedisLease:
    """A held lease: `name` of its key in Redis, and the `token` in it that says who."""

    def __init__(
        self, name: bytes, token: str, renewer: Renewer, release: Callable[[RedisLease], None]
    ) -> None:
        self.name = name
        self.token = token
        self.seconds = LEASE_SECONDS
        self._renewer = renewer
        self._release = release
        self._ended = False

    def end(self) -> str:
        """Stop renewing, for a commit that ends the lease itself; returns the token."""
        self._ended = True
        self._renewer.remove(self)
        return self.token

    def release(self) -> None:
        if not self._ended:
            self.end()
            self._release(self)


class Renewer:
    """Renews the leases of a process from one thread, which runs while there are any.

    `extend(lease)` returns False where the lease is lost; it is left alone then.
    """

    def __init__(
        self, extend: Callable[[RedisLease], bool], *, interval: float = LEASE_SECONDS / 3
    ) -> None:
        self.interval = interval
        self._extend = extend
        self._leases: set[RedisLease] = set()
        self.renew()

    def renew(self) -> None:
        """After a fork: the leases and the thread are the parent's."""
        self._leases.clear()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, lease: RedisLease) -> None:
        """Renew a lease from now on."""
        with self._lock:
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="asok-redis-leases", daemon=True
                )
                self._thread.start()

    def remove(self, lease: RedisLease) -> None:
        """Renew it no more."""
        with self._lock:
            self._leases.discard(lease)

    def stop(self) -> None:
        """Renew none any more, and wait for the thread."""
        with self._lock:
            self._leases.clear()
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait(self.interval)
            with self._lock:
                self._wake.clear()
                leases = list(self._leases)
                if not leases:
                    # Under the lock: whoever adds one from now on starts a new thread.
                    self._thread = None
                    return
            for lease in leases:
                if not self._extend(lease):
                    self.remove(lease)
