"""The files of a static view, found through Pyramid's assets so that overrides hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from asok.assets import FileSlice, Resource, disk_resource, names
from asok.assets.files import locate
from tet.framework import ConfigurationError, asset_path

__all__ = ["AssetFolder"]

#: The suffix of a compressed file beside the plain one, by content coding.
SUFFIXES = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}

# Beyond this many bytes a file is sent from the disk instead of through memory.
_LIMIT = 1024 * 1024


class AssetFolder:
    """The files under an absolute asset specification or an absolute path.

    `codings` are the content codings whose files, made by the user, lie beside the plain
    ones. Every answer is looked up on the disk, so that an override, a new file and an
    edited one count at once. Raises `ConfigurationError` for a coding it does not know.
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

    def resource(self, name: str) -> Resource | None:
        """Return the file `name` with its compressed forms, None where it may not be served."""
        if not names.is_public(name):
            return None
        found = self._find(name)
        if found is None:
            return None
        compressed = {c: self._find(name + SUFFIXES[c]) for c in self.codings}
        there = {coding: file for coding, file in compressed.items() if file is not None}
        try:
            return disk_resource(name, found, None, compressed=there, limit=_LIMIT)
        except OSError:  # removed or swapped between the look and the reading
            return None

    def _find(self, name: str) -> FileSlice | None:
        text = asset_path(self.spec + name)
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
