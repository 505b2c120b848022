"""Notices over a real Redis: to other hosts, and around its absences."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import pytest

from asok.notices import MISSED
from asok.redis_link.notices import RedisNotices


class Heard:
    """Collects what a topic brings."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.news = threading.Semaphore(0)

    def __call__(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.news.release()

    def wait(self) -> None:
        assert self.news.acquire(timeout=20)


@pytest.fixture
def hosts(redis_url: str) -> Generator[tuple[RedisNotices, RedisNotices]]:
    pair = (
        RedisNotices(redis_url, channel="test", retry=0.05),
        RedisNotices(redis_url, channel="test", retry=0.05),
    )
    for host in pair:
        host.start()
        host.start()
        assert host.listening.wait(20)
    yield pair
    for host in pair:
        host.stop()
        host.stop()


def test_every_host_hears_it_once(hosts: tuple[RedisNotices, RedisNotices]) -> None:
    here, there = hosts
    own, far = Heard(), Heard()
    here.subscribe("t", own)
    there.subscribe("t", far)
    here.publish("t", {"n": 1})
    far.wait()
    there.publish("t", {"n": 2})
    own.wait()
    own.wait()

    assert own.messages == [{"n": 1}, {"n": 2}]
    assert far.messages[0] == {"n": 1}


def test_what_is_no_notice_is_passed_over(
    hosts: tuple[RedisNotices, RedisNotices], redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    import redis

    here, there = hosts
    heard = Heard()
    there.subscribe("t", heard)
    client: Any = redis.Redis.from_url(redis_url)
    client.publish("test", "no notice")
    client.close()
    here.publish("t", {})
    heard.wait()

    assert "is not whole" in caplog.text


def test_after_an_absence_it_says_that_something_may_be_missing(
    hosts: tuple[RedisNotices, RedisNotices], redis_url: str
) -> None:
    import redis

    here, _ = hosts
    missed = Heard()
    here.subscribe(MISSED, missed)
    client: Any = redis.Redis.from_url(redis_url)
    client.client_kill_filter(_type="pubsub")
    client.close()
    missed.wait()

    assert here.listening.wait(20)


def test_without_redis_this_process_hears_itself(caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()
    notices = RedisNotices("redis://127.0.0.1:9/0", timeout=0.1, retry=0.05)
    notices.subscribe("t", heard)
    notices.start()
    notices.publish("t", {"n": 1})
    notices.stop()

    assert heard.messages == [{"n": 1}]
    assert "reached this process alone" in caplog.text
