"""The way to a Redis server: its deadline, its breaker and the leases that it renews."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from asok.errors import Unavailable
from asok.redis_link.breaker import Breaker
from asok.redis_link.deadline import Deadline
from asok.redis_link.lease import RedisLease, Renewer
from asok.testing.stores.asking import eventually, together


def test_the_breaker_tries_in_the_background() -> None:
    hang, well = threading.Event(), threading.Event()

    def probe() -> None:
        assert hang.wait(30)
        if not well.is_set():
            raise Unavailable("still down")

    breaker = Breaker("the server", probe, pause=0)
    breaker.check()
    breaker.trip("it fell over")
    for _ in range(3):  # a probe hangs, and nobody waits for it
        with pytest.raises(Unavailable, match="it fell over"):
            breaker.check()
    hang.set()
    breaker.wait()
    assert breaker.open
    well.set()
    with pytest.raises(Unavailable, match="still down"):
        breaker.check()
    breaker.wait()
    assert not breaker.open
    breaker.check()
    breaker.renew()
    breaker.wait()


def test_the_deadline_belongs_to_its_thread() -> None:
    deadline = Deadline(5.0)
    assert deadline.left() == 5.0
    deadline.begin()
    deadline.end -= 10
    assert deadline.left() == 0.001
    assert together(1, deadline.left) == [5.0]
    deadline.finish()
    assert deadline.left() == 5.0


def test_leases_are_renewed_until_they_end() -> None:
    renewed: list[RedisLease] = []
    answers = {b"a": True, b"b": False}

    def extend(lease: RedisLease) -> bool:
        renewed.append(lease)
        return answers[lease.name]

    released: list[Any] = []
    renewer = Renewer(extend, interval=0.01)
    kept = RedisLease(b"a", "1", renewer, released.append)
    lost = RedisLease(b"b", "2", renewer, released.append)
    renewer.add(kept)
    renewer.add(lost)
    eventually(lambda: renewed.count(kept) >= 3, what="the renewal")
    assert renewed.count(lost) == 1
    kept.release()
    kept.release()
    assert released == [kept]
    eventually(lambda: renewer._thread is None, what="the end of the thread")  # pyright: ignore[reportPrivateUsage]
    renewer.add(kept)
    renewer.stop()
    renewer.stop()
