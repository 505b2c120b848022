"""One unit of work: SQLAlchemy's session on one held connection, writing only what it is told.

SQLAlchemy's session writes every changed object at every flush. The documented API is that
`post.save()` writes the post (and the new objects that hang on it), so everything else that
was changed is set aside while a flush or commit runs.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstanceState, Session
from sqlalchemy.orm.exc import StaleDataError

from asok.errors import ModelError, RecordNotFound
from asok.models.announcing import attach
from asok.models.engine import WRITTEN
from asok.models.events import Told

if TYPE_CHECKING:
    from asok.models.database import Database

__all__ = ["Work"]


class Work(Session):
    """The session of one scope, or of one call outside any scope.

    `depth` counts the `transaction()` blocks that are open; at 0 every write is committed at
    once. `lock` is held during each operation, because threads of one request share it.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(autoflush=False, expire_on_commit=False)
        self.database = database
        self.depth = 0
        self.lock = threading.RLock()
        self._held: Connection | None = None
        self._recovered: BaseException | None = None
        #: Tags of pages that the next commit invalidates.
        self.tags: list[str] = []
        database.watch.begin(self)
        #: What the listeners of rows are told.
        self.told = Told()

    def get_bind(self, *_arguments: Any, **_options: Any) -> Connection:
        """Return the one connection, taken from the pool by the first statement."""
        if self._held is None:
            self._held = self.database.engine.connect()
            if not self.depth:
                self.database.autocommit.reading(self._held)
        return self._held

    @property
    def connected(self) -> bool:
        """Whether a connection was taken from the pool."""
        return self._held is not None

    def close(self) -> None:
        """Drop what is not committed and give the connection back."""
        held, self._held = self._held, None
        self.tags.clear()
        try:
            super().close()
        finally:
            if held is not None:
                # The connection may have died; `info` then belongs to nobody.
                if not held.invalidated:
                    held.info.pop(WRITTEN, None)
                held.close()

    def begin_write(self) -> None:
        """Let what follows be one transaction, until a commit or rollback."""
        self.database.autocommit.writing(self.get_bind())

    def end_write(self) -> None:
        """Let statements stand alone again, unless a transaction is open."""
        if self._held is not None and not self.depth:
            self.database.autocommit.reading(self._held)

    def settle(self) -> None:
        """Commit what SQL of the caller's own wrote outside `transaction()`."""
        held = self._held
        if held is None or self.depth or held.closed or held.invalidated:
            return
        if held.info.get(WRITTEN) or self.database.autocommit.open(held):
            self.finish()

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what is new or changed; then tell the listeners, in the same transaction."""
        super().flush(objects)
        self.depth += 1
        try:
            self.told.after_flush()
        finally:
            self.depth -= 1

    def commit(self) -> None:
        """Commit; then tell the listeners to it."""
        super().commit()
        if not self.depth:
            self.told.after_commit()

    @property
    def _written(self) -> set[str]:
        """The tables that were written since the last commit."""
        return self.get_bind().info.setdefault(WRITTEN, set())

    def recover(self, error: BaseException) -> None:
        """After an error of the database outside `transaction()`: end what it broke.

        PostgreSQL refuses every further statement of a transaction in which one failed;
        inside `transaction()` that is the block's own matter.
        """
        if not self.depth and error is not self._recovered:
            self.rollback()

    def persist(self, instance: Any) -> None:
        """Write a new or changed instance; commit unless a transaction is open.

        Raises `RecordNotFound` where its row was deleted meanwhile, `ModelError` where this
        very instance was deleted. After a failure the instance keeps its values.
        """
        state: InstanceState[Any] = inspect(instance)
        if state.was_deleted or state.deleted:
            raise ModelError(
                f"{instance!r} was deleted and can't be saved.",
                fix=f"Create a new {type(instance).__name__}.",
            )
        self.begin_write()
        with self._only(instance):
            changed = {key: state.dict[key] for key in state.committed_state if key in state.dict}
            was_new = state.key is None
            try:
                self._finish()
            except BaseException as error:
                self._restore(instance, {} if was_new else changed)
                self._recovered = error
                if isinstance(error, StaleDataError):
                    raise RecordNotFound(f"the row of {instance!r} is no longer there.") from error
                raise

    def remove(self, instance: Any) -> None:
        """Delete an instance's row; a row that is gone already is fine."""
        state: InstanceState[Any] = inspect(instance)
        if state.key is None:
            raise ModelError(f"{instance!r} was never saved, so it can't be deleted.")
        if state.was_deleted or state.deleted:
            return
        self.begin_write()
        with self._only(instance):
            self.delete(instance)
            self._finish()

    def finish(self) -> None:
        """Commit the statements that were executed, unless a transaction is open."""
        if not self.depth:
            with self._only():
                self.commit()

    def _finish(self) -> None:
        self.flush()
        if not self.depth:
            self.commit()

    def adopt(self, instance: Any) -> None:
        """Take a detached instance in; another instance of the same row leaves.

        A row that a query returned from the cache, or that an earlier request loaded, may
        meet the same row loaded by this one: the instance that is being used wins.
        """
        state: InstanceState[Any] = inspect(instance)
        if state.key is not None:
            other = self.identity_map.get(state.key)
            if other is not None and other is not instance:
                self.expunge(other)
        self.add(instance)

    @contextmanager
    def _only(self, *kept: Any) -> Generator[None]:
        """Let a flush see `kept` and what it references, and nothing else that was changed."""
        wanted = {id(instance) for instance in kept}
        for instance in kept:
            state: InstanceState[Any] = inspect(instance)
            for found, *_ in state.mapper.cascade_iterator("save-update", state):
                wanted.add(id(found))
        aside = [instance for instance in (*self.new, *self.dirty) if id(instance) not in wanted]
        for instance in aside:
            if instance in self:
                self.expunge(instance)
        # After, not before: expunging cascades along "all" relations and may take `kept` out.
        for instance in kept:
            self.adopt(instance)
        try:
            yield
        finally:
            for instance in aside:
                if instance not in self:
                    self.add(instance)

    def _restore(self, instance: Any, changed: dict[str, Any]) -> None:
        """After a failed write: end the transaction, and give the instance its values back."""
        if self.depth:
            return
        self.rollback()
        state: InstanceState[Any] = inspect(instance)
        if state.key is None:
            return
        # A rollback expires what was loaded. Outside a scope nothing could load it again.
        with suppress(SQLAlchemyError):
            self.refresh(instance)
        for key, value in changed.items():
            setattr(instance, key, value)

    @contextmanager
    def transact(self) -> Generator[Work]:
        """Everything inside is committed together at the end, or not at all.

        Inside another one it is a savepoint: what fails in it is undone alone.
        """
        if self.depth:
            with self._only():
                savepoint = self.begin_nested()
            self.depth += 1
            written, tags, told = self._written.copy(), len(self.tags), self.told.mark()
            try:
                yield self
            except BaseException:
                savepoint.rollback()
                self._written.intersection_update(written)
                del self.tags[tags:]
                self.told.forget(told)
                raise
            else:
                with self._only():
                    savepoint.commit()
            finally:
                self.depth -= 1
            return
        # End the transaction that earlier reads may have begun: it may be minutes old.
        self.finish()
        self.begin_write()
        self.depth = 1
        try:
            if self.database.is_sqlite:
                self.connection().exec_driver_sql("BEGIN IMMEDIATE")
            yield self
        except BaseException:
            self.rollback()
            raise
        else:
            with self._only():
                self.commit()
        finally:
            self.depth = 0
            self.end_write()
        self.told.after_commit()


attach(Work)
