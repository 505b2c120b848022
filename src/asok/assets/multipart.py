"""Several slices of one file as one body: multipart/byteranges (RFC 9110, section 14.6)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from asok.assets.files import FileParts, FileSlice

__all__ = ["multipart", "part_of"]


def part_of(body: bytes | FileSlice, start: int, length: int) -> bytes | FileSlice:
    """Return `length` bytes of `body` from `start`."""
    if isinstance(body, FileSlice):
        return body.part(start, length)
    return body[start : start + length]


def multipart(
    body: bytes | FileSlice, size: int, media: str, slices: Sequence[tuple[int, int]]
) -> tuple[str, bytes | FileParts]:
    """Return the media type and the bytes of `slices`, pairs of start and length, of `body`.

    `size` and `media` are those of all of it. The boundary is random: no file can hold it.
    """
    boundary = secrets.token_hex(12)
    # Each line break before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {media}\r\n"
        f"Content-Range: bytes {start}-{start + length - 1}/{size}\r\n\r\n".encode()
        for start, length in slices
    ]
    heads[0] = heads[0].lstrip(b"\r\n")
    end = f"\r\n--{boundary}--\r\n".encode()
    told = f"multipart/byteranges; boundary={boundary}"
    if isinstance(body, FileSlice):
        files = (body.part(start, length) for start, length in slices)
        return told, FileParts(tuple(zip(heads, files, strict=True)), end)
    pieces = (body[start : start + length] for start, length in slices)
    both = (head + piece for head, piece in zip(heads, pieces, strict=True))
    return told, b"".join((*both, end))
