"""The Alive runtime's file: its bytes, and the name that changes with them."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path

__all__ = ["runtime_bytes", "runtime_name"]

_FILE = Path(__file__).with_name("alive.js")


@cache
def runtime_bytes() -> bytes:
    """Return the script, as `client/` builds it (ES module, UTF-8)."""
    return _FILE.read_bytes()


@cache
def runtime_name() -> str:
    """Return the file name to serve it under: `alive-<digest>.js`, cacheable for ever."""
    return f"alive-{blake2b(runtime_bytes(), digest_size=6).hexdigest()}.js"
