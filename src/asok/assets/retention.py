"""What stays in a build's output: the files of the last releases, and nothing unnamed.

A page of the release before asks for that release's files until its visitor goes on, and
during a rolling deploy so do pages that are made right now.
"""

from __future__ import annotations

import os
from pathlib import Path

from asok import atomic
from asok.assets.compress import SUFFIXES
from asok.assets.digest import plain_name
from asok.assets.manifest import Entry, Kept, Manifest

__all__ = ["FILE_MODE", "keep_earlier", "prune", "take_over", "variant", "write"]

FILE_MODE = 0o644  # a web server of another user may serve the output


def variant(entry: Entry, coding: str) -> str:
    """Return the path of the compressed form of `entry`."""
    return entry.path + SUFFIXES[coding]


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without fsync: the manifest, which is synced, is what makes a file count, and a file cut
    # by a power loss fails its digest in the next build.
    atomic.write(path, data, mode=FILE_MODE)


def take_over(entry: Entry, previous: Path, out: Path) -> bool:
    """Have the files of `entry` in `out` too, by hard link where possible."""
    for path in (entry.path, *(variant(entry, coding) for coding in entry.codings)):
        origin, goal = previous / path, out / path
        if not origin.is_file():
            return False
        if goal.exists():
            continue
        goal.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(origin, goal)
        except OSError:  # another file system, or one without links
            write(goal, origin.read_bytes())
    return True


def keep_earlier(
    before: Manifest | None, files: dict[str, Entry], *, keep: int, previous: Path, out: Path
) -> list[Kept]:
    """Return the last `keep` releases, oldest first, with their files put into `out`.

    A file that the current release (`files`) publishes under the same path is not listed
    again, and one that has gone from `previous` is forgotten.
    """
    if before is None or not keep:
        return []
    current = {entry.path for entry in files.values()}
    token = Manifest.of(files, []).token
    last = Kept(before.token, {entry.path: entry for entry in before.files.values()})
    releases = [release for release in (*before.kept, last) if release.token != token]
    return [
        Kept(
            release.token,
            {
                path: entry
                for path, entry in sorted(release.files.items())
                if path not in current and take_over(entry, previous, out)
            },
        )
        for release in releases[-keep:]
    ]


def prune(out: Path, manifest: Manifest) -> None:
    """Remove published files that no remembered release names, and what a killed build left.

    Only names as a build writes them are touched: a folder given by mistake keeps its files.
    """
    named: set[str] = set()
    for entry in manifest.published().values():
        named |= {entry.path, *(variant(entry, coding) for coding in entry.codings)}
    for folder, _, files in os.walk(out):
        base = Path(folder)
        for file in files:
            path = (base / file).relative_to(out).as_posix()
            plain = path.removesuffix(".br").removesuffix(".gz")
            ours = plain_name(plain) is not None or file.startswith(atomic.TEMPORARY_PREFIX)
            if ours and path not in named:
                (base / file).unlink(missing_ok=True)
