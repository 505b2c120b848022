"""`Model`: a table as a class and a row as an object, on SQLAlchemy's declarative mapping."""

from __future__ import annotations

import inspect as python
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, get_origin

from sqlalchemy import Column, MetaData, inspect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, Mapper, mapped_column

from asok import site_modules
from asok.errors import ModelError, RecordNotFound, UnknownColumn
from asok.models.configuration import configured_database
from asok.models.fields import INTEGER, TYPES, is_hidden
from asok.models.keys import key_values
from asok.models.naming import suggest, table_name
from asok.models.query import Query
from asok.models.registry import check_once, forget_models
from asok.models.revalidates import read_revalidates
from asok.models.work import Work

__all__ = ["Model"]

#: Names for constraints, without which a migration could not drop them again on SQLite.
_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """Base of a site's models.

    ```python
    class Post(Model):
        title: Mapped[str]
        slug: Mapped[str] = field(unique=True)
        views: Mapped[int] = field(default=0)
    ```

    A model gets an integer key `id` unless it declares a primary key, and its name in the
    plural as its table (`__tablename__` overrides). Writes are committed at once, except
    inside `transaction()`. Everything of SQLAlchemy's mapping works here as well.

    `revalidates = ("posts", "post:{slug}")` names the tags of pages that are rendered anew
    after a commit that wrote rows: columns in braces are taken from before and after.
    """

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = TYPES
    # Values that the database makes come back with the INSERT or UPDATE: outside a scope
    # nothing could load them later. A row that is gone is deleted: no warning.
    __mapper_args__: Any = {  # noqa: RUF012  SQLAlchemy's own annotation
        "eager_defaults": True,
        "confirm_deleted_rows": False,
    }
    __asok_model__: ClassVar[bool] = True

    revalidates: ClassVar[Sequence[str]] = ()

    if TYPE_CHECKING:
        id: Mapped[Any]

    def __init_subclass__(cls, **options: Any) -> None:
        if not cls.__dict__.get("__abstract__", False):
            check_once(cls)
            _check_annotations(cls)
            _complete(cls)
        super().__init_subclass__(**options)
        if not cls.__dict__.get("__abstract__", False):
            read_revalidates(cls)

    def __init__(self, **values: Any) -> None:
        """Make a row that is not saved yet. Raises `UnknownColumn` for a name it doesn't have."""
        mapper: Mapper[Any] = inspect(type(self))
        _assign(self, values)
        for attribute in mapper.column_attrs:
            column = attribute.columns[0]
            default = getattr(column, "default", None)
            if default is not None and default.is_scalar and attribute.key not in self.__dict__:
                setattr(self, attribute.key, default.arg)

    def __repr__(self) -> str:
        identity = inspect(self).identity
        return (
            f"<{type(self).__name__} {'new' if identity is None else ','.join(map(str, identity))}>"
        )

    # The table

    @classmethod
    def query(cls) -> Query[Self]:
        """Begin a query: `Post.query().order_by("-views").limit(10).get()`."""
        return Query(cls)

    @classmethod
    def where(cls, *arguments: Any) -> Query[Self]:
        """Begin a query with a condition; see `Query.where`."""
        return Query(cls).where(*arguments)

    @classmethod
    def all(cls) -> list[Self]:
        """Return every row, in the order of the primary key."""
        return Query(cls).all()

    @classmethod
    def find(cls, key: Any) -> Self | None:
        """Return the row with this primary key (a tuple where it has several columns).

        A key that can't be one of this table's (text for a number, a number too large) finds
        nothing: it often comes from a URL.
        """
        known = key_values(inspect(cls), key)
        if known is None:
            return None
        with configured_database().work() as work:
            return work.get(cls, known[0] if len(known) == 1 else known)

    @classmethod
    def find_or_fail(cls, key: Any) -> Self:
        """Return the row with this primary key. Raises `RecordNotFound`."""
        found = cls.find(key)
        if found is None:
            raise RecordNotFound(f"no {cls.__name__} has the key {key!r}.")
        return found

    @classmethod
    def create(cls, **values: Any) -> Self:
        """Make a row and save it."""
        return cls(**values).save()

    @classmethod
    def first_or_create(cls, defaults: Mapping[str, Any] | None = None, /, **match: Any) -> Self:
        """Return the first row with the values `match`, or create it with `defaults` too."""
        return Query(cls).first_or_create(defaults, **match)

    @classmethod
    def update_or_create(cls, values: Mapping[str, Any] | None = None, /, **match: Any) -> Self:
        """Set `values` on the first row with the values `match`, or create it with both."""
        return Query(cls).update_or_create(values, **match)

    @classmethod
    def transaction(cls) -> AbstractContextManager[Work]:
        """Commit what is written inside together, or nothing; see `Database.transaction`."""
        return configured_database().transaction()

    # The row

    def save(self) -> Self:
        """Write this row, and new rows that hang on it by relations; return it.

        Other rows that were changed stay unwritten. Raises SQLAlchemy's `IntegrityError`
        where the database refuses it (a value that must be unique), and `RecordNotFound`
        where the row was deleted meanwhile.
        """
        with configured_database().work() as work:
            work.persist(self)
        return self

    def update(self, **values: Any) -> Self:
        """Set columns and save. Raises `UnknownColumn` before anything is set."""
        _assign(self, values)
        return self.save()

    def delete(self) -> None:
        """Delete this row."""
        with configured_database().work() as work:
            work.remove(self)

    def refresh(self) -> Self:
        """Read the row again, dropping what was changed. Raises `RecordNotFound`."""
        with configured_database().work() as work:
            try:
                work.adopt(self)
                work.refresh(self)
            except InvalidRequestError as error:
                raise RecordNotFound(f"the row of {self!r} is not there.") from error
        return self

    def to_dict(
        self, *, only: Iterable[str] | None = None, exclude: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the columns as a dictionary, without those made with `field(hidden=True)`.

        `only` names the columns wanted (hidden ones too), `exclude` those to leave out.
        """
        mapper: Mapper[Any] = inspect(type(self))
        left_out = set(exclude)
        if only is None:
            names = [a.key for a in mapper.column_attrs if not is_hidden(a.columns[0].info)]
        else:
            names = list(only)
        for name in (*names, *left_out):
            if name not in mapper.column_attrs:
                raise _unknown(type(self), name)
        return {name: getattr(self, name) for name in names if name not in left_out}


def _unknown(model: type[Model], name: str) -> UnknownColumn:
    known = inspect(model).all_orm_descriptors
    names = [key for key in known.keys() if key[0] != "_"]  # noqa: SIM118  it iterates values
    return UnknownColumn(f"{model.__name__} has no column {name!r}.", fix=suggest(name, names))


def _assign(instance: Model, values: Mapping[str, Any]) -> None:
    known = inspect(type(instance)).all_orm_descriptors
    for name in values:
        if name not in known:
            raise _unknown(type(instance), name)
    for name, value in values.items():
        setattr(instance, name, value)


def _check_annotations(cls: type[Model]) -> None:
    """Refuse `title: str`, which SQLAlchemy would pass over without a word."""
    try:
        annotations = python.get_annotations(cls)
    except NameError:  # a name that only type checkers import
        return
    for name, annotation in annotations.items():
        text = annotation if isinstance(annotation, str) else ""
        mapped = text.partition("[")[0].rpartition(".")[2] if text else get_origin(annotation)
        if name.startswith("_") or mapped in ("ClassVar", ClassVar):
            continue
        plain = annotation in (str, int, float, bool, bytes) or text in _PLAIN
        if plain:
            shown = text or cast("type", annotation).__name__
            raise ModelError(
                f"{cls.__name__}.{name} is annotated as {shown}, which makes no column.",
                fix=f"Write {name}: Mapped[{shown}] (from asok.models import Mapped).",
            )


_PLAIN = frozenset(
    whole
    for name in ("str", "int", "float", "bool", "bytes", "datetime", "date", "Decimal")
    for whole in (name, f"{name} | None", f"Optional[{name}]")
)


def _complete(cls: type[Model]) -> None:
    """Give a model its table's name and its key, where it says nothing about them."""
    parents = [base for base in cls.__mro__[1:] if base is not Model and issubclass(base, Model)]
    if any("__mapper__" in vars(base) for base in parents):
        return  # SQLAlchemy's inheritance: the parent's table, or one that the class declares
    given: dict[str, Any] = {}
    for base in cls.__mro__:
        if base is not Model and base is not DeclarativeBase:
            given = {**vars(base), **given}
    if "__tablename__" not in given and "__table__" not in given:
        cls.__tablename__ = table_name(cls.__name__)
    if "__table__" not in given and not any(_is_key(value) for value in given.values()):
        cls.id = mapped_column(INTEGER, primary_key=True, sort_order=-1)


def _is_key(value: Any) -> bool:
    if isinstance(value, MappedColumn):
        return cast("MappedColumn[Any]", value).column.primary_key
    return isinstance(value, Column) and cast("Column[Any]", value).primary_key


site_modules.on_purge(lambda belongs: forget_models(Model, belongs))
