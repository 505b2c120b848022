"""The scripts of live components: their bytes, and the names that change with them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

__all__ = [
    "SCRIPTS",
    "defer_bytes",
    "defer_name",
    "runtime_bytes",
    "runtime_name",
    "script_bytes",
    "script_name",
]

#: The runtime; what it imports when a page needs it (`more`, `post` where no WebSocket gets
#: through, `upload` for files); and the scripts of pages that defer components or let them wait
#: (`later`).
SCRIPTS: Final = ("alive", "more", "post", "upload", "defer", "later")

_FOLDER = Path(__file__).parent


@cache
def script_bytes(script: str) -> bytes:
    """Return one of `SCRIPTS`, as `client/` builds it (ES module, UTF-8)."""
    return (_FOLDER / f"{script}.js").read_bytes()


@cache
def script_name(script: str) -> str:
    """Return its file name: `alive-<digest>.js`, cacheable for ever.

    `client/build.mjs` writes these names into the scripts that import others.
    """
    return f"{script}-{hashlib.sha256(script_bytes(script)).hexdigest()[:12]}.js"


def runtime_bytes() -> bytes:
    """Return the runtime."""
    return script_bytes("alive")


def runtime_name() -> str:
    """Return the file name of the runtime."""
    return script_name("alive")


def defer_bytes() -> bytes:
    """Return the script of pages that defer components."""
    return script_bytes("defer")


def defer_name() -> str:
    """Return its file name."""
    return script_name("defer")
