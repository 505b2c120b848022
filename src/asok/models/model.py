"""`Model`: a table as a class and a row as an object, on SQLAlchemy's declarative mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from sqlalchemy import MetaData, inspect, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper

from asok import site_modules
from asok.errors import ModelError, RecordNotFound
from asok.models.assigning import assign, unknown_column
from asok.models.configuration import configured_database
from asok.models.declaration import check_annotations, complete
from asok.models.events import add_listener
from asok.models.fields import TYPES, is_hidden
from asok.models.keys import key_values
from asok.models.query import Query
from asok.models.registry import check_once, forget_models
from asok.models.related import eager
from asok.models.revalidates import read_revalidates
from asok.models.twin import hop
from asok.models.work import Work

__all__ = ["Model"]

F = TypeVar("F", bound=Callable[[Any], object])

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
            check_annotations(cls)
            complete(cls, Model)
        super().__init_subclass__(**options)
        if not cls.__dict__.get("__abstract__", False):
            read_revalidates(cls)

    def __init__(self, **values: Any) -> None:
        """Make a row that is not saved yet. Raises `UnknownColumn` for a name it doesn't have."""
        mapper: Mapper[Any] = inspect(type(self))
        assign(self, values)
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

    @classmethod
    def atransaction(cls) -> AbstractAsyncContextManager[Work]:
        """`transaction()` for coroutines: `async with Post.atransaction():`."""
        return configured_database().atransaction()

    @classmethod
    def on(cls, event: str) -> Callable[[F], F]:
        """Call a function for every row that is written: `@Post.on("saving")`.

        saving, creating, updating, deleting come before, created, updated, saved, deleted
        after it in the same transaction, committed after that. Raises `ModelError`.
        """
        return lambda function: add_listener(cls, event, function)

    # For coroutines

    @classmethod
    async def aall(cls) -> list[Self]:
        """`all` for coroutines."""
        return await hop(cls.all)

    @classmethod
    async def afind(cls, key: Any) -> Self | None:
        """`find` for coroutines."""
        return await hop(lambda: cls.find(key))

    @classmethod
    async def afind_or_fail(cls, key: Any) -> Self:
        """`find_or_fail` for coroutines."""
        return await hop(lambda: cls.find_or_fail(key))

    @classmethod
    async def acreate(cls, **values: Any) -> Self:
        """`create` for coroutines."""
        return await hop(lambda: cls.create(**values))

    @classmethod
    async def afirst_or_create(
        cls, defaults: Mapping[str, Any] | None = None, /, **match: Any
    ) -> Self:
        """`first_or_create` for coroutines."""
        return await hop(lambda: cls.first_or_create(defaults, **match))

    @classmethod
    async def aupdate_or_create(
        cls, values: Mapping[str, Any] | None = None, /, **match: Any
    ) -> Self:
        """`update_or_create` for coroutines."""
        return await hop(lambda: cls.update_or_create(values, **match))

    async def asave(self) -> Self:
        """`save` for coroutines."""
        return await hop(self.save)

    async def aupdate(self, **values: Any) -> Self:
        """`update` for coroutines."""
        return await hop(lambda: self.update(**values))

    async def adelete(self) -> None:
        """`delete` for coroutines."""
        await hop(self.delete)

    async def arefresh(self) -> Self:
        """`refresh` for coroutines."""
        return await hop(self.refresh)

    async def aload(self, *relations: Any) -> Self:
        """`load` for coroutines, which must not touch a relation that is not loaded yet."""
        return await hop(lambda: self.load(*relations))

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
        assign(self, values)
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

    def load(self, *relations: Any) -> Self:
        """Load relations of this row now, by name: `post.load("author", "comments.author")`.

        Raises `UnknownColumn` with the nearest name, `RecordNotFound` where the row is gone.
        """
        mapper: Mapper[Any] = inspect(type(self))
        options = [eager(type(self), relation).option for relation in relations]
        identity = inspect(self).identity
        if identity is None:
            raise ModelError(f"{self!r} was never saved, so it has nothing to load.")
        same = (column == value for column, value in zip(mapper.primary_key, identity, strict=True))
        statement = select(type(self)).where(*same).options(*options)
        with configured_database().work() as work:
            work.adopt(self)
            # A row of the session keeps its values: only what it lacks is filled in.
            if work.scalars(statement).first() is None:
                raise RecordNotFound(f"the row of {self!r} is not there.")
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
                raise unknown_column(type(self), name)
        return {name: getattr(self, name) for name in names if name not in left_out}


site_modules.on_purge(lambda belongs: forget_models(Model, belongs))
