"""Compressed variants of a file, made once at build time; pure, so any thread may make them."""

from __future__ import annotations

import sys
import zlib
from typing import Any, Protocol, cast

from asok.assets.media import is_compressible

__all__ = ["SUFFIXES", "variants"]

#: The suffix of each coding's file beside the plain one; nginx finds them by the same names.
SUFFIXES = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}

_SMALLEST = 256  # below this the headers outweigh what is saved
_GZIP = 16 + zlib.MAX_WBITS
# Browsers refuse a window of more than 8 MiB (RFC 9659).
_WINDOW_LOG = 23
_ZSTD_LEVEL = 19


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


def _zstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    module: Any = zstd
    parameters = module.CompressionParameter
    options = {
        parameters.compression_level: _ZSTD_LEVEL,
        parameters.window_log: min(_WINDOW_LOG, max(10, (len(data) - 1).bit_length())),
    }
    return module.compress(data, options=options)


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
    forms = {"br": _brotli(data, media, quality), "gzip": _gzip(data), "zstd": _zstd(data)}
    return {coding: form for coding, form in forms.items() if len(form) * 20 <= len(data) * 19}
