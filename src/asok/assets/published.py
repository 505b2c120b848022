"""Assets in production: an immutable snapshot of what the build published.

Everything is known from the manifest, so a request is a look-up in a dictionary and a name
that the manifest doesn't hold is a 404 without a look at the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path

from asok.assets import retention
from asok.assets.breaker import Breaker
from asok.assets.digest import plain_name
from asok.assets.disk import CORS
from asok.assets.encoding import IDENTITY
from asok.assets.files import FileSlice
from asok.assets.manifest import Entry, Manifest
from asok.assets.media import is_font
from asok.assets.plan import Header, Plan, Resource, Variant, respond
from asok.assets.urls import Prefix

__all__ = ["IMMUTABLE", "ManifestAssets"]

log = logging.getLogger("asok.assets")

#: One year, the longest that RFC 9111 caches heed; the content of a hashed name never changes.
IMMUTABLE = "public, max-age=31536000, immutable"

_MOST_MISSING = 1000
_MOST_URLS = 10_000


class ManifestAssets:
    """The output of `build_assets` in `folder`, served under `prefix`.

    A hashed name (`/static/css/base-<digest>.css`) is immutable, of the current release and
    of the earlier ones that the manifest remembers. A plain name gives the current bytes
    with `plain_cache_control`, and so does a hashed name of a release that is not known
    here: in a rolling deploy the page may come from a newer host than the file.

    Files up to `largest` bytes are kept in memory when first asked for, until `memory` bytes
    are spent; the others are sent from the disk. `origin` is a CDN's, for `url` alone.
    Raises `AssetError` where the manifest can't be read.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str = "/static",
        *,
        origin: str = "",
        plain_cache_control: str = "public, no-cache",
        memory: int = 32 * 1024 * 1024,
        largest: int = 256 * 1024,
    ) -> None:
        self._prefix = Prefix(prefix, origin)
        self._folder = folder.resolve()
        self._manifest = Manifest.load(folder)
        self._files = self._manifest.files
        self._published = self._manifest.published()
        self._plain_cache_control = plain_cache_control
        self._left = memory
        self._largest = largest
        # By logical and by hashed name; bounded, since only names of the manifest get in.
        self._resources: dict[str, Resource] = {}
        self._bodies: dict[str, bytes] = {}
        self._missing: set[str] = set()
        #: Templates ask for the same few names over and over.
        self._urls: dict[str, str] = {}

    @property
    def prefix(self) -> str:
        """The path that every URL here begins with, without a slash at its end."""
        return self._prefix.path

    @property
    def token(self) -> str:
        """The digest of the whole tree; the same on every host that serves this build."""
        return self._manifest.token

    @property
    def names(self) -> Collection[str]:
        """The names of the current release, as `url` takes them."""
        return self._files.keys()

    @property
    def breaker(self) -> Breaker:
        """The release's token and the ledger of those before it."""
        return Breaker(self._manifest.token, tuple(self._manifest.ledger))

    def url(self, name: str) -> str:
        """Return the hashed URL of `name`, `#fragment` and `?query` kept.

        A name that was not built is logged once and gives the plain URL: a missing image
        must not take the page down with it.
        """
        known = self._urls.get(name)
        if known is not None:
            return known
        plain, rest = self._prefix.split(name, self._files.get)
        entry = self._entry(plain)
        url = self._prefix.url(plain if entry is None else entry.path) + rest
        if entry is not None and len(self._urls) < _MOST_URLS:
            self._urls[name] = url
        return url

    def integrity(self, name: str) -> str:
        """Return `sha384-…` of `name`; empty, and logged once, where it was not built."""
        entry = self._entry(name)
        return "" if entry is None else entry.integrity

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` isn't under the prefix.

        `path` is percent-decoded, `headers` are pairs of bytes with lower-case names.
        """
        name = self._prefix.name(path)
        if name is None:
            return None
        resource = self._resources.get(name) or self._resource(name)
        return respond(resource, method, headers)

    def _entry(self, name: str) -> Entry | None:
        entry = self._files.get(name)
        if entry is None and name not in self._missing and len(self._missing) < _MOST_MISSING:
            self._missing.add(name)
            log.error(
                "the asset %r is not in the manifest of %s; its plain URL is used",
                name,
                self._folder,
            )
        return entry

    def _resource(self, name: str) -> Resource | None:
        entry = self._published.get(name)
        if entry is not None:
            caching = IMMUTABLE
        else:
            plain = name if name in self._files else plain_name(name)
            entry = self._files.get(plain) if plain is not None else None
            if entry is None:
                return None
            caching = self._plain_cache_control
        media, extra = entry.media, CORS if is_font(entry.media) else ()
        try:
            variants = tuple(
                Variant(
                    coding,
                    f'"{entry.digest}"' if coding == IDENTITY else f'"{entry.digest}-{coding}"',
                    size,
                    self._body(path, size),
                )
                for coding, path, size in _forms(entry)
            )
        except OSError as error:
            log.error("the published file %s can't be read: %s", entry.path, error)
            return None
        resource = Resource(media, variants, caching, extra=extra)
        if caching == IMMUTABLE or name in self._files:
            self._resources[name] = resource
        return resource

    def _body(self, path: str, size: int) -> bytes | FileSlice:
        known = self._bodies.get(path)
        if known is not None:
            return known
        where = FileSlice(self._folder / path, 0, size, self._folder)
        if size > self._largest or size > self._left:
            where.open().close()  # absent or cut: a 404 now, not half an answer later
            return where
        data = self._bodies[path] = where.read()
        self._left -= size
        return data


def _forms(entry: Entry) -> list[tuple[str, str, int]]:
    compressed = [(c, retention.variant(entry, c), size) for c, size in entry.codings.items()]
    return [(IDENTITY, entry.path, entry.size), *compressed]
