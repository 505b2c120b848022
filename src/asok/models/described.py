"""What a migration does, in sentences; and what it destroys, with the renaming it may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column

__all__ = ["losses", "sentences"]


def sentences(operations: Iterable[Any]) -> Iterator[str]:
    """Say each step of Alembic's operations."""
    for operation in _flat(operations):
        match operation:
            case ops.CreateTableOp():
                yield f"new table {operation.table_name}"
            case ops.DropTableOp():
                yield f"table {operation.table_name} has no model any more: it is dropped"
            case ops.AddColumnOp():
                yield f"new column {operation.table_name}.{operation.column.name}"
            case ops.DropColumnOp():
                yield (
                    f"column {operation.table_name}.{operation.column_name} is in no model any "
                    "more: it is dropped"
                )
            case ops.AlterColumnOp():
                yield f"column {operation.table_name}.{operation.column_name} changes"
            case ops.CreateIndexOp():
                yield f"new index {operation.index_name} on {operation.table_name}"
            case ops.DropIndexOp():
                yield f"index {operation.index_name} is dropped"
            case ops.AddConstraintOp():
                name = getattr(operation, "constraint_name", None)
                yield f"new constraint {name or type(operation).__name__}"
            case ops.DropConstraintOp():
                yield f"constraint {operation.constraint_name} is dropped"
            case _:
                yield type(operation).__name__


def losses(operations: Iterable[Any]) -> Iterator[str]:
    """Say what of the rows is gone afterwards.

    A column or table that was given another name looks like one that is dropped and one that
    is new: where that may be, the step to write instead is said too.
    """
    steps = list(_flat(operations))
    for step in steps:
        if isinstance(step, ops.DropTableOp):
            gone = {column.name for column in step.to_table().columns}
            made = [
                other.table_name
                for other in steps
                if isinstance(other, ops.CreateTableOp)
                and gone == {part.name for part in other.columns if isinstance(part, Column)}
            ]
            renamed = "".join(
                f" If it is {name} now, write op.rename_table({step.table_name!r}, {name!r}) "
                "instead of making one and dropping the other."
                for name in made
            )
            yield f"table {step.table_name} is dropped with its rows.{renamed}"
        elif isinstance(step, ops.DropColumnOp):
            before = step.to_column().type
            made = [
                str(other.column.name)
                for other in steps
                if isinstance(other, ops.AddColumnOp)
                and other.table_name == step.table_name
                and other.column.type._type_affinity is before._type_affinity  # pyright: ignore[reportPrivateUsage]
            ]
            renamed = "".join(
                f" If it is {name} now, write batch_op.alter_column({step.column_name!r}, "
                f"new_column_name={name!r}) instead of adding one and dropping the other."
                for name in made
            )
            name = f"{step.table_name}.{step.column_name}"
            yield f"column {name} is dropped with its values.{renamed}"


def _flat(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation
