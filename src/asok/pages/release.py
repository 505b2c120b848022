"""One build, read: its manifest in memory, its bodies as files that never change.

A page that two builds made alike is one file, which both manifests name.

```
.asok/ssg_cache/
    current                      the name of the release that workers start with
    building                     locked while a build runs
    pages/about.5f2c….html       the bodies of all releases, readable
    releases/20261121T120000-1f3a…/
        manifest.json            every page's record, and the fingerprint of the code
        .in-use                  locked (shared) by each worker that reads this release
        …                        what else the build adds (bytecode, …)
    overlay/…                    see file_overlay.py
```
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from asok.pages.stored import FORMAT, Record, StoredPage, decode

__all__ = ["Manifest", "Release", "shared_bodies"]

log = logging.getLogger("asok.pages")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a release. `created` is in seconds since the epoch."""

    format: int
    fingerprint: str
    created: float
    pages: list[Record]


def shared_bodies(root: Path) -> str:
    """Return the folder of the bodies of all releases of `root`, with a slash at its end."""
    return os.path.join(root, "pages", "")


class Release:
    """The release in `folder`, held in use until the process ends or `close` is called."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.fingerprint = manifest.fingerprint
        self.created = manifest.created
        self.records = {record.path: record for record in manifest.pages}
        own = os.path.join(folder, "pages", "")
        #: Where the bodies are; a release of the first layout has its own.
        self.bodies = own if os.path.isdir(own) else shared_bodies(folder.parent.parent)
        self._handle = _hold(folder / ".in-use")

    @classmethod
    def current(cls, root: Path) -> Release | None:
        """Return the release that `root/current` names, or None where there is none whole.

        A damaged manifest is logged and counts as none: every page is then a miss.
        """
        try:
            for _ in range(3):
                if not (root / "current").exists():
                    return None
                with suppress(FileNotFoundError):
                    return cls._open(root)
                # Between our two reads a build may have published and pruned: ask again.
            raise ValueError("`current` names a release that is not there")
        except (OSError, ValueError) as error:
            log.error("the release in %s can't be read (%s); run `asok build`", root, error)
            return None

    @classmethod
    def current_folder(cls, root: Path) -> Path | None:
        """Return the folder that `root/current` names, None where it names none."""
        try:
            return _named(root)
        except (OSError, ValueError):
            return None

    @classmethod
    def _open(cls, root: Path) -> Release:
        folder = _named(root)
        data = (folder / "manifest.json").read_bytes()
        manifest = msgspec.json.decode(data, type=Manifest)
        if manifest.format != FORMAT:
            raise ValueError(f"format {manifest.format}, expected {FORMAT}")
        release = cls(folder, manifest)
        # A build that began to remove it before it was held removes the manifest first.
        (folder / "manifest.json").stat()
        return release

    def read(self, path: str) -> StoredPage | None:
        """Return the page of `path`, or None where it isn't in the release or is damaged."""
        record = self.records.get(path)
        if record is None:
            return None
        try:
            with open(self.bodies + record.body, "rb") as file:
                return decode(record, file.read())
        except (OSError, ValueError) as error:
            log.warning("the stored page %s counts as missing: %s", path, error)
            return None

    def paths(self) -> Iterator[str]:
        """Every page's path."""
        return iter(self.records)

    def close(self) -> None:
        """Let the release be pruned."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        with suppress(OSError):
            self.close()


def _named(root: Path) -> Path:
    name = (root / "current").read_text("ascii").strip()
    if not name or os.sep in name or name.startswith("."):
        raise ValueError(f"`current` holds {name!r}, which names no release")
    return root / "releases" / name


def _hold(file: Path) -> int | None:
    """Take a shared lock on `file`, which keeps `prune` from removing the release."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise FileNotFoundError(f"{file.parent} is being removed") from None
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle
