"""Live state in Redis, for workers on several machines.

A session is one hash of rows, next to a mark that it was dropped; the compare-and-set is one
script. The turn of a call is a key with a deadline that a thread prolongs while the call
runs: a killed holder loses it after `lease_seconds`. A holder that was only stopped and comes
back too late finds another revision and writes nothing (the revision is the fencing token).
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from asok.errors import ConfigurationError
from asok.live.store import DROPPED_SECONDS, Lease, Row

__all__ = ["RedisLiveStore"]

log = logging.getLogger("asok.live")

# KEYS: rows of the session, its mark. ARGV: cid, revision that is replaced, now, row, expiry,
# seconds. A row is [expires, revision, …]; an expired one counts as none.
_SAVE: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local found = redis.call('HGET', KEYS[1], ARGV[1])
local revision = '0'
if found then
  local expires, seen = string.match(found, '^%[([%d.e+]+),(%d+),')
  if tonumber(expires) > tonumber(ARGV[3]) then revision = seen end
end
if revision ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
"""

# KEYS: rows. ARGV: now, new expiry, milliseconds, cids…
_TOUCH: Final = """
for i = 4, #ARGV do
  local found = redis.call('HGET', KEYS[1], ARGV[i])
  if found then
    local expires, rest = string.match(found, '^%[([%d.e+]+)(,.*)$')
    if tonumber(expires) > tonumber(ARGV[1]) then
      redis.call('HSET', KEYS[1], ARGV[i], '[' .. ARGV[2] .. rest)
    end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

# KEYS: turn. ARGV: token, milliseconds (0: give it up). Only its holder may do either.
_TURN: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""


class RedisLiveStore:
    """Rows in the Redis at `url`. `seconds` is a row's life since its last use, `timeout` the
    longest wait for one answer. Raises `ConfigurationError` where redis-py is missing."""

    blocking = True
    shared = True

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "asok",
        seconds: float = 3600.0,
        lease_seconds: float = 10.0,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            import redis
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "live state is to be kept in Redis, but redis-py is not installed.",
                fix='Run pip install "asok[redis]".',
            ) from error
        connect: Any = vars(redis)["from_url"]  # untyped in redis-py
        self._client: Any = connect(url, socket_timeout=timeout, socket_connect_timeout=timeout)
        self._save: Any = self._client.register_script(_SAVE)
        self._touch: Any = self._client.register_script(_TOUCH)
        self._turn: Any = self._client.register_script(_TURN)
        self._prefix = prefix
        self._seconds = seconds
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}
        self._keeper: threading.Thread | None = None
        self._wake = threading.Event()

    def _keys(self, owner: str) -> list[str]:
        # The braces keep a session's keys in one slot of a cluster.
        return [f"{self._prefix}:live:{{{owner}}}", f"{self._prefix}:live:{{{owner}}}:dropped"]

    def load(self, owner: str, cid: str) -> Row | None:
        found = self._client.hget(self._keys(owner)[0], cid)
        if found is None:
            return None
        expires, revision, version, schema, props, tabs, state = json.loads(found)
        if expires <= self._clock():
            return None
        seen = {tab: (started, done) for tab, (started, done) in tabs.items()}
        return Row(state.encode(), version, schema, props, revision, seen)

    def save(self, owner: str, cid: str, row: Row, *, replaces: int) -> bool:
        now = self._clock()
        value = json.dumps(
            [
                round(now + self._seconds, 3),
                row.revision,
                row.version,
                row.schema,
                row.props,
                dict(row.tabs),
                row.state.decode(),
            ],
            separators=(",", ":"),
        )
        life = int(self._seconds * 1000)
        return bool(
            self._save(keys=self._keys(owner), args=[cid, replaces, repr(now), value, life])
        )

    def touch(self, owner: str, cids: Iterable[str]) -> None:
        now = self._clock()
        expires, life = round(now + self._seconds, 3), int(self._seconds * 1000)
        self._touch(keys=self._keys(owner)[:1], args=[repr(now), expires, life, *cids])

    def drop(self, owner: str) -> None:
        rows, mark = self._keys(owner)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.delete(rows)
            pipeline.set(mark, "1", px=int(DROPPED_SECONDS * 1000))
            pipeline.execute()

    def move(self, owner: str, successor: str) -> None:
        rows, mark = self._keys(owner)
        # First the mark: from here on nobody writes rows that would be left behind. Keys of two
        # sessions may be on two servers of a cluster, so this is no transaction.
        self._client.set(mark, "1", px=int(DROPPED_SECONDS * 1000))
        found = self._client.hgetall(rows)
        if found:
            kept = self._keys(successor)[0]
            self._client.hset(kept, mapping=found)
            self._client.pexpire(kept, int(self._seconds * 1000))
        self._client.delete(rows)

    def ended(self, owner: str) -> bool:
        return bool(self._client.exists(self._keys(owner)[1]))

    def acquire(self, owner: str, cid: str) -> Lease | None:
        key = f"{self._keys(owner)[0]}:turn:{cid}"
        token = secrets.token_hex(8)
        life = int(self._lease_seconds * 1000)
        if not self._client.set(key, token, nx=True, px=life):
            return None
        with self._lock:
            self._held[key] = token
            if self._keeper is None or not self._keeper.is_alive():
                self._wake = threading.Event()
                self._keeper = threading.Thread(
                    target=self._keep, name="asok-live-turns", daemon=True
                )
                self._keeper.start()
        return _Turn(self, key, token)

    def release(self, key: str, token: str) -> None:
        """Give up a turn; nothing where it was lost meanwhile."""
        with self._lock:
            if self._held.get(key) != token:
                return
            del self._held[key]
        self._turn(keys=[key], args=[token, 0])

    def _keep(self) -> None:
        """Prolong the turns that are held, three times within their life."""
        life, wake = int(self._lease_seconds * 1000), self._wake
        while not wake.wait(self._lease_seconds / 3):
            with self._lock:
                held = list(self._held.items())
            for key, token in held:
                try:
                    self._turn(keys=[key], args=[token, life])
                except Exception:
                    # Redis is away: the turn may be lost, which its next write will find out.
                    log.warning("the turn of %s could not be prolonged", key, exc_info=True)

    def close(self) -> None:
        self._wake.set()
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.join()
        self._client.close()


class _Turn:
    """A turn in Redis."""

    __slots__ = ("_key", "_store", "_token")

    def __init__(self, store: RedisLiveStore, key: str, token: str) -> None:
        self._store = store
        self._key = key
        self._token = token

    def release(self) -> None:
        self._store.release(self._key, self._token)
