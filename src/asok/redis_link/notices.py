"""Notices between the processes of several hosts, through a channel of Redis."""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

import redis

from asok.errors import Unavailable
from asok.notices import MISSED, LocalNotices
from asok.redis_link.link import RedisLink

__all__ = ["RedisNotices"]

log = logging.getLogger("asok.notices")


class RedisNotices(LocalNotices):
    """Redis pub/sub on `channel`, one for each database of the server as a rule. While Redis is
    away, notices reach this process alone, and `MISSED` is delivered to everybody when it is back.

    `retry` is the seconds between two attempts. A channel that is silent for `silence` seconds,
    though it was asked, counts as away: a firewall forgets connections without a word.
    """

    def __init__(
        self,
        url: str,
        *,
        channel: str | None = None,
        timeout: float = 1.0,
        retry: float = 1.0,
        silence: float = 10.0,
    ) -> None:
        super().__init__()
        self._link = RedisLink(url, timeout=timeout, connections=4)
        self._url = url
        # To Redis a channel is one of all databases; two sites may share the server.
        number = self._link.client.connection_pool.connection_kwargs.get("db") or 0
        self._channel = f"asok:notices:{number}" if channel is None else channel
        self._retry = retry
        self._silence = silence
        #: Whether the others have yet to hear that they missed something.
        self._owing = False
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
        try:
            self._send(topic, message)
        except Unavailable as error:
            self._owing = True
            log.warning("a notice of %r reached this process alone: %s", topic, error)

    def _send(self, topic: str, message: dict[str, Any]) -> None:
        line = json.dumps([self._sender, topic, message], separators=(",", ":"))
        self._link.run(lambda client: client.publish(self._channel, line))

    def _settle(self) -> None:
        """Tell the others that they missed a notice of this process, once Redis is back."""
        if self._owing:
            self._owing = False
            try:
                self._send(MISSED, {})
            except Unavailable:
                self._owing = True

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
            heard = asked = monotonic()
            while not self._stopping.is_set():
                found, now = channel.get_message(timeout=0.2), monotonic()
                self._settle()
                if found is None:
                    if now - heard > self._silence:
                        raise redis.TimeoutError(f"nothing was heard for {self._silence:g} s")
                    if now - asked > self._silence / 4:
                        asked = now
                        channel.ping()
                    continue
                heard = now
                if found["type"] == "subscribe":
                    self.listening.set()
                    if again:
                        self.deliver(MISSED, {})
                elif found["type"] == "message":
                    self.take(found["data"], own=self._sender, source=self._channel)
