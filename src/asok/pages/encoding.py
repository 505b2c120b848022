"""Which content coding a client gets, and whether it has the page already."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

__all__ = ["choose_coding", "has_current", "is_compressible"]

#: Best first, where the client likes several equally.
_PREFERENCE: Final = ("br", "zstd", "gzip")
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_COMPRESSIBLE: Final = re.compile(r"text/|application/(?:[\w.-]+\+)?(?:json|xml)|image/svg\+xml")


def is_compressible(content_type: str) -> bool:
    """Whether a body of this media type gets smaller by compression."""
    return _COMPRESSIBLE.match(content_type.lower()) is not None


@lru_cache(maxsize=256)
def _accepted(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        coding, _, parameters = part.partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        if coding.strip():
            weights[coding.strip()] = weight
    return weights


def choose_coding(accept_encoding: str, available: Collection[str]) -> str:
    """Return the coding to send of those `available`, "" for none (RFC 9110, 12.5.3)."""
    if not accept_encoding or len(available) < 2 or len(accept_encoding) > 256:
        return ""
    weights = _accepted(accept_encoding)
    best, weight = "", 0.0
    for coding in _PREFERENCE:
        if coding in available:
            given = weights.get(coding, weights.get("*", 0.0))
            if given > weight:
                best, weight = coding, given
    return best


def has_current(if_none_match: str | None, etag: str | None) -> bool:
    """Whether a request's `If-None-Match` names `etag`: answer 304 (RFC 9110, 13.1.2)."""
    if not if_none_match or etag is None:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return opaque in if_none_match and opaque in _TAG.findall(if_none_match)
