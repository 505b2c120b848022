"""Compressed variants of a file, made once at build time; pure, so any thread may make them."""

from __future__ import annotations

import zlib
from typing import Protocol, cast

from asok.assets.media import is_compressible

__all__ = ["SUFFIXES", "variants"]

#: The suffix of each coding's file beside the plain one; nginx finds them by the same names.
SUFFIXES = {"br": ".br", "gzip": ".gz"}

_SMALLEST = 256  # below this the headers outweigh what is saved
_GZIP = 16 + zlib.MAX_WBITS


class _Brotli(Protocol):
    """What is used of the brotli module, which has no types of its own."""

    MODE_GENERIC: int
    MODE_TEXT: int

    def compress(self, string: bytes, mode: int, quality: int) -> bytes: ...


def _brotli(data: bytes, media: str, quality: int) -> bytes:
    import brotli  # pyright: ignore[reportMissingTypeStubs] # needed by a build alone

    module = cast("_Brotli", brotli)
    mode = module.MODE_TEXT if media.startswith("text/") else module.MODE_GENERIC
    return module.compress(data, mode=mode, quality=quality)


def _gzip(data: bytes) -> bytes:
    # zlib's own gzip header holds no time and no name, so the bytes repeat.
    squeeze = zlib.compressobj(9, zlib.DEFLATED, _GZIP, 9)
    return squeeze.compress(data) + squeeze.flush()


def variants(data: bytes, media: str, *, quality: int = 11) -> dict[str, bytes]:
    """Return the compressed forms of `data` by content coding that are worth keeping.

    `quality` is brotli's, 0 to 11. A form that saves less than a twentieth is left out.
    """
    if len(data) < _SMALLEST or not is_compressible(media):
        return {}
    forms = {"br": _brotli(data, media, quality), "gzip": _gzip(data)}
    return {coding: form for coding, form in forms.items() if len(form) * 20 <= len(data) * 19}
