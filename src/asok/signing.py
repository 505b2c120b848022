"""Signed values: one key list, one salt per purpose, keys ordered oldest to newest.

Built on itsdangerous (HMAC-SHA256, key derivation by purpose), so that a value signed
for one purpose is never accepted for another, and so that a new key can be added before
the old one is taken away.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.exc import BadData

from asok import errors

__all__ = ["Keys", "PurposeSigner"]


class PurposeSigner:
    """Signs bytes for one purpose. Made by `Keys.purpose`."""

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        self.purpose = purpose
        self._signer = TimestampSigner(
            list(keys),
            salt=f"asok.{purpose}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )

    def sign(self, payload: bytes) -> str:
        """Return `payload` as URL-safe text with a time stamp and a signature."""
        return self._signer.sign(base64_encode(payload)).decode("ascii")

    def unsign(self, token: str, *, max_age: float | None = None) -> bytes:
        """Return the payload of a token made by `sign` for the same purpose.

        `max_age` is in seconds. Raises `SignatureExpired` for a genuine but older token
        and `SignatureError` for anything else that is not whole.
        """
        limit = None if max_age is None else int(max_age)
        try:
            signed = token.encode("ascii")
            return base64_decode(self._signer.unsign(signed, max_age=limit))
        except SignatureExpired as error:
            raise errors.SignatureExpired(
                f"a signed value for {self.purpose!r} is older than {limit} seconds"
            ) from error
        except (BadSignature, BadData, UnicodeEncodeError) as error:
            raise errors.SignatureError(
                f"a signed value for {self.purpose!r} was changed, cut, signed for another "
                "purpose, or signed by a key that is no longer in use"
            ) from error


class Keys:
    """The application's secret keys, oldest to newest: the last one signs, all of them verify.

    Raises `ConfigurationError` for an empty list or an empty key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or not all(keys):
            raise errors.ConfigurationError(
                "got no secret key, expected at least one that is not empty.",
                fix="Set SECRET_KEY to a random text of at least 32 characters.",
            )
        self._keys = tuple(keys)
        self.purpose = lru_cache(maxsize=64)(self._purpose)

    def _purpose(self, purpose: str) -> PurposeSigner:
        return PurposeSigner(self._keys, purpose)

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes derived from the newest key for `purpose` (HMAC-SHA256)."""
        return hmac.digest(self._keys[-1].encode(), f"asok.{purpose}".encode(), "sha256")

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """Return `derive`'s value for every key, newest first: for verifying."""
        return tuple(
            hmac.digest(key.encode(), f"asok.{purpose}".encode(), "sha256")
            for key in reversed(self._keys)
        )
