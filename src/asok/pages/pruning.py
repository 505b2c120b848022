"""What a build removes once its release is current: old releases, their bodies, their overlays.

It is done under the lock of the build. A release that a worker reads stays, and with it every
body that its manifest names; no body is removed that any release which is there still names.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from asok import atomic
from asok.pages.inherited import last_write
from asok.pages.names import page_name
from asok.pages.page_folder import PageFolder
from asok.pages.release import Release, shared_bodies

__all__ = ["KEPT_RELEASES", "drop_bodies", "prune"]

log = logging.getLogger("asok.pages")

#: How many releases stay, the current one counted: workers of an older one still read it.
KEPT_RELEASES = 3
#: How `Manifest` begins when it is written.
_HEAD: Final = re.compile(rb'\{"format":\d+,"fingerprint":"([^"\\]*)"')


def prune(root: Path, current: Release) -> None:
    """Remove old releases that no worker reads, and what only they or gone code needed."""
    releases = root / "releases"
    folders = sorted((path for path in releases.iterdir() if path.is_dir()), key=_age)
    folders.remove(current.folder)
    for folder in folders[: -(KEPT_RELEASES - 1)]:
        _remove_unused(folder)
    used = {current.fingerprint}
    for folder in releases.iterdir():
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            used.add(_fingerprint(folder / "manifest.json"))
    with suppress(FileNotFoundError):
        overlays = list((root / "overlay").iterdir())
        if not folders and overlays:
            # The first build: no release names the code that made pages before it.
            used.add(max(overlays, key=last_write).name)
        for folder in overlays:
            if folder.name not in used:
                shutil.rmtree(folder, ignore_errors=True)
    drop_bodies(root, current)
    _drop_delisted(root, current)


def _age(release: Path) -> tuple[str, int]:
    """What orders releases: the second in their name, and within it when they were written."""
    return release.name[:15], release.stat().st_mtime_ns


def drop_bodies(root: Path, current: Release | None) -> None:
    """Remove the bodies that no release names; none where a release can't be read.

    `current` is one whose records need not be read again. Raises `OSError`.
    """
    bodies = shared_bodies(root)
    left = set(os.listdir(bodies))
    if current is not None:
        left.difference_update([record.body for record in current.records.values()])
    for folder in (root / "releases").iterdir():
        if not left:
            return
        if current is None or folder != current.folder:
            try:
                left -= _bodies(folder / "manifest.json")
            except FileNotFoundError:
                continue  # half written or half removed: nobody can open it
            except (OSError, ValueError) as error:
                log.warning("bodies that no page needs stay in %s: %s: %s", bodies, folder, error)
                return
    for name in left:
        with suppress(OSError):
            os.unlink(bodies + name)


def _drop_delisted(root: Path, current: Release) -> None:
    """Remove what was regenerated of pages that this build doesn't list any more."""
    folder = root / "overlay" / current.fingerprint / "listed"
    with suppress(OSError):
        left = {".".join(name.split(".")[:2]) for name in os.listdir(folder)}
        left -= {page_name(path) for path in current.records} if left else set()
        if left:
            pages = PageFolder(folder)
            with atomic.FileLock(root / "lock").hold():
                for name in left:
                    pages.remove(name)


class _Fingerprint(msgspec.Struct):
    fingerprint: str


def _fingerprint(manifest: Path) -> str:
    """The fingerprint in a manifest, which is at its beginning: a large site's takes long to read.

    Raises `OSError`, `msgspec.DecodeError`, `UnicodeDecodeError`.
    """
    with manifest.open("rb") as file:
        found = _HEAD.match(file.read(1000))
    if found is not None:
        return found[1].decode()
    return msgspec.json.decode(manifest.read_bytes(), type=_Fingerprint).fingerprint


class _Body(msgspec.Struct):
    body: str = ""


class _Bodies(msgspec.Struct):
    pages: list[_Body]


def _bodies(manifest: Path) -> set[str]:
    """The names of the bodies that a manifest names. Raises `OSError`, `ValueError`."""
    found = msgspec.json.decode(manifest.read_bytes(), type=_Bodies)
    return {page.body for page in found.pages}


def _remove_unused(folder: Path) -> None:
    """Remove a release unless a worker holds its lock; the manifest goes first."""
    try:
        handle = os.open(folder / ".in-use", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(FileNotFoundError):
            (folder / "manifest.json").unlink()
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # a worker started from it still runs; a later build removes it
    finally:
        os.close(handle)
