"""Vite's manifest: which hashed file each of its sources became, and what that needs.

`vite build` with `build.manifest` writes `.vite/manifest.json` into its folder
(https://vite.dev/guide/backend-integration). Its names count as hashed already.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from asok.assets.scan import Root, roots_of
from asok.errors import AssetError

__all__ = ["Bundle", "bundles"]

_MANIFEST = ".vite/manifest.json"


class _Chunk(msgspec.Struct):
    """One entry of the manifest; fields that aren't used are passed over."""

    file: str
    css: list[str] = []
    assets: list[str] = []
    imports: list[str] = []


@dataclass(frozen=True, slots=True)
class Bundle:
    """What Vite wrote: `sources` are asset names by source name (`src/main.ts`), `files` all
    names that are hashed, `css` and `imports` what belongs to each of them, in order."""

    manifest: Path
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    files: frozenset[str] = frozenset()
    css: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def bundles(roots: Sequence[Root | Path | str]) -> list[Bundle]:
    """Return what Vite built into a root or into a folder directly in one.

    Raises `AssetError` for a manifest that can't be read.
    """
    return [
        _read(manifest, folder)
        for root in roots_of(roots)
        for folder, manifest in _manifests(root)
        if manifest.is_file()
    ]


def _manifests(root: Root) -> Iterator[tuple[str, Path]]:
    if not root.folder.is_dir():
        return
    yield root.mount, root.folder / _MANIFEST
    for inner in sorted(root.folder.iterdir()):
        if not inner.name.startswith(".") and inner.is_dir():
            yield posixpath.join(root.mount, inner.name), inner / _MANIFEST


def _read(manifest: Path, folder: str) -> Bundle:
    try:
        chunks = msgspec.json.decode(manifest.read_bytes(), type=dict[str, _Chunk])
    except (msgspec.DecodeError, OSError) as error:
        raise AssetError(
            f"Vite's manifest can't be read: {error}.",
            fix="Run `vite build` again, with Vite 5 or later.",
            file=manifest,
        ) from error
    named: dict[str, str] = {}
    files: set[str] = set()
    css: dict[str, tuple[str, ...]] = {}
    imports: dict[str, tuple[str, ...]] = {}

    def name(file: str) -> str:
        return posixpath.join(folder, file)

    for source, chunk in chunks.items():
        named[source] = own = name(chunk.file)
        files.update(map(name, (chunk.file, *chunk.css, *chunk.assets)))
        reached = list(_reached(source, chunks))
        imports[own] = tuple(name(chunks[key].file) for key in reached if key != source)
        css[own] = tuple(dict.fromkeys(name(file) for key in reached for file in chunks[key].css))
    return Bundle(manifest, named, frozenset(files), css, imports)


def _reached(source: str, chunks: Mapping[str, _Chunk]) -> Iterator[str]:
    """Yield a chunk after the chunks that it imports, each once: the order of their CSS."""
    seen = {source}
    stack = [(source, iter(chunks[source].imports))]
    while stack:
        key, rest = stack[-1]
        for imported in rest:
            if imported in chunks and imported not in seen:
                seen.add(imported)
                stack.append((imported, iter(chunks[imported].imports)))
                break
        else:
            yield key
            stack.pop()
