"""From a backend's name to its store; what is not chosen is not imported."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, Final

from asok.cache.api import Store
from asok.cache.memory import MemoryStore
from asok.errors import ConfigurationError

__all__ = ["BACKENDS", "make_store"]

BACKENDS: Final = ("file", "memory", "redis")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{0,64}")


def make_store(
    backend: str | Store,
    *,
    path: Path | str,
    url: str | None,
    prefix: str,
    namespace: str,
    version: int,
    max_entries: int | None,
    max_bytes: int | None,
    timeout: float,
) -> Store:
    """Make the store. Raises `ConfigurationError` that names every option that can't be."""
    problems: list[str] = []
    for name, value in (("prefix", prefix), ("namespace", namespace)):
        if not _NAME.fullmatch(value):
            problems.append(f"{name}={value!r}: expected up to 64 letters, digits, `_`, `.`, `-`.")
    if type(version) is not int or not 1 <= version <= 2**31:
        problems.append(f"version={version!r}: expected an int from 1 to 2**31.")
    bounds: dict[str, Any] = {}
    for name, value in (("max_entries", max_entries), ("max_bytes", max_bytes)):
        if value is not None:
            bounds[name] = value
            if type(value) is not int or value < 1:
                problems.append(f"{name}={value!r}: expected an int of at least 1.")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 5:  # pyright: ignore[reportUnnecessaryIsInstance]
        problems.append(f"timeout={timeout!r}: expected seconds, more than 0 and at most 5.")
    if isinstance(backend, str) and backend not in BACKENDS:
        near = difflib.get_close_matches(backend.lower(), BACKENDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        problems.append(f"backend={backend!r}: expected one of {', '.join(BACKENDS)}.{hint}")
    if backend == "redis" and bounds:
        problems.append(f"{', '.join(bounds)}: Redis is bounded by its own `maxmemory` setting.")
    if problems:
        raise ConfigurationError("this cache can't be made:", problems=problems)
    if not isinstance(backend, str):
        return backend
    if backend == "memory":
        return MemoryStore(**bounds)
    if backend == "file":
        from asok.cache.file import FileStore

        parts = [f"space-{name}" for name in (prefix, namespace) if name]
        parts += [f"version-{version}"] if version > 1 else []
        return FileStore(Path(path, *parts), **bounds)
    from asok.cache.redis import RedisStore

    # Names hold no colon, so no space is the beginning of another one.
    space = f"asok:{prefix}:{namespace}" + (f":{version}" if version > 1 else "")
    return RedisStore(url or "redis://localhost:6379/0", space=space, timeout=timeout)
