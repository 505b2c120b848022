"""The composition root: one `Asok` connects the rooms of a site into an ASGI application."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from anyio import to_thread
from starlette.types import ASGIApp

from asok import backends, dependencies, models, site_modules
from asok import cache as caching
from asok.asgi.cookies import CookiePolicy, site_suffix
from asok.asgi.dispatch import Dispatcher
from asok.asgi.drafts import Drafts
from asok.asgi.fragments import FRAGMENTS_PATH, FragmentsDoor
from asok.asgi.front import Front
from asok.asgi.lifespan import Lifespan
from asok.asgi.live_door import LIVE_PATH, LiveDoor
from asok.asgi.page import Page, load_page
from asok.asgi.parts import Parts
from asok.asgi.public_files import development_doors, public_doors
from asok.asgi.rendering import Rendering
from asok.asgi.runtime_file import RuntimeFile
from asok.asgi.static_pages import DevelopmentPages, page_renderer
from asok.asgi.stored_pages import StoredPages
from asok.asgi.webhook import WEBHOOK_PATH, Webhook, WebhookKey
from asok.asgi.wsgi import mark_as_asgi, refuse
from asok.assets import ManifestAssets
from asok.building import Check, build_pages
from asok.errors import AsokError, PageImportError
from asok.fingerprint import fingerprint
from asok.jinja import Hashing, Templates
from asok.live import (
    Live,
    Registry,
    SessionLike,
)
from asok.notices import FileNotices
from asok.pages import (
    OnDemand,
    PageOptions,
    Progress,
    Regenerator,
    Release,
    Report,
    Route,
    Router,
    Tree,
    configure_on_demand,
    publish_tags,
    scan,
)
from asok.sessions import (
    Csrf,
    Policy,
    Session,
    SessionIds,
)
from asok.settings import Settings
from asok.signing import Keys
from asok.source_file import import_file, user_line

__all__ = ["Asok"]

log = logging.getLogger("asok.app")

_REVOKED = "session.revoked"


class Asok:
    """A site: the folder that holds `wsgi.py` and `src/`, as an ASGI application.

    `root` is that folder; where it is not given, it is the folder of the calling file, or
    ASOK_ROOT, or the working directory. `settings` replace what `.env` and the environment
    say. `csp` adds directives to the Content-Security-Policy, or replaces them.

    Everything that is wrong with the site's files and settings is raised here, not later.
    """

    def __init__(
        self,
        root: Path | str | None = None,
        *,
        settings: Settings | None = None,
        csp: Mapping[str, str] | None = None,
    ) -> None:
        if settings is not None:
            root = settings.root
        elif root is None:
            root = Settings.find_root(_caller())
        self.root = Path(root).resolve()
        self.settings = settings or Settings.load(self.root)
        self.keys = Keys(self.settings.secret_keys)
        self.source = self.root / "src"
        self.notices = FileNotices(self.settings.state_folder / "notices")
        site_modules.install(self.root)
        self.cache = backends.cache(self.settings)
        caching.configure(self.cache)
        models.configure(self._make_database, cache=self.cache, revalidate=publish_tags)
        self.assets = backends.assets(self.settings, self.assets_folder)
        self.templates = self._make_templates()
        self.sessions = backends.sessions(self.settings)
        self.ids = SessionIds(self.keys)
        self.runtime = RuntimeFile()
        self.live = self._make_live()
        self.notices.subscribe(_REVOKED, lambda message: self.live.close_session(message["id"]))
        self.tree: Tree = scan(self.source / "pages")
        self.router = Router(
            self.tree.routes, trailing_slash=self.settings.trailing_slash == "always"
        )
        self.parts = self._make_parts(csp)
        self.pages = self._make_pages()
        self.on_demand = self._make_on_demand()
        self.front = self._make_front()

    @mark_as_asgi
    def __call__(self, scope: Any, receive: Any, send: Any = None) -> Any:
        """Serve one connection (ASGI 3.0); a WSGI server gets an answer that says what to run."""
        if send is None:
            return refuse(scope, receive)
        return self.front(scope, receive, send)

    def options(self, route: Route) -> PageOptions:
        """Return the options of a route's page."""
        return self.parts.pages[route.pattern].options

    @cached_property
    def fingerprint(self) -> str:
        """What stands for the code and the assets that make this site's pages."""
        token = self.assets.token if isinstance(self.assets, ManifestAssets) else ""
        settings = self.settings
        return fingerprint(
            self.root,
            settings.base_url,
            token,
            settings.csp,
            settings.csrf,
            settings.trailing_slash,
        )

    @property
    def store_folder(self) -> Path:
        """Where static pages are kept: `.asok/ssg_cache/`."""
        return self.settings.state_folder / "ssg_cache"

    @property
    def assets_folder(self) -> Path:
        """Where a build publishes the assets: `.asok/assets/`."""
        return self.settings.state_folder / "assets"

    def freeze(
        self,
        *,
        progress: Progress | None = None,
        workers: int | None = None,
        checks: Sequence[Check] = (),
        full: bool = False,
    ) -> tuple[Report, Release]:
        """Build every static page into a new release and publish it; see `build_pages`."""
        return build_pages(
            self.parts,
            self.options,
            folder=self.store_folder,
            fingerprint=self.fingerprint,
            settings=self.settings,
            templates=self.templates,
            asset=self._static,
            tag_moment=lambda *tags: 0.0 if self.settings.debug else self.store.tag_moment(*tags),
            components=len(self.live.registry) > 0,
            full=full,
            progress=progress,
            workers=workers,
            checks=checks,
        )

    def revalidate_path(self, path: str, *, block: bool = False) -> None:
        """Have a page of this site rendered anew; see `asok.revalidate_path`."""
        self.on_demand.revalidate_path(path, block=block)

    def revalidate_tag(self, tag: str, *, block: bool = False) -> None:
        """Have every page with `tag` rendered anew; see `asok.revalidate_tag`."""
        self.on_demand.revalidate_tag(tag, block=block)

    # The rooms

    def _import(self, path: Path) -> ModuleType:
        try:
            return import_file(path, self.root)
        except AsokError:
            raise
        except Exception as error:
            file, line = user_line(error, self.root) or (path, None)
            raise PageImportError(
                f"importing {path.relative_to(self.root)} failed: {type(error).__name__}: {error}.",
                file=file,
                line=line,
            ) from error

    def _make_database(self) -> models.Database:
        return models.Database(self.settings.database_url)

    def _make_templates(self) -> Templates:
        return Templates(
            roots=[self.source / name for name in ("components", "partials", "templates")],
            bytecode=None if self.settings.debug else self.settings.state_folder / "bytecode",
            auto_reload=self.settings.debug,
            globals={"static": self._static, "url": self._url},
            fragments=backends.CachedFragments(self.cache),
        )

    def _static(self, name: str) -> str:
        """`{{ static('css/base.css') }}`: the URL of an asset, below the site's mount."""
        return dependencies.asset(name, self.settings.base_path + self.assets.url(name))

    def _url(self, pattern: str, /, **params: Any) -> str:
        """`{{ url('/blog/[slug]', slug=post.slug) }}`: a page's address, below the mount."""
        return self.settings.base_path + self.router.url(pattern, params)

    def _make_live(self) -> Live:
        registry = Registry()
        components = self.source / "components"
        if components.is_dir():
            registry.load(components, importlib.import_module)
        return Live(
            registry,
            keys=self.keys,
            store=backends.live_store(self.settings),
            render_template=self.templates.render,
            open_session=self._open_session,
            runtime_url=self.settings.base_path + self.runtime.url_path,
            defer_url=self.settings.base_path + self.runtime.defer_path,
            run_sync=_run_in_scope,
            show_errors=self.settings.debug,
        )

    def _open_session(self, session_id: str) -> SessionLike:
        opened = Session(self.sessions, session_id, new_id=self.ids.new, revoked=self._revoke)
        return cast("SessionLike", opened)

    def _revoke(self, session_id: str) -> None:
        """A session ended here: its live state goes, and every worker closes its sockets."""
        self.live.drop_session(session_id)
        self.notices.publish(_REVOKED, {"id": session_id})

    def _make_parts(self, csp: Mapping[str, str] | None) -> Parts:
        settings = self.settings
        rendering = Rendering(self.templates, self.live)
        policy = Policy(csp)
        return Parts(
            root=self.root,
            debug=settings.debug,
            router=self.router,
            pages={route.pattern: self._load(route) for route in self.router.routes},
            error_pages={status: self._load(route) for status, route in self.tree.errors.items()},
            render_template=rendering,
            cache=self.cache,
            sessions=self.sessions,
            ids=self.ids,
            csrf=Csrf(self.keys),
            csrf_tokens=(tokens := settings.csrf == "token"),
            cookies=CookiePolicy(
                samesite=settings.session_samesite,
                max_age=settings.session_absolute_ttl,
                suffix=(suffix := site_suffix(settings.base_path)),
            ),
            drafts=Drafts(self.keys, samesite=settings.session_samesite, suffix=suffix),
            base_path=settings.base_path,
            policy=policy,
            hashing=partial(Hashing, policy, tokens=tokens),
            csp=settings.csp,
            hosts=backends.hosts(settings),
            max_body=settings.max_content_length,
            always_secure=settings.base_url.startswith("https://"),
            trusted_origins=settings.ws_allowed_origins,
            scopes=(models.scope,),
            revoked=self._revoke,
        )

    def _load(self, route: Route) -> Page:
        return load_page(route, self._import)

    def _make_pages(self) -> StoredPages | DevelopmentPages:
        if self.settings.debug:
            return DevelopmentPages(self.parts)
        self.store = backends.pages(self.settings, self.store_folder, self.fingerprint)
        return StoredPages(self.parts, Regenerator(self.store, page_renderer(self.parts)))

    def _make_on_demand(self) -> OnDemand:
        store = self.store if isinstance(self.pages, StoredPages) else None
        base_url = self.settings.base_url
        made = OnDemand(self.router, self.options, store=store, base_url=base_url)
        configure_on_demand(made)
        return made

    def _make_front(self) -> Front:
        live = LiveDoor(self.live, self.parts, begin=self.notices.start)
        return Front(
            hosts=self.parts.hosts,
            assets=(self.assets, self.runtime),
            hits=self.pages,
            doors={
                **self._public(),
                **self._webhook(),
                LIVE_PATH: live,
                FRAGMENTS_PATH: FragmentsDoor(self.live, self.parts),
            },
            inner=Dispatcher(self.parts, self.pages),
            lifespan=Lifespan(self._start, self._stop, live.close),
            base_path=self.settings.base_path,
        )

    def _webhook(self) -> Mapping[str, ASGIApp]:
        """The webhook of a CMS, where ASOK_REVALIDATE_SECRET is set."""
        secret = self.settings.revalidate_secret
        return {WEBHOOK_PATH: Webhook(WebhookKey(secret), self.on_demand)} if secret else {}

    def _public(self) -> Mapping[str, ASGIApp]:
        """What is served at the root of the site beside its pages: sitemap.xml, robots.txt."""
        if isinstance(self.pages, DevelopmentPages):
            return development_doors(self.assets, self.router)
        release = self.store.release
        return public_doors(release.folder / "public") if release is not None else {}

    def _start(self) -> None:
        if isinstance(self.pages, StoredPages) and self.store.outdated:
            log.warning(
                "the release in %s was built by other code than this; run `asok build`",
                self.store_folder,
            )
        self.notices.start()

    def _stop(self) -> None:
        self.notices.stop()
        if isinstance(self.pages, StoredPages):
            self.pages.regenerator.drain()
            self.pages.regenerator.close()
        self.sessions.close()
        self.live.store.close()


async def _run_in_scope(function: Callable[[], Any]) -> Any:
    """Run what may block in a thread, with one database session for all of it."""

    def run() -> Any:
        with models.scope():
            return function()

    return await to_thread.run_sync(run)


def _caller() -> Path:
    """The file that called `Asok(...)`."""
    frame = inspect.currentframe()
    outer = frame.f_back.f_back if frame is not None and frame.f_back is not None else None
    return Path(outer.f_code.co_filename if outer is not None else "wsgi.py").resolve()
