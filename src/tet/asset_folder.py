"""The files of a static view, found through Pyramid's assets so that overrides hold."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from asok.assets import FileSlice, Resource, disk_resource, names
from asok.assets.files import locate
from tet.framework import ConfigurationError, asset_path

__all__ = ["AssetFolder"]

#: The suffix of a compressed file beside the plain one, by content coding.
SUFFIXES = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}

# Beyond this many bytes a file is sent from the disk instead of through memory.
_LIMIT = 1024 * 1024

#: Bytes of files that one folder keeps in memory.
_MEMORY = 32 * 1024 * 1024

# Seconds after a change in which a file is not kept: a second change within one tick of the
# file system's clock leaves the same times behind.
_SETTLED = 2

_Signature = tuple[tuple[str, int, int, int, int, int] | None, ...]


class AssetFolder:
    """The files under an absolute asset specification or an absolute path.

    `codings` are the content codings whose files, made by the user, lie beside the plain
    ones. Every answer looks at the disk, so that an override, a new file and an edited one
    count at once; it is read again where it changed. Raises `ConfigurationError` for a coding
    it does not know.
    """

    def __init__(self, spec: str, codings: Iterable[str] = ()) -> None:
        self.spec = spec if spec.endswith(("/", ":")) else spec + "/"
        self.codings = tuple(codings)
        unknown = [coding for coding in self.codings if coding not in SUFFIXES]
        if unknown:
            raise ConfigurationError(
                f"got content_encodings={list(self.codings)!r} for {spec!r}, expected some of "
                f"{sorted(SUFFIXES)}. Leave out {unknown}."
            )
        self._lock = Lock()
        self._kept: dict[str, tuple[_Signature, Resource]] = {}
        self._bytes = 0

    def resource(self, name: str) -> Resource | None:
        """Return the file `name` with its compressed forms, None where it may not be served."""
        if not names.is_public(name):
            return None
        paths = [asset_path(self.spec + name)]
        if paths[0] is None:
            return None
        paths += [asset_path(self.spec + name + SUFFIXES[coding]) for coding in self.codings]
        try:
            # Before the reading: what is swapped in meanwhile differs from it the next time.
            signature = tuple(map(_signature, paths))
            known = self._kept.get(name)
            if known is not None and known[0] == signature:
                return known[1]
            found = self._find(name, paths[0])
            if found is None:
                return None
            others = zip(self.codings, paths[1:], strict=True)
            compressed = {c: self._find(name + SUFFIXES[c], path) for c, path in others}
            there = {coding: file for coding, file in compressed.items() if file is not None}
            resource = disk_resource(name, found, None, compressed=there, limit=_LIMIT)
        except OSError:  # removed or swapped between the look and the reading
            return None
        self._keep(name, signature, resource)
        return resource

    def _keep(self, name: str, signature: _Signature, resource: Resource) -> None:
        changed = max(max(one[3:5]) for one in signature if one is not None)
        if time.time_ns() - changed < _SETTLED * 1_000_000_000:
            return
        with self._lock:
            before = self._kept.pop(name, None)
            self._bytes += _size(resource) - (_size(before[1]) if before is not None else 0)
            if self._bytes > _MEMORY:
                self._kept.clear()
                self._bytes = _size(resource)
            self._kept[name] = (signature, resource)

    def _find(self, name: str, text: str | None) -> FileSlice | None:
        if text is None:
            return None
        path = Path(text)
        # The folder that the name is looked up in: this one, or the one that overrides it. A
        # file that overrides a single file was chosen in the configuration; its folder counts.
        tail = Path(name).parts
        inner = name if path.parts[-len(tail) :] == tail else path.name
        root = path.parents[len(Path(inner).parts) - 1].resolve()
        real = locate(root, inner)
        return None if real is None else FileSlice(real, 0, real.stat().st_size, root)


def _signature(path: str | None) -> tuple[str, int, int, int, int, int] | None:
    """Return what tells one state of a file from another, links followed."""
    if path is None:
        return None
    status = os.stat(path)
    return (
        path, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
    )  # fmt: skip


def _size(resource: Resource) -> int:
    bodies = (variant.body for variant in resource.variants)
    return sum(len(body) if isinstance(body, bytes) else 0 for body in bodies) + 1024
