"""The scripts of live components: their bytes, and the names that change with them."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path

__all__ = ["defer_bytes", "defer_name", "runtime_bytes", "runtime_name"]

_FILE = Path(__file__).with_name("alive.js")
_DEFER = Path(__file__).with_name("defer.js")


@cache
def runtime_bytes() -> bytes:
    """Return the script, as `client/` builds it (ES module, UTF-8)."""
    return _FILE.read_bytes()


@cache
def runtime_name() -> str:
    """Return the file name to serve it under: `alive-<digest>.js`, cacheable for ever."""
    return f"alive-{blake2b(runtime_bytes(), digest_size=6).hexdigest()}.js"


@cache
def defer_bytes() -> bytes:
    """Return the script of pages that defer components (ES module, UTF-8)."""
    return _DEFER.read_bytes()


@cache
def defer_name() -> str:
    """Return its file name: `defer-<digest>.js`, cacheable for ever."""
    return f"defer-{blake2b(defer_bytes(), digest_size=6).hexdigest()}.js"
