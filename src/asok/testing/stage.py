"""Where a driven component lives: in a site, or alone with what a test gives it."""

from __future__ import annotations

import importlib
import sys
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from asok import holes, models
from asok.app import Asok
from asok.asgi.page_visit import SocketGuards
from asok.composition.records import ModelRecords
from asok.composition.threads import Threads
from asok.errors import ComponentError, DriveError
from asok.jinja import Templates
from asok.live import (
    Component,
    Definition,
    Limits,
    Live,
    MemoryLiveStore,
    Registry,
    SocketSecrets,
    configure_broadcasts,
    configure_records,
)
from asok.sessions import MemorySessionStore, Session, SessionIds
from asok.signing import Keys

__all__ = ["BareStage", "SiteStage", "Stage", "rendering", "stage_of"]


class Stage(Protocol):
    """What a driven page asks of its surroundings."""

    live: Live

    def visitor(self) -> str:
        """Return the session id of a new visitor."""
        ...

    def session(self, session_id: str) -> Session:
        """Return a visitor's session, as it is stored now."""
        ...

    def options(self, session_id: str) -> dict[str, Any]:
        """Return what a conversation with that visitor is held by: secrets and guards."""
        ...


class SiteStage:
    """A site's own components: its templates, stores, sessions, guards and limits."""

    def __init__(self, app: Asok) -> None:
        self.app = app
        self.live = app.live

    def visitor(self) -> str:
        return self.app.ids.new()

    def session(self, session_id: str) -> Session:
        return self.app.parts.visitor(self._scope(session_id)).session

    def options(self, session_id: str) -> dict[str, Any]:
        parts = self.app.parts
        csrf = parts.csrf.token(session_id) if parts.csrf_tokens else ""
        admit = SocketGuards(parts, self._scope(session_id), session_id)
        return {"secrets": SocketSecrets(csrf=csrf), "admit": admit}

    def _scope(self, session_id: str) -> dict[str, Any]:
        """The handshake of a browser with this visitor's cookie."""
        secure = self.app.parts.always_secure
        name = self.app.parts.cookies.name(secure)
        return {
            "type": "websocket",
            "scheme": "wss" if secure else "ws",
            "path": "/asok/live",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"cookie", name + b"=" + session_id.encode())],
            "client": ("testclient", 50000),
            "server": ("localhost", 80),
        }


class _Neighbours(Registry):
    """Knows the classes that it was given, and those of the same module by their names."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module

    def get(self, name: str) -> Definition:
        try:
            return super().get(name)
        except ComponentError:
            near = getattr(sys.modules.get(self._module), name, None)
            if not (isinstance(near, type) and issubclass(near, Component)):
                raise
            self.register(near)
            return super().get(name)


class BareStage:
    """A component without a site. Templates are beside its file, or in `templates`."""

    def __init__(
        self,
        cls: type[Component],
        *,
        components: Sequence[type[Component]] = (),
        templates: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        configure_records(ModelRecords())
        keys = Keys(["asok.testing: a key that signs nothing outside this process"])
        self._ids = SessionIds(keys)
        self._store = MemorySessionStore()
        registry = _Neighbours(cls.__module__)
        for each in (cls, *components):
            registry.register(each)
        folder = registry.get(cls.__name__).folder
        self._sources = dict(templates or {})
        self._templates = Templates(roots=[folder] if folder else [], auto_reload=True)
        self.live = Live(
            registry,
            keys=keys,
            store=MemoryLiveStore(),
            render_template=self._render,
            open_session=self.session,
            runtime_url="/asok/alive.js",
            # A flood of broadcasts is no matter here; every other bound is the usual one.
            limits=limits or Limits(push_seconds=1e-9),
            run_sync=Threads(),
            scope=models.scope,
            show_errors=True,
        )
        _hears_broadcasts(self.live)

    def visitor(self) -> str:
        return self._ids.new()

    def session(self, session_id: str) -> Session:
        def revoked(ended: str, *_: object) -> None:
            self.live.drop_session(ended)

        return Session(self._store, session_id, new_id=self._ids.new, revoked=revoked)

    def options(self, session_id: str) -> dict[str, Any]:
        return {"secrets": SocketSecrets(csrf="a-value-for-tests")}

    def _render(
        self, name: str, context: Mapping[str, Any], *, page_dir: Path | None = None
    ) -> str:
        if name in self._sources:
            return self._templates.render_string(
                self._sources[name], context, page_dir=page_dir, name=name
            )
        return self._templates.render(name, context, page_dir=page_dir)


_bare: weakref.WeakSet[Live] = weakref.WeakSet()
_outside: Callable[[str, dict[str, Any]], None] | None = None


def _hears_broadcasts(live: Live) -> None:
    """Let `asok.broadcast` reach components without a site too, beside a site's own."""
    global _outside
    _bare.add(live)
    before = configure_broadcasts(_publish)
    if before is not _publish:
        _outside = before


def _publish(topic: str, payload: dict[str, Any]) -> None:
    if _outside is not None:
        _outside(topic, payload)
    for live in list(_bare):
        live.broadcasts.publish(topic, payload)


def stage_of(cls: type[Component], app: Asok | None) -> Stage | None:
    """Return the site that a class belongs to; None where it belongs to none.

    Without `app` it is `app` of the site's wsgi.py. Raises `DriveError`.
    """
    if app is None and cls.__module__.partition(".")[0] != "src":
        return None
    if app is None:
        app = _application(cls)
    if app.live.registry.get(cls.__name__).cls is not cls:
        raise DriveError(
            f"{cls.__module__}.{cls.__name__} is another class than the site's {cls.__name__}.",
            fix=f"Import it as the site does: from src.components.… import {cls.__name__}.",
        )
    return SiteStage(app)


def _application(cls: type[Component]) -> Asok:
    try:
        app = getattr(importlib.import_module("wsgi"), "app", None)
    except ModuleNotFoundError as error:
        if error.name != "wsgi":
            raise
        app = None
    if not isinstance(app, Asok):
        raise DriveError(
            f"the site of {cls.__name__} has no application to be found as app in wsgi.py.",
            fix=f"Pass it: live({cls.__name__}, app=app).",
        )
    return app


@contextmanager
def rendering(stage: Stage, path: str, session_id: str, *, frozen: bool) -> Generator[None]:
    """Render inside the block as for a page at `path`, for everybody or one visitor."""
    with ExitStack() as stack:
        stack.enter_context(models.scope())
        stack.enter_context(holes.use(stage.options(session_id)["secrets"]))
        session = stage.session(session_id)
        page = stage.live.page(path, session_id=session_id, session=session, frozen=frozen)
        stack.enter_context(page)
        yield
        session.save()
