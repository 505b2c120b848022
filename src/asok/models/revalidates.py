"""Which tags of pages a write invalidates: a model's class attribute `revalidates`.

```python
class Post(Model):
    revalidates = ("posts", "post:{slug}")
```

A tag without braces is meant by every write to the model's table, one with columns in braces
by the rows that are written: by the values from before and from after. A column that is None,
or whose value isn't known, leaves its tag out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, FromClause, Table, inspect, select
from sqlalchemy.orm import InstanceState, Mapper, Session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

from asok import site_modules
from asok.errors import ModelError
from asok.models.conditions import is_sql
from asok.models.naming import suggest

__all__ = [
    "Revalidated",
    "flushed_tags",
    "read_revalidates",
    "revalidated",
    "rows_tags",
    "table_tags",
]

log = logging.getLogger("asok.models")

#: How many different rows of one update() or delete() are named by their values.
MAX_ROWS: Final = 1000
#: As in `TAGS` of a page.
_MAX_TAG: Final = 128


@dataclass(frozen=True, slots=True)
class Revalidated:
    """A model's tags: those without braces, and the others each with its columns."""

    fixed: tuple[str, ...]
    templates: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that stand in braces."""
        return tuple(dict.fromkeys(name for _, names in self.templates for name in names))

    def tags(self, values: Mapping[str, Any]) -> Iterator[str]:
        """The tags with columns, of a row of which `values` are known."""
        for template, names in self.templates:
            if all(values.get(name) is not None for name in names):
                yield template.format(**{name: values[name] for name in names})


#: Model class -> its tags; the models of a site that is loaded anew leave.
_known: dict[type[Any], Revalidated] = {}


def read_revalidates(cls: type[Any]) -> None:
    """Read and check `revalidates` of a mapped class. Raises `ModelError`."""
    value = getattr(cls, "revalidates", ())
    if not isinstance(value, (tuple, list)):
        example = f'"{value}"' if isinstance(value, str) else '"posts"'
        raise ModelError(
            f"{cls.__name__}.revalidates is {value!r}, expected a tuple of tags.",
            fix=f"Write revalidates = ({example},).",
        )
    mapper: Mapper[Any] = inspect(cls)
    # Not `column_attrs`, which would look for the models of relations that come later.
    columns = mapper.columns.keys()
    fixed: list[str] = []
    templates: list[tuple[str, tuple[str, ...]]] = []
    for tag in cast("Iterable[object]", value):
        names = _names(cls, tag, columns)
        assert isinstance(tag, str)
        if names:
            templates.append((tag, names))
        else:
            fixed.append(tag.format())
    if fixed or templates:
        _known[cls] = Revalidated(tuple(fixed), tuple(templates))


def _names(cls: type[Any], tag: object, columns: Iterable[str]) -> tuple[str, ...]:
    """The columns in the braces of `tag`. Raises `ModelError`."""
    where = f"{cls.__name__}.revalidates holds {tag!r}"
    if not isinstance(tag, str) or not tag.strip() or not tag.isprintable() or len(tag) > _MAX_TAG:
        raise ModelError(
            f"{where}, which is no tag.",
            fix=f"A tag is a printable text of 1 to {_MAX_TAG} characters.",
        )
    try:
        fields = [part for part in Formatter().parse(tag) if part[1] is not None]
    except ValueError as error:
        raise ModelError(
            f"{where}: {error}.", fix='Columns stand in braces: "post:{slug}".'
        ) from error
    names: list[str] = []
    for _, name, spec, conversion in fields:
        known = list(columns)
        if name in known and not spec and not conversion:
            names.append(name)
        elif not name or not name.isidentifier() or name in known:
            raise ModelError(
                f"{where}: only the name of a column may stand in braces.",
                fix=f'Write "{{{known[0]}}}", for example.',
            )
        else:
            raise ModelError(
                f"{where}, but {cls.__name__} has no column {name!r}.", fix=suggest(name, known)
            )
    return tuple(names)


def revalidated(cls: type[Any]) -> Revalidated | None:
    """Return the tags of a model, None where it has none."""
    return _known.get(cls)


def table_tags(tables: Iterable[str]) -> Iterator[str]:
    """The tags without braces of every model of these tables."""
    if not _known:
        return
    written = frozenset(tables)
    for cls, found in _known.items():
        mapper: Mapper[Any] = inspect(cls)
        table: FromClause = mapper.local_table
        if isinstance(table, Table) and str(table.fullname) in written:
            yield from found.fixed


def flushed_tags(session: Session) -> Iterator[str]:
    """The tags of what a flush has just written, by the values before and after it.

    To be read in `after_flush`: new keys are known, and what was before is not yet forgotten
    (SQLAlchemy, `SessionEvents.after_flush`).
    """
    if not _known:
        return
    for instance in (*session.new, *session.dirty, *session.deleted):
        found = revalidated(cast("type[Any]", type(instance)))
        if found is None:
            continue
        state: InstanceState[Any] = inspect(instance)
        if instance in session.dirty and not session.is_modified(instance):
            continue
        yield from found.fixed
        if state.key is not None:
            yield from found.tags({name: _before(instance, name) for name in found.columns})
        if instance not in session.deleted:
            yield from found.tags(state.dict)


def _before(instance: object, name: str) -> Any:
    """A column's value before it was changed; None where it was never loaded."""
    history = get_history(instance, name, PASSIVE_NO_INITIALIZE)
    return next(iter(history.deleted or history.unchanged or ()), None)


def rows_tags(
    model: type[Any],
    where: ColumnElement[bool] | None,
    values: Mapping[str, Any],
    session: Session,
) -> set[str]:
    """The tags with columns of the rows that an update() to `values` or a delete() will write.

    The rows are read by `session`, in the transaction of the write. Of more than `MAX_ROWS`
    different ones none is named. A value that is an SQL expression is not known before it is
    written.
    """
    found = revalidated(model)
    if found is None or not found.templates:
        return set()
    names = found.columns
    statement = select(*(getattr(model, name) for name in names)).distinct().limit(MAX_ROWS + 1)
    if where is not None:
        statement = statement.where(where)
    rows = [dict(zip(names, row, strict=True)) for row in session.execute(statement)]
    if len(rows) > MAX_ROWS:
        log.warning(
            "a statement writes more than %d rows of %s; of revalidates only the tags without "
            "braces are invalidated",
            MAX_ROWS,
            model.__name__,
        )
        return set()
    new = {name: None if is_sql(value) else value for name, value in values.items()}
    return {tag for row in rows for state in (row, {**row, **new}) for tag in found.tags(state)}


def _forget(belongs: Callable[[str], bool]) -> None:
    for cls in [cls for cls in _known if belongs(cls.__module__)]:
        del _known[cls]


site_modules.on_purge(_forget)
