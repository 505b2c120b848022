"""What a session does when it flushes, commits or rolls back, besides what SQLAlchemy does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.orm import SessionTransaction

from asok.models.engine import WRITTEN
from asok.models.revalidates import flushed_tags

if TYPE_CHECKING:
    from asok.models.work import Work

__all__ = ["attach"]


def attach(cls: type[Work]) -> None:
    """Have every session of this class announce what it wrote."""
    listeners: dict[str, Any] = {
        "before_flush": _prepare,
        "after_flush": _collect,
        "after_commit": _announce,
        "after_soft_rollback": _forget,
    }
    for name, listener in listeners.items():
        event.listen(cls, name, listener)


def _announce(session: Work) -> None:
    """Tell cached queries and pages what was written, once the commit is done."""
    if session.in_nested_transaction() or not session.connected:
        return
    session.end_write()
    written: set[str] | None = session.get_bind().info.pop(WRITTEN, None)
    tags, session.tags = session.tags, []
    if written or tags:
        session.database.changed(*(written or ()), tags=tags)


def _prepare(session: Work, _context: object, _instances: object) -> None:
    session.told.before_flush(session)


def _collect(session: Work, _context: object) -> None:
    session.tags.extend(flushed_tags(session))


def _forget(session: Work, previous: SessionTransaction) -> None:
    ended: SessionTransaction | None = previous
    while ended is not None:
        if ended.nested:
            return  # a savepoint: what was written before it is still to be committed
        ended = ended.parent
    session.tags.clear()
    session.told.forget()
    if not session.connected:
        return
    session.end_write()
    held = session.get_bind()
    if not held.invalidated and not held.closed:
        held.info.pop(WRITTEN, None)
