"""`build_assets`: from folders to a published output with hashed names and a manifest.

The order: scan, then each file after the files that it refers to (rewrite, minify, digest;
see `making.py`), then everything is written, compressed in threads, and last the manifest is
renamed into its place. Until that moment the previous manifest and all files it names are as
they were.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from asok import atomic
from asok.assets import compress, retention
from asok.assets.digest import content_digest
from asok.assets.making import Making
from asok.assets.manifest import FILE_NAME, Entry, Form, Linked, Manifest
from asok.assets.names import MAP
from asok.assets.pins import read_pins
from asok.assets.releases import checked_release
from asok.assets.scan import Root, scan
from asok.assets.vite import Bundle, bundles
from asok.errors import AssetError

__all__ = ["Progress", "build_assets"]

log = logging.getLogger("asok.assets")

Progress = Callable[[str], None]


def build_assets(
    roots: Sequence[Root | Path | str],
    out: Path,
    *,
    prefix: str = "/static",
    form: Form = "digest",
    release: str = "",
    pins: Path | None = None,
    minify: bool = True,
    quality: int = 11,
    keep: int = 3,
    previous: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Manifest:
    """Publish the assets of `roots` into `out` and return the manifest written there.

    With the form "digest" each URL changes with its file, and references are rewritten; with
    "prefix" all URLs change with the release, and files name each other as they did. `release`
    is the token of the release (a tag, a commit), by default a digest of the whole tree.
    `pins` is an import map of further module names (`site_pins`).

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
    everything = scan(roots, maps=True)
    sources = {name: found for name, found in everything.items() if not name.endswith(MAP)}
    checked_release(release, sources, form=form)
    built = bundles(roots)
    _check_bundles(built, sources)
    previous = previous or out
    before = _earlier(previous)
    making = Making(
        sources=sources,
        maps={name: found for name, found in everything.items() if name.endswith(MAP)},
        hashed={file for bundle in built for file in bundle.files},
        pins=read_pins(pins, sources),
        prefix=prefix,
        form=form,
        minify=minify,
        quality=quality,
        before=before,
        previous=previous,
    )
    making.make()
    out.mkdir(parents=True, exist_ok=True)

    def publish(name: str) -> tuple[str, Entry]:
        return name, _publish(making, everything[name].real, name, out)

    files: dict[str, Entry] = {}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for name, entry in pool.map(publish, making.made):
            files[name] = entry
            if progress is not None:
                progress(name)
    manifest = Manifest.of(files, token=release, form=form)
    if before is not None and before.token == manifest.token and before.tree != manifest.tree:
        log.warning(
            "the release %r was built before with other assets: who has kept those keeps them; "
            "set another ASOK_RELEASE",
            release,
        )
    manifest = msgspec.structs.replace(
        manifest,
        kept=retention.keep_earlier(before, manifest, keep=keep, previous=previous, out=out),
        earlier=manifest.after(before),
        pins=dict(making.pins),
        sources={source: name for bundle in built for source, name in bundle.sources.items()},
        linked=_linked(making.imports, built),
    )
    # The folders' entries first: a manifest must not outlive the files that it names.
    atomic.sync_folder(out)
    atomic.write(out / FILE_NAME, manifest.encode(), sync=True, mode=retention.FILE_MODE)
    retention.prune(out, manifest, before)
    return manifest


def _publish(making: Making, real: Path, name: str, out: Path) -> Entry:
    """Put the files of `name` into `out`, each in one step; return its whole entry."""
    made = making.made[name]
    entry, data, made.data = made.entry, made.data, None
    if made.reused:
        retention.take_over(entry, making.previous, out)
        return entry
    if data is None:
        data = real.read_bytes()
        if content_digest(data) != entry.digest:
            raise AssetError(
                "was changed while it was being built.",
                fix="Build again.",
                file=making.sources[name].path if name in making.sources else real,
            )
    forms = compress.variants(data, entry.media, quality=making.quality)
    retention.write(out / entry.path, data)
    for coding, form in forms.items():
        retention.write(out / retention.variant(entry, coding), form)
    return msgspec.structs.replace(entry, codings={c: len(form) for c, form in forms.items()})


def _earlier(folder: Path) -> Manifest | None:
    # A manifest that can't be read is no reason to fail: without it everything is made anew.
    try:
        return Manifest.load(folder)
    except AssetError:
        return None


def _check_bundles(built: Iterable[Bundle], sources: Mapping[str, object]) -> None:
    for bundle in built:
        for file in sorted(bundle.files):
            if file not in sources:
                raise AssetError(
                    f"Vite's manifest names {file!r}, which is not there.",
                    fix="Run `vite build` again.",
                    file=bundle.manifest,
                )


def _linked(imports: Mapping[str, tuple[str, ...]], built: Iterable[Bundle]) -> dict[str, Linked]:
    """What each module needs at once: all that it imports, on whatever way."""
    found: dict[str, Linked] = {}
    for name, direct in imports.items():
        if direct:
            reached: dict[str, None] = {}
            waiting = [*direct]
            for other in waiting:  # it grows while it is read
                if other not in reached and other != name:
                    reached[other] = None
                    waiting.extend(imports.get(other, ()))
            found[name] = Linked(list(reached))
    for bundle in built:
        for name in bundle.imports:
            found[name] = Linked(list(bundle.imports[name]), list(bundle.css[name]))
    return {name: linked for name, linked in found.items() if linked.imports or linked.css}
