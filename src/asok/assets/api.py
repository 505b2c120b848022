"""What the application needs of its assets, in development and in production."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from asok.assets.manifest import Linked
from asok.assets.plan import Header, Plan
from asok.assets.vite_server import ViteServer

__all__ = ["Assets"]


class Assets(Protocol):
    """The assets of a site."""

    @property
    def prefix(self) -> str:
        """The path that every URL begins with, without a slash at its end."""
        ...

    @property
    def origin(self) -> str:
        """What stands before the prefix in URLs; empty where that is the site itself."""
        ...

    def url(self, name: str) -> str:
        """Return the URL of the asset `name`."""
        ...

    def integrity(self, name: str) -> str:
        """Return the `integrity` of the asset `name`."""
        ...

    def asset(self, name: str) -> str:
        """Return the name of the asset that Vite made of `name`, or `name` itself."""
        ...

    @property
    def vite(self) -> ViteServer | None:
        """Vite's development server; None where none answers."""
        ...

    def linked(self, name: str) -> Linked:
        """Return what the module `name` needs at once: its imports and stylesheets."""
        ...

    def modules(self) -> Iterable[str]:
        """Return the names of all scripts."""
        ...

    def pins(self) -> Mapping[str, str]:
        """Return the further names of modules: each an asset's name or a URL."""
        ...

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request, None where `path` isn't one of the assets'."""
        ...

    def ready(self, path: str, headers: Mapping[bytes, bytes]) -> Plan | None:
        """Return the 200 that a GET got before, None where `plan` is to be asked.

        Its body is in memory. `headers` are the request's, each of which is there once.
        """
        ...
