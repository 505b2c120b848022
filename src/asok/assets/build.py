"""`build_assets`: from folders to a published output with hashed names and a manifest.

The order: scan, then each file after the files that it refers to (rewrite, minify, digest),
then everything is written, compressed in threads, and last the manifest is renamed into its
place. Until that moment the previous manifest and all files it names are as they were.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from asok import atomic
from asok.assets import compress, css, retention
from asok.assets.digest import content_digest, hashed_name, integrity
from asok.assets.manifest import FILE_NAME, Entry, Manifest
from asok.assets.media import media_type
from asok.assets.minified import minified
from asok.assets.references import relative, target
from asok.assets.scan import Root, Source, scan
from asok.assets.urls import missing
from asok.errors import AssetError

__all__ = ["Progress", "build_assets"]

Progress = Callable[[str], None]

# Part of every fingerprint: raise it when the same source is to give other bytes.
_RECIPE = b"asok-assets-1"
_REWRITTEN = ("text/css", "text/javascript", "image/svg+xml")


def build_assets(
    roots: Sequence[Root | Path | str],
    out: Path,
    *,
    prefix: str = "/static",
    minify: bool = True,
    quality: int = 11,
    keep: int = 3,
    previous: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Manifest:
    """Publish the assets of `roots` into `out` and return the manifest written there.

    `previous` is the output of an earlier build, `out` itself by default: what was made from
    the same source is taken over, and the files of the last `keep` releases stay available.
    The same tree gives the same bytes on every machine. `quality` is brotli's (0 to 11),
    `workers` a number of threads, `progress` is called with each name when it is done.
    Raises `AssetError` with file and line; `out` then still holds the previous release.
    """
    if not 0 <= quality <= 11 or keep < 0:
        raise AssetError(
            f"got quality={quality} and keep={keep}, expected a quality of 0 to 11 and a number "
            "of releases that is not negative."
        )
    previous = previous or out
    before = _earlier(previous)
    release = _Release(scan(roots), prefix, _recipe(minify, quality), minify, before, previous)
    for name in release.sources:
        release.make(name)
    out.mkdir(parents=True, exist_ok=True)

    def publish(name: str) -> tuple[str, Entry]:
        return name, release.publish(name, out, quality)

    files: dict[str, Entry] = {}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for name, entry in pool.map(publish, release.made):
            files[name] = entry
            if progress is not None:
                progress(name)
    kept = retention.keep_earlier(before, files, keep=keep, previous=previous, out=out)
    manifest = Manifest.of(files, kept)
    # The folders' entries first: a manifest must not outlive the files that it names.
    atomic.sync_folder(out)
    atomic.write(out / FILE_NAME, manifest.encode(), sync=True, mode=retention.FILE_MODE)
    retention.prune(out, manifest)
    return manifest


@dataclass(slots=True)
class _Made:
    """One asset on its way: its entry, and what is to be written for it.

    `data` is None where the source's own bytes are published: those are read again when
    they are written, so that a build does not hold every video in memory.
    """

    entry: Entry
    reused: bool = False
    data: bytes | None = None


@dataclass(slots=True)
class _Release:
    """The state of one build."""

    sources: dict[str, Source]
    prefix: str
    recipe: bytes
    minify: bool
    before: Manifest | None
    previous: Path
    made: dict[str, _Made] = field(default_factory=dict[str, _Made])
    _under_way: set[str] = field(default_factory=set[str])

    def make(self, name: str) -> None:
        """Make `name` and first whatever it refers to, unless that was done already."""
        if name in self.made:
            return
        source = self.sources[name]
        data = source.real.read_bytes()
        media = media_type(name)
        self._under_way.add(name)
        if media.startswith("text/css"):
            data = css.rewritten(_text(data, source), self._resolver(source)).encode()
        self._under_way.discard(name)
        fingerprint = hashlib.sha256(self.recipe + hashlib.sha256(data).digest()).hexdigest()[:32]
        kept = self._reusable(name, fingerprint)
        if kept is not None:
            self.made[name] = _Made(kept, reused=True)
            return
        changed = media.startswith(_REWRITTEN)
        if changed and self.minify:
            data = minified(name, _text(data, source), file=source.path).encode()
        digest = content_digest(data)
        self.made[name] = _Made(
            Entry(
                path=hashed_name(name, digest),
                digest=digest,
                size=len(data),
                media=media,
                integrity=integrity(data),
                source=fingerprint,
            ),
            data=data if changed else None,
        )

    def _resolver(self, source: Source) -> Callable[[css.Reference], str | None]:
        def resolve(reference: css.Reference) -> str | None:
            found = target(reference.value, source.name, self.prefix)
            if found is None:
                return None
            if found.name not in self.sources:
                error = missing(found.name, self.sources, "a file of the assets")
                raise AssetError(
                    f"{reference.value!r} refers to {found.name!r}, which is not an asset.",
                    fix=error.fix,
                    file=source.path,
                    line=reference.line,
                )
            published = found.name
            # Stylesheets that import each other have no order in which both digests could be
            # known: the reference that closes the circle keeps the plain name, which is
            # served with revalidation.
            if found.name not in self._under_way:
                self.make(found.name)
                published = self.made[found.name].entry.path
            return relative(published, source.name) + found.rest

        return resolve

    def _reusable(self, name: str, fingerprint: str) -> Entry | None:
        entry = self.before.files.get(name) if self.before else None
        if entry is None or entry.source != fingerprint:
            return None
        with suppress(OSError):
            whole = content_digest((self.previous / entry.path).read_bytes()) == entry.digest
            sizes = {
                c: (self.previous / retention.variant(entry, c)).stat().st_size
                for c in entry.codings
            }
            if whole and sizes == entry.codings:
                return entry
        return None

    def publish(self, name: str, out: Path, quality: int) -> Entry:
        """Put the files of `name` into `out`, each in one step; return its whole entry."""
        made = self.made[name]
        entry, data, made.data = made.entry, made.data, None
        if made.reused:
            retention.take_over(entry, self.previous, out)
            return entry
        if data is None:
            source = self.sources[name]
            data = source.real.read_bytes()
            if content_digest(data) != entry.digest:
                raise AssetError(
                    "was changed while it was being built.", fix="Build again.", file=source.path
                )
        forms = compress.variants(data, entry.media, quality=quality)
        entry = msgspec.structs.replace(entry, codings={c: len(form) for c, form in forms.items()})
        retention.write(out / entry.path, data)
        for coding, form in forms.items():
            retention.write(out / retention.variant(entry, coding), form)
        return entry


def _earlier(folder: Path) -> Manifest | None:
    # A manifest that can't be read is no reason to fail: without it everything is made anew.
    try:
        return Manifest.load(folder)
    except AssetError:
        return None


def _recipe(minify: bool, quality: int) -> bytes:
    return b"%s minify=%d quality=%d\0" % (_RECIPE, minify, quality)


def _text(data: bytes, source: Source) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AssetError(
            f"got a byte that is not UTF-8 ({error.reason}), expected text in UTF-8.",
            fix="Save the file as UTF-8.",
            file=source.path,
            line=data.count(b"\n", 0, error.start) + 1,
        ) from error
