"""Static assets: from folders of files to URLs and answers, without any framework.

`DiskAssets` serves the folders themselves (development), `ManifestAssets` what
`build_assets` made of them (production); both answer `url`, `integrity` and `plan`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asok.assets.api import Assets
from asok.assets.breaker import Age, Breaker
from asok.assets.current import configure_static, integrity, static
from asok.assets.disk import DiskAssets, disk_resource
from asok.assets.files import FileSlice
from asok.assets.manifest import Entry, Form, Linked, Manifest
from asok.assets.pins import site_pins
from asok.assets.plan import NOT_FOUND, Header, Plan, Resource, Variant, respond
from asok.assets.published import ManifestAssets
from asok.assets.scan import Root, scan, site_roots
from asok.assets.tags import AssetTags
from asok.assets.vite_server import ViteServer

if TYPE_CHECKING:
    from asok.assets.build import build_assets

__all__ = [
    "NOT_FOUND",
    "Age",
    "AssetTags",
    "Assets",
    "Breaker",
    "DiskAssets",
    "Entry",
    "FileSlice",
    "Form",
    "Header",
    "Linked",
    "Manifest",
    "ManifestAssets",
    "Plan",
    "Resource",
    "Root",
    "Variant",
    "ViteServer",
    "build_assets",
    "configure_static",
    "disk_resource",
    "integrity",
    "respond",
    "scan",
    "site_pins",
    "site_roots",
    "static",
]


def __getattr__(name: str) -> Any:
    # A server never builds, so it need not load the threads and fingerprints of a build.
    if name == "build_assets":
        from asok.assets.build import build_assets

        return build_assets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
