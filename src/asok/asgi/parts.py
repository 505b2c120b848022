"""What the ASGI binding is made of: one record, filled by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from asok.asgi import cached_page
from asok.asgi.hosts import HostCheck
from asok.asgi.page import Page
from asok.asgi.request import Request
from asok.asgi.visitor import CookiePolicy, Visitor, cookie_value
from asok.cache import Cache, PagePolicy
from asok.pages import Router
from asok.sessions import Csrf, Policy, SessionIds, SessionStore

__all__ = ["Parts", "RenderTemplate"]


class RenderTemplate(Protocol):
    """Renders a template for a request, with the site's globals."""

    def __call__(self, request: Request, template: str, context: Mapping[str, Any]) -> str: ...


@dataclass(slots=True, kw_only=True)
class Parts:
    """The pieces that requests are answered with. Sizes are bytes."""

    root: Path
    debug: bool
    router: Router
    pages: Mapping[str, Page]
    """By pattern."""
    error_pages: Mapping[int, Page]
    render_template: RenderTemplate
    cache: Cache
    sessions: SessionStore
    ids: SessionIds
    csrf: Csrf
    cookies: CookiePolicy
    policy: Policy
    hosts: HostCheck
    max_body: int
    always_secure: bool = False
    """Whether the site is known to be reached by https, whatever the server sees."""
    trusted_origins: Sequence[str] = ()
    scopes: Sequence[Callable[[], AbstractContextManager[Any]]] = ()
    """Entered around every handler: one database session a request, for example."""
    revoked: Callable[[str], None] | None = field(default=None)

    def render(self, request: Request, template: str, context: Mapping[str, Any]) -> str:
        """The `SiteView` of a request."""
        return self.render_template(request, template, context)

    def cached_page(self, request: Request, policy: PagePolicy, call: Callable[[], Any]) -> Any:
        """The `SiteView` of a request: a frozen page is stored already and asks no cache."""
        return call() if request.frozen else cached_page.answer(self.cache, request, policy, call)

    def secure(self, scope: Mapping[str, Any]) -> bool:
        """Whether this request came by https."""
        return self.always_secure or scope.get("scheme") in ("https", "wss")

    def visitor(self, scope: Mapping[str, Any]) -> Visitor:
        """Who sent this request."""
        return Visitor(
            self.session_id(scope),
            store=self.sessions,
            ids=self.ids,
            csrf=self.csrf,
            revoked=self.revoked,
        )

    def session_id(self, scope: Mapping[str, Any]) -> str | None:
        """Return the id that the request's cookie names, if it is one of ours."""
        found = cookie_value(scope["headers"], self.cookies.name(self.secure(scope)))
        return found if found is not None and self.ids.valid(found) else None
