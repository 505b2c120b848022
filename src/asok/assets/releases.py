"""Which file a requested path means: of this release, of an earlier one, or of no known one.

Both forms of URLs are understood whatever the current one is, because a site that changes
its form is asked for the other one by the pages of the last release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from asok.assets import names
from asok.assets.breaker import Age, Breaker
from asok.assets.digest import plain_name
from asok.assets.manifest import Entry, Form, Kept, Manifest
from asok.errors import AssetError, ConfigurationError

__all__ = ["Found", "Moved", "Premature", "Releases", "checked_release"]

# One segment of a URL that needs no escape; a dot in front would be a hidden folder.
_TOKEN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}")


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and whether its URL never means another one."""

    entry: Entry
    forever: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """The file is only there in the current release, as `path` below the prefix."""

    path: str


class Premature:
    """The URL is of a release that this instance has yet to get."""


class Releases:
    """The files of a manifest by requested path."""

    def __init__(self, manifest: Manifest) -> None:
        self._files = manifest.files
        self._token = manifest.token
        self._form: Form = manifest.form
        self._published = manifest.published()
        self._kept: dict[str, Kept] = {release.token: release for release in manifest.kept}
        self.breaker = Breaker(manifest.token, tuple(manifest.ledger))

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(name.partition("/")[0] for name in self._files if "/" in name)

    def path(self, name: str) -> str:
        """Return the path below the prefix of the file `name`; a plain one where it's unknown."""
        entry = self._files.get(name)
        if entry is None:
            return name
        return f"{self._token}/{name}" if self._form == "prefix" else entry.path

    def find(self, path: str) -> Found | Moved | Premature | None:
        """Return what `path`, below the prefix and decoded, means; None where it is nothing."""
        entry = self._published.get(path)
        if entry is not None:
            return Found(entry, forever=True)
        if path in self._files:
            return None if names.is_hidden(path) else Found(self._files[path], forever=False)
        token, _, name = path.partition("/")
        if name:
            released = self._released(token, name)
            if released is not None:
                return Found(released, forever=True)
        plain = plain_name(path)
        if plain is not None and plain in self._files and not names.is_hidden(plain):
            # A digest that is not known here: in a rolling deploy the page may come from a
            # newer host than the file.
            return Found(self._files[plain], forever=False)
        if self._form == "prefix" and _TOKEN.fullmatch(token) and names.is_public(name):
            return self._other(token, name)
        return None

    def _released(self, token: str, name: str) -> Entry | None:
        if token == self._token:
            return self._files.get(name)
        kept = self._kept.get(token)
        return None if kept is None else kept.find(name, self._files)

    def _other(self, token: str, name: str) -> Found | Moved | Premature | None:
        """The file by a token whose release is not kept here."""
        if token == self._token or token in self._kept or "\ufffd" in name:  # of no UTF-8
            return None
        here, age = name in self._files, self.breaker.age(token)
        if age is Age.NEWER and (here or token not in self._folders):
            return Premature()  # also of a file that the release brings
        if not here:
            return None
        if age is Age.OLDER:
            return Moved(self.path(name))
        if token in self._folders:
            return None  # no token
        # Redirecting an unknown token loops between two instances; refusing it breaks a page.
        return Found(self._files[name], forever=False)


def checked_release(token: str, assets: Iterable[str], *, form: Form) -> str:
    """Return the token of a release; an empty one stands for the digest of the tree.

    Raises `ConfigurationError` for one that can't be a segment of a URL, and `AssetError` for
    the name of a folder of the `assets`, where both forms of a URL would look alike.
    """
    if token and not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f"got the release {token!r}, expected up to 64 letters, digits, '-', '_', '.' and "
            "'~', and no dot in front.",
            fix="Set ASOK_RELEASE to a tag (v1.4.2), a commit or the number of a CI run.",
        )
    if token and form == "prefix" and any(name.startswith(f"{token}/") for name in assets):
        raise AssetError(
            f"got the release {token!r}, which is also a folder of the assets.",
            fix="Set another ASOK_RELEASE, or rename the folder.",
        )
    return token
