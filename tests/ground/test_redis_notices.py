"""Notices over a real Redis: to other hosts, and around its absences."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import pytest
from tests.cache.proxy import proxied
from tests.services import wait_until

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


def test_a_channel_that_went_silent_counts_as_away(redis_url: str) -> None:
    missed = Heard()
    with proxied(redis_url) as proxy:
        host = RedisNotices(proxy.url, channel="test", retry=0.05, silence=1.5)
        host.subscribe(MISSED, missed)
        host.start()
        assert host.listening.wait(20)
        threading.Event().wait(2.0)
        assert host.listening.is_set(), "that nobody says anything is no silence"
        proxy.mode = "hang"
        wait_until(lambda: not host.listening.is_set(), what="noticing it")
        assert missed.messages == []
        proxy.mode = "pass"
        missed.wait()
        host.stop()


def test_who_could_not_tell_the_others_says_so_later(
    hosts: tuple[RedisNotices, RedisNotices], redis_url: str
) -> None:
    _, there = hosts
    missed = Heard()
    there.subscribe(MISSED, missed)
    with proxied(redis_url) as proxy:
        alone = RedisNotices(proxy.url, channel="test", timeout=0.2, retry=0.05)
        proxy.mode = "reset"
        alone.start()
        alone.publish("t", {})
        assert missed.messages == []
        proxy.mode = "pass"
        missed.wait()
        alone.stop()


def test_sites_in_two_databases_of_a_server_hear_nothing_of_each_other(redis_url: str) -> None:
    first, second = (RedisNotices(f"{redis_url[:-1]}{number}") for number in (0, 1))
    here, there = Heard(), Heard()
    for host, heard in ((first, here), (second, there)):
        host.subscribe("t", heard)
        host.start()
        assert host.listening.wait(20)
    RedisNotices(redis_url).publish("t", {"n": 1})
    RedisNotices(f"{redis_url[:-1]}1").publish("t", {"n": 2})
    here.wait()
    there.wait()
    first.stop()
    second.stop()
    assert (here.messages, there.messages) == ([{"n": 1}], [{"n": 2}])


def test_without_redis_this_process_hears_itself(caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()
    notices = RedisNotices("redis://127.0.0.1:9/0", timeout=0.1, retry=0.05)
    notices.subscribe("t", heard)
    notices.start()
    notices.publish("t", {"n": 1})
    notices.stop()

    assert heard.messages == [{"n": 1}]
    assert "reached this process alone" in caplog.text
