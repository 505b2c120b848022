"""The composition root: one `Asok` connects the rooms of a site into an ASGI application."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from asok import backends, models, site_modules
from asok import cache as caching
from asok.asgi.dispatch import Dispatcher
from asok.asgi.front import Front
from asok.asgi.lifespan import Lifespan
from asok.asgi.rendering import Rendering
from asok.asgi.runtime_file import RuntimeFile
from asok.asgi.static_pages import DevelopmentPages, page_renderer
from asok.asgi.stored_pages import StoredPages
from asok.asgi.wsgi import mark_as_asgi, refuse
from asok.assets import ManifestAssets, configure_static
from asok.building import Check, build_pages
from asok.composition import Addresses, make_doors, make_live, make_parts, make_templates
from asok.fingerprint import fingerprint
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
from asok.sessions import SessionIds
from asok.settings import Settings
from asok.signing import Keys

__all__ = ["Asok"]

log = logging.getLogger("asok.app")


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
        self.settings = settings = settings or Settings.load(self.root)
        self.keys = Keys(settings.secret_keys)
        self.source = self.root / "src"
        self.notices = backends.notices(settings)
        site_modules.install(self.root)
        self.cache = backends.cache(settings)
        caching.configure(self.cache, notices=self.notices)
        models.configure(
            self._make_database,
            cache=self.cache,
            revalidate=publish_tags,
            notices=self.notices,
        )
        self.assets = backends.assets(settings, self.assets_folder)
        self.tree: Tree = scan(self.source / "pages")
        self.router = Router(
            self.tree.routes,
            trailing_slash=settings.trailing_slash == "always",
            taken=(self.assets.prefix,),
        )
        self.addresses = Addresses(self.assets, self.router, settings.base_path)
        configure_static(self.addresses)
        self.templates = make_templates(
            settings, self.source, addresses=self.addresses, cache=self.cache
        )
        self.sessions = backends.sessions(settings)
        self.ids = SessionIds(self.keys)
        self.runtime = RuntimeFile()
        self.live, revoked = make_live(
            settings,
            self.source,
            keys=self.keys,
            templates=self.templates,
            sessions=self.sessions,
            ids=self.ids,
            runtime=self.runtime,
            notices=self.notices,
        )
        self.parts = make_parts(
            settings,
            self.root,
            tree=self.tree,
            router=self.router,
            render_template=Rendering(self.templates, self.live),
            cache=self.cache,
            keys=self.keys,
            sessions=self.sessions,
            ids=self.ids,
            revoked=revoked,
            csp=csp,
        )
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
        urls = self.assets.fingerprint if isinstance(self.assets, ManifestAssets) else ""
        settings = self.settings
        return fingerprint(
            self.root,
            settings.base_url,
            urls,
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
            asset=self.addresses.shown,
            store=None if self.settings.debug else self.store,
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

    def _make_database(self) -> models.Database:
        watch = models.RepeatedQueries() if self.settings.debug else None
        return models.Database(self.settings.database_url, watch=watch)

    def _make_pages(self) -> StoredPages | DevelopmentPages:
        if self.settings.debug:
            return DevelopmentPages(self.parts)
        self.store = backends.pages(self.settings, self.store_folder, self.fingerprint)
        regenerator = Regenerator(
            self.store, page_renderer(self.parts, first=self.notices.catch_up)
        )
        return StoredPages(self.parts, regenerator, memory=self.settings.pages_memory)

    def _make_on_demand(self) -> OnDemand:
        store = self.store if isinstance(self.pages, StoredPages) else None
        base_url = self.settings.base_url
        made = OnDemand(
            self.router,
            self.options,
            store=store,
            base_url=base_url,
            forget=self.cache.forget_tags,
        )
        configure_on_demand(made)
        return made

    def _make_front(self) -> Front:
        doors = make_doors(
            self.parts,
            live=self.live,
            assets=self.assets,
            store=self.store if isinstance(self.pages, StoredPages) else None,
            on_demand=self.on_demand,
            webhook_secret=self.settings.revalidate_secret,
            begin=self.notices.start,
        )
        return Front(
            hosts=self.parts.hosts,
            assets=(self.assets, self.runtime),
            hits=self.pages,
            doors=doors.paths,
            inner=Dispatcher(self.parts, self.pages),
            lifespan=Lifespan(self._start, self._stop, doors.live.close),
            base_path=self.settings.base_path,
        )

    def _start(self) -> None:
        if not self.settings.debug:
            self.templates.preload(self.source / "pages")
        if isinstance(self.pages, StoredPages) and self.store.outdated:
            log.warning(
                "the release in %s was built by other code than this; run `asok build`",
                self.store_folder,
            )
        self.notices.start()
        self.cache.start()

    def _stop(self) -> None:
        self.notices.stop()
        if isinstance(self.pages, StoredPages):
            self.pages.regenerator.drain()
            self.pages.regenerator.close()
        self.sessions.close()
        self.live.store.close()
        self.cache.close()


def _caller() -> Path:
    """The file that called `Asok(...)`."""
    frame = inspect.currentframe()
    outer = frame.f_back.f_back if frame is not None and frame.f_back is not None else None
    return Path(outer.f_code.co_filename if outer is not None else "wsgi.py").resolve()
