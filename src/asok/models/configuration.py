"""The application's database, set once by `configure`; knows nothing of SQLAlchemy.

The database may be given as a callable, so that a site that never runs a query never
imports SQLAlchemy.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from asok.errors import ConfigurationError
from asok.notices import MISSED, Notices

if TYPE_CHECKING:
    from asok.models.database import Database
    from asok.models.query_cache import CacheRegion

__all__ = ["configure", "configured_database", "publish", "tell"]

log = logging.getLogger("asok.models")

_lock = threading.Lock()
_database: Database | Callable[[], Database] | None = None
_cache: CacheRegion | None = None
_revalidate: Callable[[Collection[str]], None] | None = None
_notices: Notices | None = None

#: Notices of the tables that a commit wrote, for caches that each process has for itself.
_TOPIC: Final = "models.written"


#: The calls that end what `configure` subscribed to.
_ends: list[Callable[[], None]] = []


def configure(
    database: Database | Callable[[], Database] | None,
    *,
    cache: CacheRegion | None = None,
    revalidate: Callable[[Collection[str]], None] | None = None,
    notices: Notices | None = None,
) -> None:
    """Set the database of every model, and the cache that `.cache(ttl)` stores in.

    `database` may be a callable; it is called once, by the first query. None takes the
    setting back (tests). Without a `cache`, `.cache(ttl)` runs its query every time.
    `revalidate` gets the tags (`Model.revalidates`) of each commit, once it is done. By
    `notices` the caches of other processes hear which tables were written.
    """
    global _database, _cache, _revalidate, _notices
    with _lock:
        while _ends:
            _ends.pop()()
        _notices = notices
        if notices is not None:
            _ends.append(notices.subscribe(_TOPIC, _hear))
            _ends.append(notices.subscribe(MISSED, _miss))
        _database = database
        _cache = cache
        _revalidate = revalidate
        if database is not None and not callable(database):
            database.use_cache(cache)


def configured_database() -> Database:
    """Return the application's database. Raises `ConfigurationError` where none is set."""
    global _database
    found = _database
    if found is not None and not callable(found):
        return found
    with _lock:
        if _database is None:
            raise ConfigurationError(
                "a model was used, and no database is configured.",
                fix="Create the application first (app = Asok()), or call "
                'asok.models.configure(Database("sqlite:///db.sqlite3")).',
            )
        if callable(_database):
            made = _database()
            made.use_cache(_cache)
            _database = made
        return _database


def tell(tables: Iterable[str]) -> None:
    """Tell the other processes of the site which tables a commit wrote.

    Where that fails their memory answers as before until the time to live of its entries ends.
    """
    notices, written = _notices, sorted(tables)
    if notices is None:
        return
    try:
        notices.publish(_TOPIC, {"tables": written})
    except OSError:  # a full disk: what was written is written
        log.exception("other processes could not be told that %s changed", ", ".join(written))


def _hear(message: dict[str, Any]) -> None:
    found = _database
    if found is not None and not callable(found):  # else nothing was cached yet
        found.forget_queries(message["tables"])


def _miss(_message: object) -> None:
    found = _database
    if found is not None and not callable(found):
        found.forget_queries(None)


def publish(tags: Iterable[str]) -> None:
    """Hand the tags of a commit to whoever regenerates pages; each once.

    What was written is written: a failure here is logged, and the pages of these tags are
    regenerated when their REVALIDATE says so.
    """
    revalidate = _revalidate
    wanted = dict.fromkeys(tags) if revalidate is not None else {}
    if revalidate is None or not wanted:
        return
    try:
        revalidate(wanted.keys())
    except Exception:
        log.exception("the pages of %s could not be invalidated", ", ".join(wanted))
