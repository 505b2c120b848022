"""From root folders to logical names: which file is `css/base.css`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asok.assets import names
from asok.assets.files import locate
from asok.errors import AssetError

__all__ = ["Root", "Source", "roots_of", "scan", "site_roots"]


@dataclass(frozen=True, slots=True)
class Root:
    """A folder whose files are assets, named by their path inside it, under `mount`.

    `skip_folders` are folders directly in it and `skip_suffixes` endings that are not
    assets: the templates that share `src/partials` with stylesheets.
    """

    folder: Path
    mount: str = ""
    skip_folders: frozenset[str] = frozenset()
    skip_suffixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mount and not names.is_public(self.mount):
            raise AssetError(
                f"got mount={self.mount!r} for {self.folder}, expected a relative path such as "
                "'css'.",
                fix="Leave out the slashes at both ends, dots and backslashes.",
            )

    def inner(self, name: str) -> str | None:
        """Return the path in this folder of the asset `name`, None where it can't be here."""
        if self.mount:
            if not name.startswith(self.mount + "/"):
                return None
            name = name[len(self.mount) + 1 :]
        folder, slash, _ = name.partition("/")
        if slash and folder in self.skip_folders:
            return None
        return None if name.lower().endswith(self.skip_suffixes) else name


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is an asset: its logical name, its path as the user knows it, its real path."""

    name: str
    path: Path
    real: Path


def roots_of(roots: Iterable[Root | Path | str]) -> tuple[Root, ...]:
    """Return `roots` as `Root`s; a path is a root without conditions."""
    return tuple(root if isinstance(root, Root) else Root(Path(root)) for root in roots)


def site_roots(site: Path) -> tuple[Root, ...]:
    """Return the roots of a site: `src/partials` without its templates, then `src/static`."""
    return (
        Root(
            site / "src" / "partials",
            skip_folders=frozenset({"html"}),
            skip_suffixes=(".asok", ".html", ".htm", ".jinja", ".j2"),
        ),
        Root(site / "src" / "static"),
    )


def scan(roots: Sequence[Root | Path | str], *, maps: bool = False) -> dict[str, Source]:
    """Return every asset by logical name, sorted; an earlier root hides a later one's file.

    A root that doesn't exist is empty. Hidden files (`names.is_hidden`) are passed over; with
    `maps` source maps are there too.
    Raises `AssetError` for a link that leads out of its root and for a name that could not
    be served.
    """
    found: dict[str, Source] = {}
    for root in roots_of(roots):
        if not root.folder.is_dir():
            continue
        base = root.folder.resolve()
        for inner in _walk(base, "", frozenset({base})):
            name = f"{root.mount}/{inner}" if root.mount else inner
            hidden = names.is_hidden(inner.removesuffix(names.MAP) if maps else inner)
            if name in found or hidden or root.inner(name) is None:
                continue
            path = root.folder / inner
            if not names.is_wellformed(name):
                raise AssetError(
                    f"got an asset named {name!r}, expected a name that every system and URL "
                    "can hold.",
                    fix="Rename it without control characters, backslashes, colons, percent "
                    "escapes (%20) and the device names of Windows (CON, NUL, COM1).",
                    file=ascii(os.fspath(path)),
                )
            real = locate(base, inner)
            if real is None:
                raise AssetError(
                    "is a link that leads out of its folder of assets, or to nothing.",
                    fix=f"Copy the file into {root.folder}, or give its folder as a root.",
                    file=path,
                )
            found[name] = Source(name, path, real)
    return dict(sorted(found.items()))


def _walk(folder: Path, prefix: str, above: frozenset[Path]) -> Iterator[str]:
    # `above` holds the real folders on the way down: a link back to one of them would walk
    # for ever, so it is passed over.
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        inner = prefix + entry.name
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            yield inner
        elif (real := Path(os.path.realpath(entry.path))) not in above:
            yield from _walk(Path(entry.path), inner + "/", above | {real})
