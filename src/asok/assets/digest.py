"""Digests of contents: in file names, in entity tags, in `integrity`, and over a whole tree."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from os.path import splitext

__all__ = [
    "DIGEST_LENGTH",
    "content_digest",
    "hashed_name",
    "integrity",
    "plain_name",
    "tree_token",
]

#: Hexadecimal digits in a hashed name. 48 bits tell the versions of one file apart; nothing
#: secret depends on them.
DIGEST_LENGTH = 12

_HASHED = re.compile(rf"-[0-9a-f]{{{DIGEST_LENGTH}}}(?=(?:\.[^./]*)?$)")


def content_digest(data: bytes) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH]


def hashed_name(name: str, digest: str) -> str:
    """Return `css/base-<digest>.css` for `css/base.css`."""
    stem, suffix = splitext(name)
    return f"{stem}-{digest}{suffix}"


def plain_name(name: str) -> str | None:
    """Return the logical name that a hashed one was made from, None where it isn't hashed."""
    plain, found = _HASHED.subn("", name)
    return plain if found else None


def integrity(data: bytes) -> str:
    """Return the value of an `integrity` attribute (Subresource Integrity, SHA-384)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode("ascii")


def tree_token(digests: Mapping[str, str]) -> str:
    """Return one token for a whole tree of `name -> digest`, whatever the mapping's order."""
    whole = hashlib.sha256()
    for name in sorted(digests):
        # A name holds no NUL, so no two trees write the same bytes.
        whole.update(f"{name}\0{digests[name]}\0".encode())
    # A letter first: two tokens of digits alone would be compared as numbers (`Breaker`).
    return f"r{whole.hexdigest()[:DIGEST_LENGTH]}"
