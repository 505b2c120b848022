"""The templates of a site, and the addresses that they write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asok import backends, dependencies
from asok.assets import Assets
from asok.cache import Cache
from asok.jinja import Templates
from asok.pages import Router
from asok.settings import Settings

__all__ = ["Addresses", "make_templates"]


class Addresses:
    """Assets and pages by name, below the site's mount."""

    def __init__(self, assets: Assets, router: Router, base_path: str) -> None:
        self.assets = assets
        self._router = router
        self._base_path = base_path

    def static(self, name: str) -> str:
        """`{{ static('css/base.css') }}`: the URL of an asset."""
        return dependencies.asset(name, self._base_path + self.assets.url(name))

    def url(self, pattern: str, /, **params: Any) -> str:
        """`{{ url('/blog/[slug]', slug=post.slug) }}`: a page's address."""
        return self._base_path + self._router.url(pattern, params)


def make_templates(
    settings: Settings, source: Path, *, addresses: Addresses, cache: Cache
) -> Templates:
    """Return the templates below `source` (components, partials, templates)."""
    return Templates(
        roots=[source / name for name in ("components", "partials", "templates")],
        bytecode=None if settings.debug else settings.state_folder / "bytecode",
        auto_reload=settings.debug,
        globals={"static": addresses.static, "url": addresses.url},
        fragments=backends.CachedFragments(cache),
    )
