"""Sessions in Redis, shared by several machines: one hash a session, one field a key.

Merging is one Lua script, so that a session which was deleted meanwhile is not revived.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from asok.errors import ConfigurationError
from asok.sessions.store import StoredSession, expiry

__all__ = ["RedisSessionStore"]

_CREATED = "\x00created"

_MERGE = """
local created = redis.call('HGET', KEYS[1], ARGV[1])
if not created then return 0 end
local ends = math.min(tonumber(ARGV[2]) + tonumber(ARGV[3]), tonumber(created) + tonumber(ARGV[4]))
local removed = tonumber(ARGV[5])
for i = 6, 5 + removed do redis.call('HDEL', KEYS[1], ARGV[i]) end
for i = 6 + removed, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIREAT', KEYS[1], math.floor(ends * 1000))
return 1
"""


class RedisSessionStore:
    """Sessions at `url`, with keys that begin with `prefix`.

    Raises `ConfigurationError` where the package is not installed, and redis-py's errors
    where the server does not answer within `timeout` seconds: a session is no cache, and
    losing one silently would log a visitor out.
    """

    blocking = True

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "asok:session:",
        idle: float = 86_400,
        absolute: float = 30 * 86_400,
        timeout: float = 5.0,
    ) -> None:
        try:
            import redis
        except ImportError as error:
            raise ConfigurationError(
                "SESSION_BACKEND=redis needs the package redis, which is not installed.",
                fix='Install it: pip install "asok[redis]"',
            ) from error
        self.idle = idle
        self._absolute = absolute
        self._prefix = prefix
        client: Any = redis.Redis
        self._redis: Any = client.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, decode_responses=True
        )
        self._merge = self._redis.register_script(_MERGE)

    def load(self, session_id: str) -> StoredSession | None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(self._prefix + session_id)
            pipe.pexpiretime(self._prefix + session_id)
            fields, ends = pipe.execute()
        created = fields.pop(_CREATED, None)
        if created is None:
            return None
        data = {key: json.loads(value) for key, value in fields.items()}
        return StoredSession(data, float(created), ends / 1000)

    def create(self, session_id: str, data: Mapping[str, Any]) -> None:
        now = time.time()
        ends = expiry(now, now, idle=self.idle, absolute=self._absolute)
        fields = {key: json.dumps(value) for key, value in data.items()}
        key = self._prefix + session_id
        with self._redis.pipeline(transaction=True) as pipe:
            # Two first requests of a visitor: the second must not undo what the first wrote.
            pipe.hsetnx(key, _CREATED, repr(now))
            if fields:
                pipe.hset(key, mapping=fields)
            pipe.pexpireat(key, int(ends * 1000))
            pipe.execute()

    def merge(self, session_id: str, changed: Mapping[str, Any], removed: Collection[str]) -> bool:
        pairs: list[Any] = []
        for key, value in changed.items():
            pairs += [key, json.dumps(value)]
        arguments = [_CREATED, time.time(), self.idle, self._absolute, len(removed)]
        found = self._merge(keys=[self._prefix + session_id], args=[*arguments, *removed, *pairs])
        return bool(found)

    def delete(self, session_id: str) -> None:
        self._redis.delete(self._prefix + session_id)

    def close(self) -> None:
        self._redis.close()
