"""Notices between the processes of several hosts, through a channel of Redis."""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
from contextlib import suppress
from typing import Any

import redis

from asok.errors import Unavailable
from asok.notices import MISSED, LocalNotices
from asok.redis_link.link import RedisLink

__all__ = ["RedisNotices"]

log = logging.getLogger("asok.notices")


class RedisNotices(LocalNotices):
    """Redis pub/sub on `channel`. While Redis is away, notices reach this process alone, and
    `MISSED` is delivered when it is back; `retry` is the seconds between two attempts.
    """

    def __init__(
        self, url: str, *, channel: str = "asok:notices", timeout: float = 1.0, retry: float = 1.0
    ) -> None:
        super().__init__()
        self._link = RedisLink(url, timeout=timeout, connections=4)
        self._url = url
        self._channel = channel
        self._retry = retry
        self._token = secrets.token_hex(6)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        #: Set while the channel is listened to.
        self.listening = threading.Event()

    @property
    def _sender(self) -> str:
        return f"{self._token}.{os.getpid()}"  # forked workers are apart

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        self.deliver(topic, message)
        line = json.dumps([self._sender, topic, message], separators=(",", ":"))
        try:
            self._link.run(lambda client: client.publish(self._channel, line))
        except Unavailable as error:
            log.warning("a notice of %r reached this process alone: %s", topic, error)

    def start(self) -> None:
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="asok-notices", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()
        self._link.close()

    def _run(self) -> None:
        again = False
        connect: Any = vars(redis)["from_url"]  # untyped in redis-py
        while not self._stopping.is_set():
            client = connect(self._url, socket_connect_timeout=self._retry)
            try:
                self._listen(client, again=again)
            except (redis.RedisError, OSError) as error:
                log.warning("the notices of %s can't be heard: %s", self._link.name, error)
                again = True
                self._stopping.wait(self._retry)
            finally:
                self.listening.clear()
                with suppress(redis.RedisError, OSError):
                    client.close()

    def _listen(self, client: Any, *, again: bool) -> None:
        with client.pubsub(ignore_subscribe_messages=False) as channel:
            channel.subscribe(self._channel)
            while not self._stopping.is_set():
                found = channel.get_message(timeout=0.2)
                if found is None:
                    continue
                if found["type"] == "subscribe":
                    self.listening.set()
                    if again:
                        self.deliver(MISSED, {})
                elif found["type"] == "message":
                    self.take(found["data"], own=self._sender, source=self._channel)
