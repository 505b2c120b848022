"""What stays in a build's output: the files of the last releases, and nothing unnamed.

A page of the release before asks for that release's files until its visitor goes on, and
during a rolling deploy so do pages that are made right now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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
    before: Manifest | None, current: Manifest, *, keep: int, previous: Path, out: Path
) -> list[Kept]:
    """Return the last `keep` releases, oldest first, with their files put into `out`.

    Only how they differ from the current one is listed; a file that has gone from `previous`
    is forgotten.
    """
    if before is None or not keep:
        return []
    last = (before.token, before.files)
    releases = [(kept.token, kept.all_files(before.files)) for kept in before.kept]
    found = [(token, files) for token, files in (*releases, last) if token != current.token]
    there: dict[str, bool] = {entry.path: True for entry in current.files.values()}
    kept: list[Kept] = []
    for token, files in found[-keep:]:
        for entry in files.values():
            if entry.path not in there:
                there[entry.path] = take_over(entry, previous, out)
        then = {name: entry for name, entry in files.items() if there[entry.path]}
        kept.append(Kept.of(token, then, current.files))
    return kept


def prune(out: Path, manifest: Manifest, before: Manifest | None) -> None:
    """Remove published files that no remembered release names, and what a killed build left.

    Only names as a build writes them are touched, and what the release `before` published: a
    folder given by mistake keeps its files.
    """
    named = set(_written(manifest))
    once = set(_written(before)) if before is not None else set[str]()
    for folder, _, files in os.walk(out):
        base = Path(folder)
        for file in files:
            path = (base / file).relative_to(out).as_posix()
            plain = path
            for suffix in SUFFIXES.values():
                plain = plain.removesuffix(suffix)
            ours = plain_name(plain) is not None or file.startswith(atomic.TEMPORARY_PREFIX)
            if (ours or path in once) and path not in named:
                (base / file).unlink(missing_ok=True)


def _written(manifest: Manifest) -> Iterator[str]:
    for entry in manifest.published().values():
        yield entry.path
        yield from (variant(entry, coding) for coding in entry.codings)
