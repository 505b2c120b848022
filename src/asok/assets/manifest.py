"""The manifest of a build: what each name is published as, now and in the last releases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from asok.assets import names
from asok.assets.digest import tree_token
from asok.errors import AssetError

__all__ = ["FILE_NAME", "FORMAT", "Entry", "Form", "Kept", "Linked", "Manifest"]

FILE_NAME = "manifest.json"
#: Raised whenever the meaning of a field changes; another format is not read.
FORMAT = 2
_LONGEST_LEDGER = 100

_Size = Annotated[int, Meta(ge=0)]

#: How URLs change: each file's by its content, or all of them with the release.
Form = Literal["digest", "prefix"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One published file: `path` in the output (hashed), and what its headers need.

    `codings` holds the size in bytes of each compressed variant, which lies beside the file
    (`.br`, `.gz`, `.zst`). `source` is the fingerprint of everything that the bytes were made
    from.
    """

    path: str
    digest: str
    size: _Size
    media: str
    integrity: str
    source: str = ""
    codings: dict[str, _Size] = {}


class Linked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a module needs: the modules that it imports and theirs, and its stylesheets."""

    imports: list[str] = []
    css: list[str] = []


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an earlier release differs from the current one.

    `files` are those that were other then, by name; `absent` the names that were not there.
    """

    token: str
    files: dict[str, Entry]
    absent: list[str] = []

    @classmethod
    def of(cls, token: str, then: dict[str, Entry], now: dict[str, Entry]) -> Kept:
        """Return what is to be remembered of the release that had the files `then`."""
        other = {n: entry for n, entry in sorted(then.items()) if now.get(n) != entry}
        return cls(token, other, sorted(now.keys() - then.keys()))

    def all_files(self, now: dict[str, Entry]) -> dict[str, Entry]:
        """Return every file of that release by name, where the current ones are `now`."""
        absent = set(self.absent)
        return {name: entry for name, entry in now.items() if name not in absent} | self.files

    def find(self, name: str, now: dict[str, Entry]) -> Entry | None:
        """Return the file that was called `name` in that release."""
        return self.files.get(name) or (None if name in self.absent else now.get(name))


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release of the assets: its token, its files by name, and what earlier ones left.

    `tree` is the digest of all names and contents, and the token where no other was given.
    `ledger` are the tokens of the deploys before, oldest first. `pins` are bare names of
    modules that stand for an asset or a URL, `sources` those that Vite knows its files by.
    """

    format: int
    token: str
    tree: str
    form: Form
    files: dict[str, Entry]
    kept: list[Kept] = []
    earlier: list[str] = []
    pins: dict[str, str] = {}
    sources: dict[str, str] = {}
    linked: dict[str, Linked] = {}

    @classmethod
    def of(cls, files: dict[str, Entry], *, token: str = "", form: Form = "digest") -> Manifest:
        """Return the manifest of `files` alone, without a past."""
        ordered = dict(sorted(files.items()))
        tree = tree_token({name: entry.digest for name, entry in ordered.items()})
        return cls(FORMAT, token or tree, tree, form, ordered)

    @property
    def ledger(self) -> list[str]:
        """The tokens of the known deploys, oldest to newest."""
        return [*self.earlier, self.token]

    def after(self, before: Manifest | None) -> list[str]:
        """Return the ledger of the deploys before this one, where `before` was the last.

        A release that is built again is no new deploy; one that returns after another is.
        """
        if before is None:
            return []
        ledger = before.earlier if before.token == self.token else before.ledger
        return ledger[-_LONGEST_LEDGER:]

    def published(self) -> dict[str, Entry]:
        """Return every file by hashed path; the current release wins."""
        entries = {e.path: e for release in self.kept for e in release.files.values()}
        return entries | {entry.path: entry for entry in self.files.values()}

    def encode(self) -> bytes:
        """Return the same bytes for the same manifest, readable, one line for each field."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1) + b"\n"

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Return the manifest in `folder`.

        Raises `AssetError` where it is absent, cut, of another format, or names a file
        outside the folder.
        """
        file = folder / FILE_NAME
        try:
            data = file.read_bytes()
            found = msgspec.json.decode(data, type=_Versioned).format
            manifest = msgspec.json.decode(data, type=cls) if found == FORMAT else None
        except FileNotFoundError as error:
            raise AssetError(
                "got no manifest of the assets, expected one made by the build.",
                fix="Run `asok build`.",
                file=file,
            ) from error
        except (msgspec.DecodeError, OSError) as error:
            raise AssetError(
                f"the manifest of the assets can't be read: {error}.",
                fix="Run `asok build` again.",
                file=file,
            ) from error
        if manifest is None or not names.are_publishable(_paths(manifest)):
            raise AssetError(
                f"got a manifest of format {found}, expected {FORMAT} with paths inside its "
                "folder.",
                fix="Run `asok build` with this version.",
                file=file,
            )
        return manifest


class _Versioned(msgspec.Struct):
    """A manifest of which only the format is known."""

    format: int


def _paths(manifest: Manifest) -> list[str]:
    kept = [entry.path for release in manifest.kept for entry in release.files.values()]
    return [*kept, *(entry.path for entry in manifest.files.values())]
