"""A text as a build reads it: what it refers to, and its source map where it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from asok.assets import css, modules, source_maps, svg, webmanifest
from asok.assets.media import media_type
from asok.assets.references import Edit, Reference, Target, Unreadable, relative, target
from asok.assets.scan import Source
from asok.assets.urls import missing
from asok.errors import AssetError

__all__ = ["Draft", "is_read", "read_draft", "text_of"]

#: What reads the references, by media type.
_READERS: dict[str, Callable[[str], Iterator[Reference]]] = {
    "application/manifest+json": webmanifest.references,
    "image/svg+xml": svg.references,
    "text/css": css.references,
    "text/javascript": modules.references,
}
#: Those that take any line break; places are counted with one kind of them.
_NORMALISED = ("image/svg+xml", "text/css")


def is_read(name: str) -> bool:
    """Return whether files called `name` may refer to others."""
    return _kind(name) in _READERS


@dataclass(frozen=True, slots=True)
class Draft:
    """One text: what it refers to, what it loads at once, and the name of its source map.

    `fixed` says that a map belongs to the text, so that nothing else may move in it.
    """

    source: Source
    text: str
    references: Sequence[tuple[Reference, Target]]
    imports: tuple[str, ...]
    link: source_maps.Link | None
    map_name: str | None

    @property
    def fixed(self) -> bool:
        """True where the text has a map, and so is not to be minified."""
        return self.map_name is not None or (self.link is not None and self.link.inline)

    def edits(self, paths: Mapping[str, str] | None) -> list[Edit]:
        """Return the edits that name every reference by its path in `paths`.

        Without paths names stay as they are, and only absolute references become relative.
        """
        found: list[Edit] = []
        for reference, goal in self.references:
            if paths is not None or reference.value.lstrip().startswith("/"):
                path = goal.name if paths is None else paths[goal.name]
                url = relative(path, self.source.name) + goal.rest
                found.append(Edit(reference.start, reference.end, reference.quote(url)))
        return found

    def link_edit(self, path: str | None) -> list[Edit]:
        """Return the edit that links the map at `path`; without one the comment goes."""
        if self.link is None or self.link.inline:
            return []
        if path is None:
            return [Edit(self.link.comment, len(self.text), "\n")]
        return [Edit(self.link.start, self.link.end, relative(path, self.source.name))]


def read_draft(
    source: Source,
    sources: Mapping[str, Source],
    maps: Mapping[str, Source],
    *,
    prefix: str,
    pins: Mapping[str, str],
) -> Draft:
    """Return the draft of a file that `is_read`.

    Raises `AssetError` with file and line for a reference to no asset.
    """
    kind = _kind(source.name)
    text = text_of(source.real.read_bytes(), source)
    if kind in _NORMALISED:
        text = css.normalised(text)
    link = source_maps.link(text) if kind.startswith("text/") else None
    found: list[tuple[Reference, Target]] = []
    imports: list[str] = []
    for reference in _references(kind, text, source):
        if reference.bare:
            name = pins.get(reference.value, reference.value)
            if name in sources and reference.at_once:
                imports.append(name)
            continue
        goal = _goal(reference, source, sources, prefix)
        if goal is not None:
            found.append((reference, goal))
            if reference.at_once and kind == "text/javascript":
                imports.append(goal.name)
    linked = None
    if link is not None and not link.inline:
        linked = target(link.url, source.name, prefix)
    map_name = linked.name if linked is not None and linked.name in maps else None
    return Draft(source, text, found, tuple(dict.fromkeys(imports)), link, map_name)


def _references(kind: str, text: str, source: Source) -> list[Reference]:
    try:
        return list(_READERS[kind](text))
    except Unreadable as error:
        raise AssetError(
            f"is {error}.", fix="Correct the file.", file=source.path, line=error.line
        ) from error


def _kind(name: str) -> str:
    return media_type(name).partition(";")[0]


def _goal(
    reference: Reference, source: Source, sources: Mapping[str, Source], prefix: str
) -> Target | None:
    found = target(reference.value, source.name, prefix)
    if found is None or found.name in sources:
        return found
    if not reference.at_once and reference.value.endswith(("/", ".")):
        return None  # a folder, to which a script adds the rest
    error = missing(found.name, sources, "a file of the assets")
    raise AssetError(
        f"{reference.value!r} refers to {found.name!r}, which is not an asset.",
        fix=error.fix,
        file=source.path,
        line=reference.line,
    )


def text_of(data: bytes, source: Source) -> str:
    """Return `data` as text. Raises `AssetError` with file and line where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AssetError(
            f"got a byte that is not UTF-8 ({error.reason}), expected text in UTF-8.",
            fix="Save the file as UTF-8.",
            file=source.path,
            line=data.count(b"\n", 0, error.start) + 1,
        ) from error
