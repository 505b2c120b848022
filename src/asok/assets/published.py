"""Assets in production: an immutable snapshot of what the build published.

Everything is known from the manifest, so a request is a look-up in a dictionary and a name
that the manifest doesn't hold is a 404 without a look at the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from asok.assets import names, retention
from asok.assets.breaker import Breaker
from asok.assets.disk import CORS
from asok.assets.encoding import IDENTITY
from asok.assets.files import FileSlice
from asok.assets.manifest import Entry, Linked, Manifest
from asok.assets.media import is_font, is_module
from asok.assets.plan import PREMATURE, Header, Plan, Resource, Variant, moved, respond
from asok.assets.releases import Found, Moved, Releases
from asok.assets.urls import Prefix

__all__ = ["IMMUTABLE", "ManifestAssets"]

log = logging.getLogger("asok.assets")

#: One year, the longest that RFC 9111 caches heed; the content of a hashed name never changes.
IMMUTABLE = "public, max-age=31536000, immutable"

_MOST_MISSING = 1000
_MOST_URLS = 10_000
_NOTHING = Linked()


class ManifestAssets:
    """The output of `build_assets` in `folder`, served under `prefix`.

    A URL with a digest (`/static/css/base-<digest>.css`) or with a release
    (`/static/<token>/css/base.css`) is immutable, of the current release and of the earlier
    ones that the manifest remembers. A plain name gives the current bytes with
    `plain_cache_control`, and so does a URL of a release that is not known here: in a rolling
    deploy the page may come from a newer host than the file. A release that is known to be
    older is redirected, one that is known to be newer is a 503 (`Breaker`).

    Files up to `largest` bytes are kept in memory when first asked for, until `memory` bytes
    are spent; the others are sent from the disk. `origin` is a CDN's, for `url` alone; its
    answers carry what scripts of another origin need. `mount` is the path before `prefix`
    where the site is not at the root. Raises `AssetError` where the manifest can't be read.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str = "/static",
        *,
        origin: str = "",
        mount: str = "",
        plain_cache_control: str = "public, no-cache",
        memory: int = 32 * 1024 * 1024,
        largest: int = 256 * 1024,
    ) -> None:
        self._prefix = Prefix(prefix, origin)
        self._mount = mount
        self._folder = folder.resolve()
        self._manifest = Manifest.load(folder)
        self._files = self._manifest.files
        self._releases = Releases(self._manifest)
        self._plain_cache_control = plain_cache_control
        self._left = memory
        self._largest = largest
        # By requested path; bounded, since only files of the manifest get in.
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
    def origin(self) -> str:
        """What stands before the prefix in URLs: a CDN's origin, or nothing."""
        return self._prefix.origin

    @property
    def vite(self) -> None:
        """Nothing: what Vite made is built."""

    @property
    def token(self) -> str:
        """The token of the release; the same on every host that serves this build."""
        return self._manifest.token

    @property
    def fingerprint(self) -> str:
        """What stands for all URLs here: another one wherever one of them is another."""
        tree, form = self._manifest.tree, self._manifest.form
        return f"{tree} {self.token if form == 'prefix' else ''} {self._prefix.url('')}"

    @property
    def names(self) -> Collection[str]:
        """The names of the current release, as `url` takes them."""
        return self._files.keys()

    @property
    def breaker(self) -> Breaker:
        """The release's token and the ledger of those before it."""
        return self._releases.breaker

    def url(self, name: str) -> str:
        """Return the URL of `name`, `#fragment` and `?query` kept.

        A name that was not built is logged once and gives the plain URL: a missing image
        must not take the page down with it.
        """
        known = self._urls.get(name)
        if known is not None:
            return known
        plain, rest = self._prefix.split(name, self._find)
        there = self._entry(plain) is not None
        url = self._prefix.url(self._releases.path(self.asset(plain))) + rest
        if there and len(self._urls) < _MOST_URLS:
            self._urls[name] = url
        return url

    def integrity(self, name: str) -> str:
        """Return `sha384-…` of `name`; empty, and logged once, where it was not built."""
        entry = self._entry(name)
        return "" if entry is None else entry.integrity

    def asset(self, name: str) -> str:
        """Return the name of the asset that Vite made of `name`, or `name` itself."""
        return name if name in self._files else self._manifest.sources.get(name, name)

    def linked(self, name: str) -> Linked:
        """Return what the module `name` needs at once."""
        return self._manifest.linked.get(name, _NOTHING)

    def modules(self) -> list[str]:
        """Return the names of all scripts."""
        return [name for name in self._files if is_module(name)]

    def pins(self) -> Mapping[str, str]:
        """Return the further names of modules: each an asset's name or a URL."""
        return self._manifest.pins

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` isn't under the prefix.

        `path` is percent-decoded, `headers` are pairs of bytes with lower-case names.
        """
        resource = self._resources.get(path)
        if resource is None:
            name = self._prefix.name(path)
            if name is None:
                return None
            resource = self._resource(path, name, query)
        return respond(resource, method, headers)

    def ready(self, path: str, headers: Mapping[bytes, bytes]) -> Plan | None:
        """Return the 200 that a GET got before, None where `plan` is to be asked.

        Its body is in memory. `headers` are the request's, each of which is there once.
        """
        resource = self._resources.get(path)
        return None if resource is None else resource.ready(headers)

    def _find(self, name: str) -> Entry | None:
        return self._files.get(self.asset(name))

    def _entry(self, name: str) -> Entry | None:
        entry = self._find(name)
        if entry is None and name not in self._missing and len(self._missing) < _MOST_MISSING:
            self._missing.add(name)
            log.error(
                "the asset %r is not in the manifest of %s; its plain URL is used",
                name,
                self._folder,
            )
        return entry

    def _resource(self, path: str, name: str, query: str) -> Resource | Plan | None:
        found = self._releases.find(name)
        if found is None:
            return None
        if isinstance(found, Moved):
            return moved(names.quoted(self._mount) + self._prefix.location(found.path, query))
        if not isinstance(found, Found):
            return PREMATURE
        entry = found.entry
        caching = IMMUTABLE if found.forever else self._plain_cache_control
        try:
            variants = tuple(
                Variant(
                    coding,
                    f'"{entry.digest}"' if coding == IDENTITY else f'"{entry.digest}-{coding}"',
                    size,
                    self._body(place, size),
                )
                for coding, place, size in _forms(entry)
            )
        except OSError as error:
            log.error("the published file %s can't be read: %s", entry.path, error)
            return None
        extra = CORS if self.origin or is_font(entry.media) else ()
        resource = Resource(entry.media, variants, caching, extra=extra)
        if found.forever or name in self._files:
            self._resources[path] = resource
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
