"""The leases that a process holds in a Redis server: taken in one step, renewed, given back."""

from __future__ import annotations

import secrets
from contextlib import suppress

from asok.errors import Unavailable
from asok.forked import renew_in_children
from asok.redis_link.lease import RedisLease, Renewer
from asok.redis_link.link import RedisLink

__all__ = ["RedisLeases"]

#: lease | token, time: hold it longer where it is still held.
_EXTEND = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

#: lease | token
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLeases:
    """Leases on the server of `link`; a killed holder's end within `LEASE_SECONDS`."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._extend_script = link.script(_EXTEND)
        self._release_script = link.script(_RELEASE)
        self.renewer = Renewer(self._extend)
        renew_in_children(self)

    def renew(self) -> None:
        """After a fork: the leases are the parent's."""
        self.renewer.renew()

    def acquire(self, name: bytes) -> RedisLease | None:
        """Take the lease of the key `name`; None where it is taken. Raises `Unavailable`."""
        made = RedisLease(name, secrets.token_hex(16), self.renewer, self._release)
        limit = int(made.seconds * 1000)
        if not self._link.run(lambda client: client.set(name, made.token, px=limit, nx=True)):
            return None
        self.renewer.add(made)
        return made

    def _extend(self, lease: RedisLease) -> bool:
        keys, args = [lease.name], [lease.token, int(lease.seconds * 1000)]
        with suppress(Unavailable):
            return bool(
                self._link.run(
                    lambda client: self._extend_script(keys=keys, args=args, client=client)
                )
            )
        return True  # not known: try again

    def _release(self, lease: RedisLease) -> None:
        keys, args = [lease.name], [lease.token]
        with suppress(Unavailable):  # it ends by itself soon
            self._link.run(lambda client: self._release_script(keys=keys, args=args, client=client))

    def stop(self) -> None:
        """Renew none any more."""
        self.renewer.stop()
