"""`Making`: what the bytes of every asset of a build are, and the names that these give.

Names come from contents, and contents hold names: each file is made after those that it
refers to. Files that refer to each other in a circle are made together: with stand-ins for
their names first, of the same length, which the digests of all of them then replace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from asok.assets import order, retention, source_maps
from asok.assets.digest import content_digest, hashed_name, integrity
from asok.assets.drafts import Draft, is_read, read_draft, text_of
from asok.assets.manifest import Entry, Form, Manifest
from asok.assets.media import media_type
from asok.assets.minified import minified
from asok.assets.references import edited
from asok.assets.scan import Source
from asok.errors import AssetError

__all__ = ["Made", "Making"]

# Part of every fingerprint: raise it when the same source is to give other bytes.
_RECIPE = b"asok-assets-3"


@dataclass(slots=True)
class Made:
    """One asset on its way: its entry, and what is to be written for it.

    `data` is None where the source's own bytes are published: those are read again when
    they are written, so that a build does not hold every video in memory.
    """

    entry: Entry
    reused: bool = False
    data: bytes | None = None


@dataclass(slots=True)
class Making:
    """The state of one build. `hashed` are names that a bundler made from contents already."""

    sources: Mapping[str, Source]
    maps: Mapping[str, Source]
    hashed: Collection[str]
    pins: Mapping[str, str]
    prefix: str
    form: Form
    minify: bool
    quality: int
    before: Manifest | None
    previous: Path
    made: dict[str, Made] = field(default_factory=dict[str, Made])
    imports: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    _paths: dict[str, str] = field(default_factory=dict[str, str])

    def make(self) -> None:
        """Make every asset. Raises `AssetError` with file and line."""
        drafts: dict[str, Draft] = {}
        for name, source in self.sources.items():
            if name in self.hashed or not is_read(name):
                self._make_file(source, own=name in self.hashed)
            else:
                draft = drafts[name] = read_draft(
                    source, self.sources, self.maps, prefix=self.prefix, pins=self.pins
                )
                self.imports[name] = draft.imports
        for name in sorted(self.hashed):
            # A bundler's maps belong to its scripts under their own names.
            if (source := self.maps.get(f"{name}.map")) is not None:
                self._make_file(source, own=True)
        graph = {
            name: list(dict.fromkeys(t.name for _, t in draft.references if t.name in drafts))
            for name, draft in drafts.items()
        }
        for group in order.groups(graph):
            self._make_group([drafts[name] for name in group], circle=group[0] in graph[group[0]])

    def _make_file(self, source: Source, *, own: bool = False) -> None:
        """Make a file whose references are not read; with `own` it keeps its name."""
        data = source.real.read_bytes()
        fingerprint = self._fingerprint([data], own=own)
        kept = self._reusable(source.name, fingerprint)
        if kept is not None:
            self._add(source.name, Made(kept, reused=True))
            return
        entry = _entry(source.name, data, content_digest(data), fingerprint, own=own)
        self._add(source.name, Made(entry))

    def _make_group(self, drafts: Sequence[Draft], *, circle: bool) -> None:
        circle = (circle or len(drafts) > 1) and self.form == "digest"
        stands_in = {d.source.name: _stand_in(d.source.name) for d in drafts} if circle else {}
        paths = {**self._paths, **stands_in} if circle else self._paths
        texts = [self._text(draft, paths).encode() for draft in drafts]
        fingerprint = self._fingerprint(texts)
        names = [draft.source.name for draft in drafts]
        kept = [self._reusable(name, fingerprint) for name in names]
        if all(kept):
            for name, entry in zip(names, kept, strict=True):
                self._add(name, Made(cast("Entry", entry), reused=True))
            return
        datas = [self._minified(d, text) for d, text in zip(drafts, texts, strict=True)]
        digests = _digests(names, datas) if circle else [content_digest(data) for data in datas]
        for name, data, digest in zip(names, datas, digests, strict=True):
            for other, end in zip(names, digests, strict=True) if circle else ():
                data = data.replace(_mark(other), end.encode())
            self._add(name, Made(_entry(name, data, digest, fingerprint), data=data))

    def _text(self, draft: Draft, paths: Mapping[str, str]) -> str:
        edits = draft.edits(paths if self.form == "digest" else None)
        path: str | None = None
        if draft.map_name is not None:
            path = self._make_map(self.maps[draft.map_name], draft, edits)
        return edited(draft.text, sorted([*edits, *draft.link_edit(path)], key=lambda e: e.start))

    def _make_map(self, source: Source, draft: Draft, edits: Sequence[source_maps.Edit]) -> str:
        try:
            text = source_maps.shifted(text_of(source.real.read_bytes(), source), draft.text, edits)
        except ValueError as error:
            raise AssetError(
                f"the source map of {draft.source.name} can't be read: {error}.",
                fix="Build it again, or take the sourceMappingURL out of the script.",
                file=source.path,
            ) from error
        data = text.encode()
        fingerprint = self._fingerprint([data])
        kept = self._reusable(source.name, fingerprint)
        if kept is not None:
            self._add(source.name, Made(kept, reused=True))
        else:
            entry = _entry(source.name, data, content_digest(data), fingerprint)
            self._add(source.name, Made(entry, data=data))
        return source.name if self.form == "prefix" else self._paths[source.name]

    def _minified(self, draft: Draft, text: bytes) -> bytes:
        if not self.minify or draft.fixed:
            return text
        return minified(draft.source.name, text.decode(), file=draft.source.path).encode()

    def _add(self, name: str, made: Made) -> None:
        self.made[name] = made
        self._paths[name] = made.entry.path

    def _fingerprint(self, contents: Sequence[bytes], *, own: bool = False) -> str:
        whole = hashlib.sha256(
            b"%s minify=%d quality=%d own=%d %s\0"
            % (_RECIPE, self.minify, self.quality, own, self.form.encode())
        )
        for content in contents:
            whole.update(hashlib.sha256(content).digest())
        return whole.hexdigest()[:32]

    def _reusable(self, name: str, fingerprint: str) -> Entry | None:
        entry = self.before.files.get(name) if self.before else None
        if entry is None or entry.source != fingerprint:
            return None
        with suppress(OSError):
            whole = integrity((self.previous / entry.path).read_bytes()) == entry.integrity
            sizes = {
                c: (self.previous / retention.variant(entry, c)).stat().st_size
                for c in entry.codings
            }
            if whole and sizes == entry.codings:
                return entry
        return None


def _entry(name: str, data: bytes, digest: str, fingerprint: str, *, own: bool = False) -> Entry:
    return Entry(
        path=name if own else hashed_name(name, digest),
        digest=digest,
        size=len(data),
        media=media_type(name),
        integrity=integrity(data),
        source=fingerprint,
    )


def _mark(name: str) -> bytes:
    # As long as a digest, and not to be met by chance.
    return hashlib.sha256(b"stands in for " + name.encode()).hexdigest()[:12].encode()


def _stand_in(name: str) -> str:
    return hashed_name(name, _mark(name).decode())


def _digests(names: Sequence[str], datas: Sequence[bytes]) -> list[str]:
    """The digests of a circle: of all contents together, and of the place in it."""
    order = sorted(range(len(names)), key=names.__getitem__)
    whole = b"".join(hashlib.sha256(datas[i]).digest() for i in order)
    return [content_digest(whole + name.encode()) for name in names]
