"""Sizes as people write and read them: "100KB" is 102,400 bytes, 12,345 bytes are "12.3 kB"."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["parse_size", "shown_bytes"]

_SIZE: Final = re.compile(r"(\d{1,15})\s*([kmg]?)i?b?", re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """Return the bytes that `text` stands for ("10MB", "512KB", "2048"), None for no size."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]


def shown_bytes(size: int) -> str:
    """Return a number of bytes as people read it: "12.3 kB"."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.1f} kB"
    return f"{size / 1_000_000:.1f} MB"
