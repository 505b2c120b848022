"""The templates of a site, and the addresses that they write."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from asok import dependencies
from asok.assets import Assets, AssetTags, ManifestAssets
from asok.cache import Cache
from asok.jinja import Templates
from asok.jinja.cached_fragments import CachedFragments
from asok.jinja.visitor import nonce_attribute
from asok.pages import Router
from asok.settings import Settings

__all__ = ["Addresses", "make_templates"]


class Addresses:
    """Assets and pages by name, below the site's mount.

    What a page shows of assets is noted by a name that `shown` answers, so that a build knows
    whether it would come out the same.
    """

    def __init__(self, assets: Assets, router: Router, base_path: str) -> None:
        self.assets = assets
        self._router = router
        self._base_path = base_path

    def static(self, name: str) -> str:
        """`{{ static('css/base.css') }}`: the URL of an asset."""
        return dependencies.asset(name, self._address(name))

    def integrity(self, name: str) -> str:
        """`{{ integrity('css/base.css') }}`: the value of an `integrity` attribute."""
        return self._noted("integrity", name)

    def preload(self, name: str, *, integrity: bool = False) -> Markup:
        """`{{ preload('fonts/a.woff2') }}`: a `<link rel="preload">`."""
        return Markup(self._noted("checked preload" if integrity else "preload", name))  # noqa: S704

    def modulepreload(self, *names: str) -> Markup:
        """`{{ modulepreload('js/app.js') }}`: links for a module and all that it imports."""
        return Markup(self._noted("modulepreload", *names))  # noqa: S704

    def importmap(self, *names: str) -> Markup:
        """`{{ importmap() }}`: the import map of all modules, or of some and their imports."""
        text = self._noted("importmap", *names)
        return Markup(f'<script{nonce_attribute()} type="importmap">{text}</script>')  # noqa: S704

    def vite(self, *names: str, react: bool = False) -> Markup:
        """`{{ vite('src/main.ts') }}`: the tags of an entry that Vite built, or serves now.

        `react` is for the development server alone: components are replaced as they are edited.
        """
        server = self.assets.vite
        if server is not None:
            return Markup(server.tags(names, nonce=nonce_attribute(), react=react))  # noqa: S704
        return Markup(self._noted("vite", *names))  # noqa: S704

    def shown(self, name: str) -> str:
        """Return what is noted of an asset now, by the name that it was noted by."""
        kind, mark, rest = name.partition(": ")
        if mark and kind in self._kinds():
            return self._text(kind, *rest.split("\n")) if rest else self._text(kind)
        return self._address(name)

    def _noted(self, kind: str, *names: str) -> str:
        text = self._text(kind, *names)
        # No name of an asset holds a colon or a line break.
        dependencies.asset(f"{kind}: " + "\n".join(names), text)
        return text

    def _text(self, kind: str, *names: str) -> str:
        return self._kinds()[kind](*names)

    def _kinds(self) -> dict[str, Callable[..., str]]:
        built = isinstance(self.assets, ManifestAssets)
        tags = AssetTags(self.assets, self._address, checked=built)
        return {
            "integrity": self.assets.integrity,
            "preload": tags.preload,
            "checked preload": partial(tags.preload, integrity=True),
            "modulepreload": tags.modulepreload,
            "importmap": tags.importmap,
            "vite": tags.vite,
        }

    def _address(self, name: str) -> str:
        url = self.assets.url(name)
        return url if self.assets.origin or not url.startswith("/") else self._base_path + url

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
        globals={
            "importmap": addresses.importmap,
            "integrity": addresses.integrity,
            "modulepreload": addresses.modulepreload,
            "preload": addresses.preload,
            "static": addresses.static,
            "url": addresses.url,
            "vite": addresses.vite,
        },
        fragments=CachedFragments(cache),
    )
