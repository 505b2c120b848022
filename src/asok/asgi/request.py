"""`request`: what a page handler gets, built on Starlette's request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from markupsafe import Markup
from starlette.datastructures import URL, Headers, ImmutableMultiDict, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)

from asok.asgi.redirects import back_path, redirect_target
from asok.asgi.site_file import find_file
from asok.asgi.site_view import SiteView
from asok.asgi.uploads import Body, Upload
from asok.asgi.watched import Watched
from asok.cache import PagePolicy
from asok.holes import secrets
from asok.pages import page_tag
from asok.sessions import Session, hidden_input

if TYPE_CHECKING:
    from asok.asgi.visitor import Visitor

__all__ = ["Handler", "Request"]

_FLASHES = "_flashes"


class _Field(Markup):
    """Markup that may be written with or without call parentheses."""

    def __call__(self) -> Markup:
        return self


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
        self.http = http
        self.site = site
        self.params = dict(params)
        self.page_folder = page_folder
        self.visitor = visitor
        self.state: dict[str, Any] = {}
        #: What the page declares (`QUERY`) and the visitor gave, typed as declared.
        self.query: dict[str, str | int | bool] = {}
        #: What the content depends on (`tag`), in the order in which it was named.
        self.tags: dict[str, None] = {}
        #: What of the visitor was read so far: it decides whether an answer may be shared.
        self.reads: set[str] = set()
        self._body = body or Body()
        self._user: Any = None
        self._watched: tuple[Any, Any] | None = None

    def accept_body(self, body: Body) -> None:
        """Take the body that was read for this request."""
        self._body = body

    def watch(self, query: Watched, headers: Watched) -> None:
        """Begin to note what is read: `query` and `headers` take the place of the real ones."""
        self.reads = set()
        self._watched = (query, headers)

    def cached_page(self, policy: PagePolicy, call: Callable[[], Any]) -> Any:
        """What `@cache_page` asks for: the answer of `call`, from the cache where it may be."""
        return self.site.cached_page(self, policy, call)

    # What was asked for

    @property
    def method(self) -> str:
        return self.http.method

    @property
    def path(self) -> str:
        """The decoded path below the place where the site is mounted."""
        return self.http.scope["asok.path"]

    @property
    def url(self) -> URL:
        self.reads.add("url")
        return self.http.url

    @property
    def args(self) -> QueryParams:
        """The query parameters: `request.args["page"]`, `.get("page")`, `.getlist("tag")`."""
        self.reads.add("args")
        return self._watched[0] if self._watched else self.http.query_params

    @property
    def query_params(self) -> QueryParams:
        """The same as `args`."""
        return self.args

    @property
    def headers(self) -> Headers:
        self.reads.add("headers")
        return self._watched[1] if self._watched else self.http.headers

    @property
    def cookies(self) -> dict[str, str]:
        self.reads.add("cookies")
        return self.http.cookies

    @property
    def host(self) -> str:
        self.reads.add("host")
        return self.http.headers.get("host", "")

    @property
    def scheme(self) -> str:
        self.reads.add("scheme")
        return self.http.url.scheme

    @property
    def client(self) -> str:
        """The visitor's address as the server or a trusted proxy reports it; may be empty."""
        self.reads.add("client")
        return self.http.client.host if self.http.client else ""

    @property
    def ip(self) -> str:
        """The same as `client`."""
        return self.client

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
        self.reads.add("session")
        return self.visitor.session

    @property
    def user(self) -> Any:
        """Whoever a guard put here; None until one does."""
        self.reads.add("user")
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
        """The hidden input for a form; templates get it without asking (see the guide).

        Empty where forms are checked without a token (ASOK_CSRF=headers).
        """
        return _Field(hidden_input(self.csrf_token) if secrets().tokens else "")

    # Draft mode

    @property
    def draft(self) -> bool:
        """Whether this visitor is an editor in draft mode: show what is not published yet.

        Static pages are rendered for this visitor alone then, and nothing of it is kept.
        """
        return self.visitor.draft.active

    def enable_draft(self) -> None:
        """Begin draft mode in this visitor's browser, until it is closed or 8 hours are over.

        Who may do that is yours to check before: a secret, or the user's role.
        """
        self.visitor.draft.turn(True)

    def disable_draft(self) -> None:
        """End draft mode in this visitor's browser."""
        self.visitor.draft.turn(False)

    # Answers

    def html(self, template: str, /, **context: Any) -> Response:
        """Render a template found beside the page or in the site's folders."""
        return HTMLResponse(self.site.render(self, template, context))

    def render(self, template: str, /, **context: Any) -> Response:
        """The same as `html`."""
        return self.html(template, **context)

    def json(self, data: Any, status: int = 200) -> Response:
        return JSONResponse(data, status)

    def text(self, text: str, status: int = 200) -> Response:
        return PlainTextResponse(text, status)

    def redirect(self, url: str, status: int = 303, *, external: bool = False) -> Response:
        """Answer with a redirect to a path of this site.

        `url` is a path below the place where the site is mounted, as `request.path` is, and
        may have a query. Another site's URL needs `external=True`, so that a value which a
        visitor supplied can't lead away (open redirect, CWE-601). Raises `AsokError` for
        anything else.
        """
        target = redirect_target(url, mount=self._mount, external=external)
        return RedirectResponse(target, status)

    def back(self, default: str = "/") -> Response:
        """Redirect to the page of this site that the visitor came from, or to `default`."""
        referer = self.headers.get("referer", "")
        came_from = back_path(referer, host=self.host, mount=self._mount)
        return self.redirect(default if came_from is None else came_from)

    @property
    def _mount(self) -> str:
        return self.site.mount(self.http.scope)

    def send_file(
        self, path: Path | str, *, root: Path | None = None, download: str | None = None
    ) -> Response:
        """Answer with a file below `root`.

        Without `root` it is a file in one of the site's own folders: never source, and never
        what lies beside wsgi.py (the database, for one), whatever a visitor may ask for. A
        path that leads outside, or to a hidden file, is answered with 404, as is one that
        does not exist. `download` is the name under which the browser saves it.
        """
        target = find_file(self.site.root, path, root)
        if target is None:
            self.abort(404)
        return FileResponse(target, filename=download)

    def abort(self, status: int, message: str | None = None) -> NoReturn:
        """Stop here and answer with `status`; the site's error page is shown where it has one."""
        raise HTTPException(status, message)

    def flash(self, message: str, category: str = "info") -> None:
        """Keep a message for the next page that asks for it with `get_flashed_messages()`."""
        self.session[_FLASHES] = [*self.session.get(_FLASHES, []), [category, message]]

    def flashed(self) -> Sequence[tuple[str, str]]:
        """Take the kept messages: pairs of category and text."""
        if _FLASHES not in self.session:
            return ()
        return [(category, text) for category, text in self.session.pop(_FLASHES)]

    def tag(self, *names: str) -> None:
        """Say what this page's content depends on, so that it can be regenerated by tag.

        Raises `PageError` for what is no text, empty, or holds control characters.
        """
        self.tags.update(dict.fromkeys(map(page_tag, names)))


Handler = Callable[[Request], Any]
