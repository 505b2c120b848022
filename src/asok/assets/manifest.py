"""The manifest of a build: what each name is published as, now and in the last releases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from asok.assets import names
from asok.assets.digest import tree_token
from asok.errors import AssetError

__all__ = ["FILE_NAME", "FORMAT", "Entry", "Kept", "Manifest"]

FILE_NAME = "manifest.json"
#: Raised whenever the meaning of a field changes; another format is not read.
FORMAT = 1

_Size = Annotated[int, Meta(ge=0)]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One published file: `path` in the output (hashed), and what its headers need.

    `codings` holds the size in bytes of each compressed variant, which lies beside the file
    (`.br`, `.gz`). `source` is the fingerprint of everything that the bytes were made from.
    """

    path: str
    digest: str
    size: _Size
    media: str
    integrity: str
    source: str = ""
    codings: dict[str, _Size] = {}


class Kept(msgspec.Struct, frozen=True):
    """Files of an earlier release that the current one no longer has, by hashed path."""

    token: str
    files: dict[str, Entry]


class Manifest(msgspec.Struct, frozen=True):
    """A release of the assets: its token, its files by name, and what earlier ones left."""

    format: int
    token: str
    files: dict[str, Entry]
    kept: list[Kept] = []

    @classmethod
    def of(cls, files: dict[str, Entry], kept: list[Kept]) -> Manifest:
        """Return the manifest of `files`; its token is a digest of names and contents."""
        ordered = dict(sorted(files.items()))
        token = tree_token({name: entry.digest for name, entry in ordered.items()})
        return cls(FORMAT, token, ordered, kept)

    @property
    def ledger(self) -> list[str]:
        """The tokens of the known releases, oldest to newest."""
        return [*(release.token for release in self.kept), self.token]

    def published(self) -> dict[str, Entry]:
        """Return every file by hashed path; the current release wins."""
        entries = {path: e for release in self.kept for path, e in release.files.items()}
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
            manifest = msgspec.json.decode(file.read_bytes(), type=cls)
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
        paths = [entry.path for entry in manifest.published().values()]
        if manifest.format != FORMAT or not all(map(names.is_public, paths)):
            raise AssetError(
                f"got a manifest of format {manifest.format}, expected {FORMAT} with paths "
                "inside its folder.",
                fix="Run `asok build` with this version.",
                file=file,
            )
        return manifest
