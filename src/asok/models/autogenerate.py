"""What the models have that the database hasn't, and the migration file that says it.

Alembic compares and renders; the file's frame, its name and the words for a change are ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

from asok.models.described import losses, sentences
from asok.models.fields import UtcDateTime

__all__ = ["Changes", "compare", "new_path", "options", "source"]


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between models and database: one sentence each, and the code for it.

    `losses` say what of the rows is gone afterwards.
    """

    sentences: tuple[str, ...]
    losses: tuple[str, ...]
    upgrade: str
    downgrade: str
    imports: tuple[str, ...]


def options(**more: Any) -> dict[str, Any]:
    """Return the options of every migration context."""
    # SQLite can't alter most things: Alembic's batch mode makes a new table and copies.
    return {"compare_type": True, "render_as_batch": True, "transactional_ddl": True, **more}


def compare(connection: Connection, metadata: MetaData) -> Changes:
    """Compare the models with a database that has every migration."""
    imports: set[str] = set()

    def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
        if kind != "type":
            return False
        if isinstance(item, UtcDateTime):
            # A migration is history: it names what the column was, not today's code.
            return "sa.DateTime(timezone=True)"
        if isinstance(item, TypeDecorator):
            module = str(item.__module__)
            if not module.startswith(("sqlalchemy.", "alembic.")):
                imports.add(f"import {module}")
        return False

    context = MigrationContext.configure(
        connection, opts=options(target_metadata=metadata, render_item=render_item)
    )
    script = produce_migrations(context, metadata)
    up, down = script.upgrade_ops, script.downgrade_ops
    assert up is not None
    assert down is not None
    up.ops = _in_order(up.ops)
    up.reverse_into(down)
    code = [
        render_python_code(
            part, render_as_batch=True, render_item=render_item, migration_context=context
        )
        for part in (up, down)
    ]
    # The types of one dialect: those of variants, and on SQLite of JSON columns that it has.
    for dialect in re.findall(r"\b(postgresql|sqlite|mysql)\.", "".join(code)):
        imports.add(f"from sqlalchemy.dialects import {dialect}")
    # A variant's type is rendered by its repr, which names Text without its module.
    code = [re.sub(r"astext_type=(sa\.)?Text\(\)", "", part) for part in code]
    return Changes(
        tuple(sentences(up.ops)),
        tuple(losses(up.ops)),
        code[0],
        code[1],
        tuple(sorted(imports)),
    )


def _in_order(operations: list[ops.MigrateOperation]) -> list[ops.MigrateOperation]:
    """Drop tables at the end, and each before those that it refers to: Alembic goes by name."""
    gone = {found.table_name: found for found in operations if isinstance(found, ops.DropTableOp)}
    referred: dict[str, set[str]] = {name: set() for name in gone}
    for name, found in gone.items():
        for key in found.to_table().foreign_keys:
            parent = key.target_fullname.rpartition(".")[0]
            if parent in gone and parent != name:
                referred[parent].add(name)
    try:
        names = list(TopologicalSorter(referred).static_order())
    except CycleError:  # to be solved by hand: a constraint has to go first
        names = list(gone)
    others = [found for found in operations if not isinstance(found, ops.DropTableOp)]
    return [*others, *(gone[name] for name in names)]


def source(changes: Changes, *, message: str, revision: str, after: str | None) -> str:
    """Return a migration file's text."""
    imports = "".join(f"{line}\n" for line in changes.imports)
    comment = "".join(f"\n- {sentence}" for sentence in changes.sentences)
    if changes.losses:
        comment += "\n\nRead this before you run it:\n"
        comment += "".join(f"\n- {loss}" for loss in changes.losses)
    quoted = message.replace("\\", "\\\\").replace('"""', "'''")
    return (
        f'"""{quoted}\n'
        f"{comment}\n"
        '"""\n\n'
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"{imports}\n"
        f"revision = {revision!r}\n"
        f"down_revision = {after!r}\n"
        "branch_labels = None\n"
        "depends_on = None\n\n\n"
        f"def upgrade() -> None:\n{_body(changes.upgrade)}\n\n\n"
        f"def downgrade() -> None:\n{_body(changes.downgrade)}\n"
    )


def _body(code: str) -> str:
    lines = [line.rstrip() for line in code.splitlines() if "auto generated by Alembic" not in line]
    lines = [line for line in lines if "end Alembic commands" not in line]
    text = "\n".join(lines).strip("\n")
    return text if text.startswith("    ") else "    " + (text or "pass")


def new_path(folder: Path, message: str, moment: datetime | None = None) -> tuple[str, Path]:
    """Return a new migration's revision and file: `20261121_124300_create_posts.py`."""
    now = moment if moment is not None else datetime.now(UTC)
    revision = now.strftime("%Y%m%d_%H%M%S")
    number = 1
    while any(folder.glob(f"{revision}_*.py")):
        number += 1
        revision = f"{now:%Y%m%d_%H%M%S}_{number}"
    words = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:60].strip("_")
    return revision, folder / f"{revision}_{words or 'migration'}.py"
