"""What the ASGI binding is made of: one record, filled by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from asok.asgi import cached_page
from asok.asgi.cookies import CookiePolicy, cookie_value
from asok.asgi.drafts import Drafts
from asok.asgi.hosts import HostCheck
from asok.asgi.page import Page
from asok.asgi.request import Request
from asok.asgi.visitor import Visitor
from asok.cache import Cache, PagePolicy
from asok.holes import Holed, Sentinels
from asok.pages import Router
from asok.sessions import Csrf, Policy, SessionIds, SessionStore

__all__ = ["Hashing", "Parts", "RenderTemplate"]


class RenderTemplate(Protocol):
    """Renders a template for a request, with the site's globals."""

    def __call__(self, request: Request, template: str, context: Mapping[str, Any]) -> str: ...


class Hashing(Protocol):
    """One render of a page whose own inline scripts and styles are allowed by their hashes."""

    @property
    def sentinels(self) -> Sentinels:
        """What the render shows in place of the visitor's values."""
        ...

    def finish(self, body: bytes) -> tuple[Holed, str | None]:
        """Return the finished page and its own policy, None where the site's one does.

        Raises `TemplateError` and `HoleError`.
        """
        ...


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
    drafts: Drafts
    policy: Policy
    hashing: Callable[[], Hashing | None]
    """Begins the render of a page with `CSP = "hash"`."""
    hosts: HostCheck
    max_body: int
    csrf_tokens: bool = True
    """False: forms carry no token, and are checked by Sec-Fetch-Site and Origin alone."""
    base_path: str = ""
    """The path below which visitors see this site, where it is known (BASE_URL)."""
    always_secure: bool = False
    """Whether the site is known to be reached by https, whatever the server sees."""
    csp: Literal["nonce", "hash"] = "nonce"
    """How static pages that don't say it themselves allow their inline scripts."""
    trusted_origins: Sequence[str] = ()
    scopes: Sequence[Callable[[], AbstractContextManager[Any]]] = ()
    """Entered around every handler: one database session a request, for example."""
    revoked: Callable[[str, str | None], None] | None = field(default=None)

    def render(self, request: Request, template: str, context: Mapping[str, Any]) -> str:
        """The `SiteView` of a request."""
        return self.render_template(request, template, context)

    def cached_page(self, request: Request, policy: PagePolicy, call: Callable[[], Any]) -> Any:
        """The `SiteView` of a request: frozen pages are stored already, and drafts never."""
        if request.frozen or request.draft:
            return call()
        return cached_page.answer(self, request, policy, call)

    def secure(self, scope: Mapping[str, Any]) -> bool:
        """Whether this request came by https."""
        return self.always_secure or scope.get("scheme") in ("https", "wss")

    def visitor(self, scope: Mapping[str, Any]) -> Visitor:
        """Who sent this request."""
        return Visitor(
            self.session_id(scope),
            store=self.sessions,
            ids=self.ids,
            csrf=self.csrf if self.csrf_tokens else None,
            revoked=self.revoked,
            draft=self.drafts.of(scope["headers"], self.secure(scope)),
            watched=self.debug,
        )

    def mount(self, scope: Mapping[str, Any]) -> str:
        """The path below which visitors see this site: what links and redirects begin with."""
        return self.base_path or scope.get("root_path", "")

    def session_id(self, scope: Mapping[str, Any]) -> str | None:
        """Return the id that the request's cookie names, if it is one of ours."""
        found = cookie_value(scope["headers"], self.cookies.name(self.secure(scope)))
        return found if found is not None and self.ids.valid(found) else None
