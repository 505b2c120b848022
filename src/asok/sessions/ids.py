"""Session ids: 256 random bits and a signature, so that only ids made here are accepted.

An id names a visitor from the first moment that one is needed, before anything is stored
for it; forms, live components and the session that may come later share it. It is replaced
at login and logout.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache, partial

from asok.signing import Keys

__all__ = ["SessionIds"]

_RANDOM = 43
_SIGNATURE = 22
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class SessionIds:
    """Makes ids of 65 base64url characters and recognises them."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys.derive_all("session.id")
        # A visitor sends the same id with every request.
        self._known = lru_cache(maxsize=4096)(partial(_signed, self._keys))

    def new(self) -> str:
        """Return a new id: 43 random characters and 22 of signature."""
        random = secrets.token_urlsafe(32)
        return random + _signature(self._keys[0], random)

    def valid(self, text: str) -> bool:
        """Whether `text` is an id that was made here, with a key that is in use."""
        if len(text) != _RANDOM + _SIGNATURE or not _CHARACTERS.issuperset(text):
            return False
        return self._known(text)


def _signature(key: bytes, random: str) -> str:
    digest = hmac.digest(key, random.encode("ascii"), "sha256")
    return urlsafe_b64encode(digest[:16]).decode("ascii")[:_SIGNATURE]


def _signed(keys: Sequence[bytes], text: str) -> bool:
    random, given = text[:_RANDOM], text[_RANDOM:]
    return any(hmac.compare_digest(_signature(key, random), given) for key in keys)
