"""HTML tags for assets: preloads, the import map, the tags of a Vite entry; as plain text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from asok.assets.api import Assets
from asok.assets.markup import tag
from asok.assets.media import media_type, preload_as
from asok.assets.pins import is_url

__all__ = ["AssetTags"]

# In a script element nothing else ends the text or hides its end (HTML, section 13.2.5.15).
_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class AssetTags:
    """The tags of `assets`. `address` gives the URL that a page writes for a name.

    Where the assets are of another origin, scripts and styles are fetched with CORS, without
    which a browser can't compare their integrity. With `checked` tags hold integrities; while
    developing they do not, since files change under an open page.
    """

    def __init__(
        self,
        assets: Assets,
        address: Callable[[str], str],
        *,
        checked: bool = True,
    ) -> None:
        self._assets = assets
        self._address = address
        self._foreign = bool(assets.origin)
        self._checked = checked

    def preload(self, name: str, *, integrity: bool = False) -> str:
        """Return `<link rel="preload">`: fetch it now, it will be needed.

        Pass `integrity` where the tag that uses the file has one, or it is fetched twice.
        """
        media = media_type(self._assets.asset(name))
        kind = preload_as(media)
        return tag(
            "link",
            rel="preload",
            href=self._address(name),
            **{"as": kind},
            type=media.partition(";")[0] if kind in ("font", "image", "style") else None,
            integrity=(self._assets.integrity(name) or None) if integrity else None,
            # Fonts and `fetch()` are CORS requests wherever they come from (Fetch, 4.9).
            crossorigin="anonymous" if self._foreign or kind in ("font", "fetch") else None,
        )

    def modulepreload(self, *names: str) -> str:
        """Return `<link rel="modulepreload">` for modules and all that they import, each once."""
        found: dict[str, None] = {}
        for name in names:
            asset = self._assets.asset(name)
            found.update(dict.fromkeys((asset, *self._assets.linked(asset).imports)))
        return "\n".join(self._module_link(name) for name in found)

    def importmap(self, *names: str) -> str:
        """Return the import map as JSON for a script element.

        It maps every script by its name and every pin; with `names` only those and what they
        import. Integrity covers the modules that are mapped.
        """
        pins = self._assets.pins()
        scripts: Iterable[str] = self._assets.modules()
        if names:
            wanted = {pins.get(name, name): None for name in names}
            for name in [*wanted]:
                wanted.update(dict.fromkeys(self._assets.linked(name).imports))
            scripts = [name for name in wanted if not is_url(name)]
            pins = {bare: goal for bare, goal in pins.items() if goal in wanted or is_url(goal)}
        urls = {name: self._address(name) for name in sorted(scripts)}
        imports = dict(urls)
        for bare, goal in sorted(pins.items()):
            imports[bare] = goal if is_url(goal) else self._address(goal)
        shown: dict[str, dict[str, str]] = {"imports": imports}
        if self._checked:
            digests = {url: self._assets.integrity(name) for name, url in urls.items()}
            shown["integrity"] = {url: digest for url, digest in digests.items() if digest}
        text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
        return text.translate(_IN_SCRIPT)

    def vite(self, *names: str) -> str:
        """Return the tags of entries that Vite built: stylesheets, preloads, scripts."""
        styles: dict[str, None] = {}
        preloads: dict[str, None] = {}
        entries = [self._assets.asset(name) for name in names]
        for entry in entries:
            linked = self._assets.linked(entry)
            styles.update(dict.fromkeys(linked.css))
            preloads.update(dict.fromkeys(linked.imports))
        scripts = [entry for entry in entries if not entry.endswith(".css")]
        styles.update(dict.fromkeys(entry for entry in entries if entry.endswith(".css")))
        tags = [
            tag("link", rel="stylesheet", href=self._address(name), **self._sri(name))
            for name in styles
        ]
        tags += [self._module_link(name) for name in preloads if name not in scripts]
        for name in scripts:
            script = tag("script", type="module", src=self._address(name), **self._sri(name))
            tags.append(f"{script}</script>")
        return "\n".join(tags)

    def _module_link(self, name: str) -> str:
        return tag("link", rel="modulepreload", href=self._address(name), **self._sri(name))

    def _sri(self, name: str) -> dict[str, str | None]:
        return {
            "integrity": (self._assets.integrity(name) or None) if self._checked else None,
            "crossorigin": "anonymous" if self._foreign else None,
        }
