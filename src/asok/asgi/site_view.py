"""What a request needs of the site that it was sent to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from asok.cache import Cache, PagePolicy

if TYPE_CHECKING:
    from asok.asgi.request import Request

__all__ = ["SiteView"]


class SiteView(Protocol):
    """What a request needs of its site."""

    def mount(self, scope: Mapping[str, Any]) -> str:
        """The path below which visitors see this site, without a slash at its end."""
        ...

    @property
    def root(self) -> Path: ...

    @property
    def cache(self) -> Cache: ...

    def render(self, request: Request, template: str, context: Mapping[str, Any]) -> str:
        """Render a template for a request, with the site's globals."""
        ...

    def cached_page(self, request: Request, policy: PagePolicy, call: Callable[[], Any]) -> Any:
        """Return the answer of a handler under `@cache_page`."""
        ...
