"""The live components of a site, and the sessions that their states belong to."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from asok import backends, models
from asok.asgi.runtime_file import RuntimeFile
from asok.composition.records import ModelRecords
from asok.composition.threads import Threads
from asok.errors import SessionError
from asok.jinja import Templates
from asok.live import Live, Registry, SessionLike, configure_broadcasts, configure_records
from asok.live.wiring import check_template
from asok.notices import Notices
from asok.sessions import Session, SessionIds, SessionStore, WatchedSession
from asok.settings import Settings
from asok.signing import Keys

__all__ = ["make_live"]

_REVOKED = "session.revoked"


def make_live(
    settings: Settings,
    source: Path,
    *,
    keys: Keys,
    templates: Templates,
    sessions: SessionStore,
    ids: SessionIds,
    runtime: RuntimeFile,
    notices: Notices,
) -> tuple[Live, Callable[[str, str | None], None]]:
    """Return the components below `source`, and what is called when a session ends here.

    Its live state goes then, or goes over to the session that takes its place, and every worker
    closes its sockets.
    """
    configure_records(ModelRecords())
    limits = backends.live_limits(settings)
    registry = Registry()
    folder = source / "components"
    if folder.is_dir():
        registry.load(folder, importlib.import_module)
        for definition in registry:
            check_template(definition)

    def revoke(session_id: str, successor: str | None) -> None:
        if successor is None:
            live.drop_session(session_id)
        else:
            live.move_session(session_id, successor)
        notices.publish(_REVOKED, {"id": session_id})

    def open_session(session_id: str) -> SessionLike:
        kind = WatchedSession if settings.debug else Session
        opened = kind(sessions, session_id, new_id=_no_cookie, revoked=revoke)
        return cast("SessionLike", opened)

    live = Live(
        registry,
        keys=keys,
        mount=settings.base_path,
        store=backends.live_store(settings),
        render_template=templates.render,
        open_session=open_session,
        runtime_url=settings.base_path + runtime.url_path,
        defer_url=settings.base_path + runtime.defer_path,
        later_url=settings.base_path + runtime.later_path,
        limits=limits,
        notices=notices,
        run_sync=Threads(int(limits.threads), slow=int(limits.slow_threads)),
        scope=models.scope,
        show_errors=settings.debug,
    )
    notices.subscribe(_REVOKED, lambda message: live.close_session(message["id"]))
    configure_broadcasts(live.broadcasts.publish)
    return live, revoke


def _no_cookie() -> str:
    raise SessionError(
        "a component called session.login() or logout(), and a socket can't set the new cookie.",
        fix='Send the form to a page: <form method="post" action="/login">, and call it there.',
    )


async def run_in_scope(function: Callable[[], Any]) -> Any:
    """Run what may block in a thread, with one database session for all of it."""
    return await Threads(1)(function)
