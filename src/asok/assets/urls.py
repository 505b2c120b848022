"""Between names and URLs: the prefix, fragments, and the error for a name that isn't there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Protocol
from urllib.parse import quote

from asok.assets import names
from asok.errors import AssetNotFound, ConfigurationError

__all__ = ["Lookup", "Prefix", "missing"]


# What may stand in a query (RFC 3986, section 3.4), the sign of an escape included.
_QUERY = "%/?:@!$&'()*+,;=-._~"


class Lookup(Protocol):
    """Answers whether there is an asset of a name: anything but None says yes."""

    def __call__(self, name: str, /) -> object | None: ...


class Prefix:
    """The path that assets live under, such as `/static`, and the origin they are linked from.

    `origin` is empty, or that of a CDN (`https://cdn.example`) which fetches from this site.
    Raises `ConfigurationError`.
    """

    def __init__(self, path: str, origin: str = "") -> None:
        if not path.startswith("/") or not names.is_public(path[1:]):
            raise ConfigurationError(
                f"got {path!r} as the prefix of the assets, expected a path such as '/static'.",
                fix="Begin it with one slash, end it without one, and leave dots out.",
            )
        if origin and (not origin.startswith(("https://", "http://", "//")) or origin[-1] == "/"):
            raise ConfigurationError(
                f"got {origin!r} as the origin of the assets, expected a scheme and a host such "
                "as 'https://cdn.example'.",
                fix="Leave out the slash at its end.",
            )
        self.path = path
        self.origin = origin
        self._begin = path + "/"
        self._base = origin + names.quoted(path) + "/"

    def name(self, path: str) -> str | None:
        """Return what follows the prefix in a decoded path, None where it isn't under it."""
        return path[len(self._begin) :] if path.startswith(self._begin) else None

    def url(self, name: str) -> str:
        """Return the URL of `name`."""
        return self._base + names.quoted(name)

    def location(self, name: str, query: str) -> str:
        """Return the path of `name` on this site, with the request's query."""
        kept = f"?{quote(query, safe=_QUERY)}" if query else ""
        return names.quoted(f"{self.path}/{name}") + kept

    @staticmethod
    def split(name: str, find: Lookup) -> tuple[str, str]:
        """Return (name, rest) of `icons.svg#home`, unless a file has that whole name."""
        if find(name) is None:
            for mark in ("?", "#"):
                plain, found, rest = name.partition(mark)
                if found:
                    before, inner, fragment = plain.partition("#")
                    return before, inner + fragment + mark + rest
        return name, ""


def missing(name: str, known: Iterable[str], expected: str) -> AssetNotFound:
    """Return the error for an asset that isn't there, with the nearest name that is."""
    found = f"got the asset {name!r}, expected {expected}."
    if name.startswith("/"):
        return AssetNotFound(found, fix=f"Leave out the slash: {name.lstrip('/')!r}.")
    if names.is_wellformed(name) and names.is_hidden(name):
        return AssetNotFound(found, fix="Files of this kind are never served; rename it.")
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.6) or [
        other for other in known if other.rpartition("/")[2] == name.rpartition("/")[2]
    ]
    fix = f"Did you mean {near[0]!r}?" if near else "Create the file, or correct the name."
    return AssetNotFound(found, fix=fix)
