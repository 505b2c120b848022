"""Static assets: from folders of files to URLs and answers, without any framework.

`DiskAssets` serves the folders themselves (development), `ManifestAssets` what
`build_assets` made of them (production); both answer `url`, `integrity` and `plan`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from asok.assets.breaker import Age, Breaker
from asok.assets.disk import DiskAssets, disk_resource
from asok.assets.files import FileSlice
from asok.assets.manifest import Entry, Manifest
from asok.assets.plan import NOT_FOUND, Header, Plan, Resource, Variant, respond
from asok.assets.published import ManifestAssets
from asok.assets.scan import Root, scan, site_roots

if TYPE_CHECKING:
    from asok.assets.build import build_assets

__all__ = [
    "NOT_FOUND",
    "Age",
    "Assets",
    "Breaker",
    "DiskAssets",
    "Entry",
    "FileSlice",
    "Header",
    "Manifest",
    "ManifestAssets",
    "Plan",
    "Resource",
    "Root",
    "Variant",
    "build_assets",
    "disk_resource",
    "respond",
    "scan",
    "site_roots",
]


class Assets(Protocol):
    """What the application needs of its assets, in development and in production."""

    @property
    def prefix(self) -> str:
        """The path that every URL begins with, without a slash at its end."""
        ...

    def url(self, name: str) -> str:
        """Return the URL of the asset `name`."""
        ...

    def integrity(self, name: str) -> str:
        """Return the `integrity` of the asset `name`."""
        ...

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` isn't one of the assets'."""
        ...


def __getattr__(name: str) -> Any:
    # A server never builds, so it need not load the threads and fingerprints of a build.
    if name == "build_assets":
        from asok.assets.build import build_assets

        return build_assets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
