"""Runs the writes of a plan: one statement for all its rows, or a row that is found or made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.exc import IntegrityError

from asok.errors import ModelError
from asok.models.conditions import column_name
from asok.models.configuration import configured_database
from asok.models.plan import Plan
from asok.models.revalidates import rows_tags

if TYPE_CHECKING:
    from asok.models.database import Database

__all__ = ["Writing"]

R = TypeVar("R")


class Writing:
    """One write of a plan's rows in the configured database."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.database: Database = configured_database()

    def update(self, values: Mapping[str, Any]) -> int:
        """Set columns on every row of the plan; return how many."""
        model = self.plan.model
        wanted = {column_name(model, name): value for name, value in values.items()}
        if not wanted:
            raise ModelError("update() got nothing to set.", fix="Name columns: update(views=0).")
        return self._run(update(model).values(wanted), wanted)

    def delete(self) -> int:
        """Delete every row of the plan; return how many."""
        return self._run(delete(self.plan.model), {})

    def _run(self, statement: Any, values: Mapping[str, Any]) -> int:
        plan = self.plan
        if plan.sliced or plan.groups or plan.havings:
            raise ModelError(
                "update() and delete() can't have a limit, an offset or groups.",
                fix='Give the rows: where_in("id", query.pluck("id")).',
            )
        if (where := plan.where) is not None:
            statement = statement.where(where)
        with self.database.work() as work:
            work.begin_write()
            work.tags.extend(rows_tags(plan.model, where, values, work))
            result = cast("CursorResult[Any]", work.execute(statement))
            work.finish()
            return result.rowcount

    def first_or_create(
        self, first: Callable[[], R | None], match: Mapping[str, Any], others: Mapping[str, Any]
    ) -> tuple[R, bool]:
        """Return the row that `first` finds, or one made of `match` and `others`; and whether."""
        found = first()
        if found is not None:
            return found, False
        try:
            # In an open transaction this is a savepoint, so that it survives the refusal.
            with self.database.transaction() as work:
                made = self.plan.model(**{**match, **others})
                work.persist(made)
                return made, True
        except IntegrityError:
            found = first()
            if found is None:
                raise
            return found, False

    def set(self, row: object, values: Mapping[str, Any]) -> None:
        """Set columns of one row and write it."""
        for name, value in values.items():
            setattr(row, column_name(self.plan.model, name), value)
        with self.database.work() as work:
            work.persist(row)
