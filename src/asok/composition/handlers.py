"""What requests are answered with: the pages of a site, loaded, and everything they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType

from asok import backends, models
from asok.asgi.cookies import CookiePolicy, site_suffix
from asok.asgi.drafts import Drafts
from asok.asgi.page import load_page
from asok.asgi.parts import Parts, RenderTemplate
from asok.cache import Cache
from asok.errors import AsokError, PageImportError
from asok.jinja import Hashing
from asok.pages import Router, Tree
from asok.sessions import Csrf, Policy, SessionIds, SessionStore
from asok.settings import Settings
from asok.signing import Keys
from asok.source_file import import_file, user_line

__all__ = ["make_parts"]


def make_parts(
    settings: Settings,
    root: Path,
    *,
    tree: Tree,
    router: Router,
    render_template: RenderTemplate,
    cache: Cache,
    keys: Keys,
    sessions: SessionStore,
    ids: SessionIds,
    revoked: Callable[[str, str | None], None],
    csp: Mapping[str, str] | None,
) -> Parts:
    """Return the parts of the site at `root`.

    Raises what is wrong with its pages, naming the file and the line.
    """
    policy = _policy(settings, csp)
    tokens = settings.csrf == "token"
    suffix = site_suffix(settings.base_path)
    load = partial(load_page, import_file=partial(_import, root))
    return Parts(
        root=root,
        debug=settings.debug,
        router=router,
        pages={route.pattern: load(route) for route in router.routes},
        error_pages={status: load(route) for status, route in tree.errors.items()},
        render_template=render_template,
        cache=cache,
        sessions=sessions,
        ids=ids,
        csrf=Csrf(keys),
        csrf_tokens=tokens,
        cookies=CookiePolicy(
            samesite=settings.session_samesite,
            max_age=settings.session_absolute_ttl,
            suffix=suffix,
        ),
        drafts=Drafts(keys, samesite=settings.session_samesite, suffix=suffix),
        base_path=settings.base_path,
        policy=policy,
        hashing=partial(_hashing, settings, policy, tokens=tokens),
        csp=settings.csp,
        hosts=backends.hosts(settings),
        max_body=settings.max_content_length,
        always_secure=settings.base_url.startswith("https://"),
        trusted_origins=settings.ws_allowed_origins,
        scopes=(models.scope,),
        revoked=revoked,
    )


def _policy(settings: Settings, csp: Mapping[str, str] | None) -> Policy:
    if not settings.debug:
        return Policy(csp, files=settings.assets_url)
    # Vite waits for its own restart in a worker that it makes of a text.
    own = {"worker-src": "'self' blob:"} if settings.vite_url else {}
    return Policy({**own, **(csp or {})}, files=settings.vite_url, sockets=bool(settings.vite_url))


def _hashing(settings: Settings, policy: Policy, *, tokens: bool) -> Hashing | None:
    # The styles that Vite's client puts into a page have the nonce, and no hash is known of them.
    return None if settings.debug and settings.vite_url else Hashing(policy, tokens=tokens)


def _import(root: Path, path: Path) -> ModuleType:
    try:
        return import_file(path, root)
    except AsokError:
        raise
    except Exception as error:
        file, line = user_line(error, root) or (path, None)
        raise PageImportError(
            f"importing {path.relative_to(root)} failed: {type(error).__name__}: {error}.",
            file=file,
            line=line,
        ) from error
