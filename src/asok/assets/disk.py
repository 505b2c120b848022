"""Assets in development: every request reads the disk, so an edited file is seen at once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from asok.assets import names, source_maps
from asok.assets.digest import content_digest, integrity
from asok.assets.encoding import IDENTITY
from asok.assets.files import FileSlice, locate, snapshot
from asok.assets.manifest import Linked
from asok.assets.media import is_font, is_module, media_type
from asok.assets.pins import read_pins
from asok.assets.plan import Header, Plan, Resource, Variant, respond
from asok.assets.scan import Root, roots_of, scan
from asok.assets.urls import Prefix, missing
from asok.assets.vite import bundles
from asok.assets.vite_server import ViteServer
from asok.errors import AssetNotFound

__all__ = ["CORS", "LARGEST_DIGESTED", "DiskAssets", "disk_resource"]

#: Files up to this many bytes are read and digested for their entity tag; a larger one is
#: told apart by its size and time of change.
LARGEST_DIGESTED = 8 * 1024 * 1024

#: Fonts are fetched in CORS mode, so that a CDN's answer needs this (Fetch, section 4.9).
CORS: tuple[Header, ...] = ((b"access-control-allow-origin", b"*"),)


class DiskAssets:
    """The files of `roots` under `prefix`, straight from the disk, revalidated every time.

    While Vite's development `server` answers, the sources of Vite are there by their own names.
    Names are plain (`/static/css/base.css`); a name that isn't there raises `AssetNotFound`.
    """

    def __init__(
        self,
        roots: Sequence[Root | Path | str],
        prefix: str = "/static",
        *,
        pins: Path | None = None,
        server: ViteServer | None = None,
    ) -> None:
        self.roots = roots_of(roots)
        self._server = server
        self._prefix = Prefix(prefix)
        self._pins = pins

    @property
    def prefix(self) -> str:
        """The path that every URL here begins with, without a slash at its end."""
        return self._prefix.path

    @property
    def origin(self) -> str:
        """Nothing: while developing, files come from the site."""
        return ""

    def url(self, name: str) -> str:
        """Return the URL of `name`, `#fragment` and `?query` kept. Raises `AssetNotFound`."""
        plain, rest = self._prefix.split(name, self._find)
        if self._find(plain) is None and (server := self._serving(plain)) is not None:
            return server.address(plain) + rest
        return self._prefix.url(self.asset(plain)) + rest

    @property
    def vite(self) -> ViteServer | None:
        """Vite's development server; None where none answers."""
        return self._server if self._server is not None and self._server.answers() else None

    def asset(self, name: str) -> str:
        """Return the name of the asset that Vite made of `name`, or `name` itself.

        Raises `AssetNotFound`.
        """
        if self._find(name) is not None or self._serving(name) is not None:
            return name
        for bundle in bundles(self.roots):
            if name in bundle.sources:
                return bundle.sources[name]
        raise self._missing(name)

    def linked(self, name: str) -> Linked:
        """Return what a module of Vite's needs; what others import is not looked for."""
        for bundle in () if self._serving(name) else bundles(self.roots):
            if name in bundle.imports:
                return Linked(list(bundle.imports[name]), list(bundle.css[name]))
        return Linked()

    def modules(self) -> list[str]:
        """Return the names of all scripts."""
        return [name for name in scan(self.roots) if is_module(name)]

    def pins(self) -> dict[str, str]:
        """Return the further names of modules. Raises `AssetError`."""
        return read_pins(self._pins, scan(self.roots)) if self._pins is not None else {}

    def integrity(self, name: str) -> str:
        """Return `sha384-…` of the file as it is now. Raises `AssetNotFound`."""
        found = self._find(self.asset(name))
        return "" if found is None else integrity(found.read())

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` isn't under the prefix.

        `path` is percent-decoded, `headers` are pairs of bytes with lower-case names.
        """
        name = self._prefix.name(path)
        return None if name is None else respond(self._resource(name), method, headers)

    def ready(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Nothing is ready: every request reads the disk."""

    def _serving(self, name: str) -> ViteServer | None:
        return self.vite if self._server is not None and self._server.has(name) else None

    def _missing(self, name: str) -> AssetNotFound:
        folders = " or ".join(str(root.folder) for root in self.roots)
        return missing(name, scan(self.roots), f"a file in {folders}")

    def _find(self, name: str) -> FileSlice | None:
        if not names.is_public(name) and not self._is_linked_map(name):
            return None
        for root in self.roots:
            inner = root.inner(name)
            if inner is None:
                continue
            base = root.folder.resolve()
            real = locate(base, inner)
            if real is not None:
                return FileSlice(real, 0, real.stat().st_size, base)
        return None

    def _is_linked_map(self, name: str) -> bool:
        # A map is served for the tools of whoever develops, where its script links it.
        if not name.endswith(names.MAP) or not names.is_publishable(name):
            return False
        script = self._find(name.removesuffix(names.MAP))
        if script is None or script.length > LARGEST_DIGESTED:
            return False
        found = source_maps.link(script.read().decode("utf-8", "replace"))
        return found is not None and found.url == posixpath.basename(name)

    def _resource(self, name: str) -> Resource | None:
        try:
            found = self._find(name)
            return (
                None
                if found is None
                else disk_resource(name, found, "no-cache", limit=LARGEST_DIGESTED)
            )
        except OSError:  # removed or swapped between the look and the reading
            return None


def disk_resource(
    name: str,
    found: FileSlice,
    cache_control: str | None,
    *,
    compressed: Mapping[str, FileSlice] | None = None,
    limit: int = LARGEST_DIGESTED,
) -> Resource:
    """Return a file of the disk, as it is now, as a resource. Raises `OSError`.

    `compressed` holds files with the same content by content coding. A file beyond `limit`
    bytes is not read: its tag is its time of change and its size.
    """
    media = media_type(name)
    variants: list[Variant] = []
    modified = 0
    for coding, file in {IDENTITY: found, **(compressed or {})}.items():
        body, status = snapshot(file.path, file.root, limit=limit)
        if isinstance(body, bytes):
            tag, size = content_digest(body), len(body)
        else:
            tag, size = f"{status.st_mtime_ns:x}-{status.st_size:x}", body.length
        if coding == IDENTITY:
            modified = int(status.st_mtime)
        else:
            tag += f"-{coding}"
        variants.append(Variant(coding, f'"{tag}"', size, body))
    return Resource(
        media, tuple(variants), cache_control, modified, extra=CORS if is_font(media) else ()
    )
