"""`request`: what a page handler gets, built on Starlette's request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from markupsafe import Markup
from starlette.datastructures import URL, Headers, ImmutableMultiDict, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from asok.asgi import flashes
from asok.asgi.field import Field
from asok.asgi.json_response import JSON
from asok.asgi.origins import Origins
from asok.asgi.redirects import back_path, redirect_target
from asok.asgi.site_file import send_file
from asok.asgi.site_view import SiteView
from asok.asgi.uploads import Body, Upload
from asok.asgi.watched import WatchedSession, watched
from asok.cache import Cache, PagePolicy
from asok.holes import secrets
from asok.pages import page_tag
from asok.sessions import Session, hidden_input
from asok.sharing import Sharing, current

if TYPE_CHECKING:
    from asok.asgi.visitor import Visitor

__all__ = ["Handler", "Request"]


class Request:
    """One request to one page.

    `params` are the route's parameters, typed as the route says; `args` the query;
    `form` and `files` the submitted fields; `json_body` the parsed JSON body.
    """

    frozen = False

    def __init__(
        self,
        http: HTTPRequest,
        *,
        site: SiteView,
        params: Mapping[str, Any],
        visitor: Visitor,
        body: Body | None = None,
        page_folder: Path | None = None,
    ) -> None:
        self._http = http
        self.site = site
        self.params = dict(params)
        self.page_folder = page_folder
        self.visitor = visitor
        self._state: dict[str, Any] = {}
        self._left = False
        #: What the page declares (`QUERY`) and the visitor gave, typed as declared.
        self.query: dict[str, str | int | bool] = {}
        #: What the content depends on (`tag`), in the order in which it was named.
        self.tags: dict[str, None] = {}
        self._body = body or Body()
        self._user: Any = None
        self.watched: Sharing | None = None
        #: The kinds of what its handler looked at of the visitor.
        self.read: set[str] = set()

    def accept_body(self, body: Body) -> None:
        """Take the body that was read for this request."""
        self._body = body

    def watch(self, sharing: Sharing | None) -> None:
        """Tell `sharing` from now on what is read, in whichever thread; None ends it."""
        self.watched = sharing
        self._left = sharing is not None and bool(self._state)

    def _note(self, what: str) -> None:
        """Note that `what` of the visitor is read."""
        sharing = current.get() or self.watched
        if sharing is not None:
            sharing.note(what)
        self.read.add(what)

    def _view(self, real: Any, kind: str, **options: Any) -> Any:
        """Return `real`, or a view of it where somebody notes which names are read."""
        self.read.add(kind)
        return watched(real, current.get() or self.watched, kind, **options)

    def origins(self) -> Origins:
        """What came with the visitor; nothing is noted as read."""
        return Origins(self.read, self._user, self.visitor.session, self._http)

    def cached_page(self, policy: PagePolicy, call: Callable[[], Any]) -> Any:
        """What `@cache_page` asks for: the answer of `call`, from the cache where it may be."""
        return self.site.cached_page(self, policy, call)

    @property
    def cache(self) -> Cache:
        """The application's cache: `request.cache.forget_tags("posts")`."""
        return self.site.cache

    # What was asked for

    @property
    def http(self) -> HTTPRequest:
        """Starlette's request."""
        self._note("http")
        return self._http

    @property
    def state(self) -> dict[str, Any]:
        """Whatever guards, middleware and handlers of this request leave for each other."""
        if self._left:
            self._note("state")
        return self._state

    @property
    def method(self) -> str:
        self._note("method")
        return self._http.method

    @property
    def path(self) -> str:
        """The decoded path below the place where the site is mounted."""
        self._note("path")
        return self._http.scope["asok.path"]

    @property
    def url(self) -> URL:
        self._note("url")
        return self._http.url

    @property
    def args(self) -> QueryParams:
        """The query parameters: `request.args["page"]`, `.get("page")`, `.getlist("tag")`."""
        return self._view(self._http.query_params, "query")

    query_params = args

    @property
    def headers(self) -> Headers:
        return self._view(self._http.headers, "header", fold=True)

    @property
    def cookies(self) -> dict[str, str]:
        return self._view(self._http.cookies, "cookie")

    @property
    def host(self) -> str:
        self._note("host")
        return self._http.headers.get("host", "")

    @property
    def scheme(self) -> str:
        self._note("scheme")
        return self._http.url.scheme

    @property
    def client(self) -> str:
        """The visitor's address as the server or a trusted proxy reports it; may be empty."""
        self._note("client")
        return self._http.client.host if self._http.client else ""

    ip = client

    # What it carried

    @property
    def body(self) -> bytes:
        return self._body.raw

    @property
    def form(self) -> ImmutableMultiDict[str, str]:
        return self._body.form

    @property
    def files(self) -> ImmutableMultiDict[str, Upload]:
        return self._body.files

    @property
    def json_body(self) -> Any:
        """The body parsed as JSON; answers 400 where it is not JSON."""
        return self._body.json()

    # Who sent it

    @property
    def session(self) -> Session:
        return self._view(self.visitor.session, "session", like=WatchedSession)

    @property
    def user(self) -> Any:
        """Whoever a guard put here; None until one does."""
        self._note("user")
        return self._user

    @user.setter
    def user(self, value: Any) -> None:
        self._user = value

    @property
    def nonce(self) -> str:
        return secrets().nonce

    @property
    def csrf_token(self) -> str:
        return secrets().csrf

    @property
    def csrf_input(self) -> Markup:
        """The hidden input for a form; empty where forms carry no token (ASOK_CSRF=headers)."""
        return Field(hidden_input(self.csrf_token) if secrets().tokens else "")

    # Draft mode

    @property
    def draft(self) -> bool:
        """Whether this visitor is an editor in draft mode: nothing of the answer is kept then."""
        return self.visitor.draft.active

    def enable_draft(self) -> None:
        """Begin draft mode in this visitor's browser, until it is closed or 8 hours are over:
        check before who that is."""
        self._note("draft")
        self.visitor.draft.turn(True)

    def disable_draft(self) -> None:
        """End draft mode in this visitor's browser."""
        self._note("draft")
        self.visitor.draft.turn(False)

    # Answers

    def html(self, template: str, /, **context: Any) -> Response:
        """Render a template found beside the page or in the site's folders."""
        return HTMLResponse(self.site.render(self, template, context))

    render = html

    def json(self, data: Any, status: int = 200) -> Response:
        return JSON(data, status)

    def text(self, text: str, status: int = 200) -> Response:
        return PlainTextResponse(str(text), status)

    def redirect(self, url: str, status: int = 303, *, external: bool = False) -> Response:
        """Answer with a redirect to a path of this site.

        `url` is a path below the mount, as `request.path` is, and may have a query. Another
        site's URL needs `external=True`, so that a value which a visitor supplied can't lead
        away (open redirect, CWE-601). Raises `AsokError` for anything else.
        """
        mount = self.site.mount(self._http.scope)
        return RedirectResponse(redirect_target(url, mount=mount, external=external), status)

    def back(self, default: str = "/") -> Response:
        """Redirect to the page of this site that the visitor came from, or to `default`."""
        mount = self.site.mount(self._http.scope)
        came_from = back_path(self.headers.get("referer", ""), host=self.host, mount=mount)
        return self.redirect(default if came_from is None else came_from)

    def send_file(
        self, path: Path | str, *, root: Path | None = None, download: str | None = None
    ) -> Response:
        """Answer with a file below `root`.

        Without `root` it is a file in one of the site's own folders: never source, and never
        what lies beside wsgi.py. A path that leads outside, to a hidden file or nowhere is
        answered with 404. `download` is the name under which the browser saves it.
        """
        return send_file(self.site.root, path, root, download)

    def abort(self, status: int, message: str | None = None) -> NoReturn:
        """Stop here and answer with `status`; the site's error page is shown where it has one."""
        raise HTTPException(status, message)

    def flash(self, message: str, category: str = "info") -> None:
        """Keep a message for the next page that asks for it with `get_flashed_messages()`."""
        flashes.keep(self.session, message, category)

    def flashed(self) -> Sequence[tuple[str, str]]:
        """Take the kept messages: pairs of category and text."""
        return flashes.take(self.session)

    def tag(self, *names: str) -> None:
        """Say what this page's content depends on, so that it can be regenerated by tag.

        Raises `PageError` for what is no text, empty, or holds control characters.
        """
        tags = dict.fromkeys(map(page_tag, names))
        self.tags.update(tags)
        if self.watched is not None:
            self.watched.tag(tags)


Handler = Callable[[Request], Any]
