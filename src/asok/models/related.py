"""Relations that are loaded with the rows of a query: by name, as a tree, and in the cache.

A cached query stores its rows together with those of its relations. The tree says which: each
part of it is a model's rows and the relations that are stored with them, in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Mapper, Session, attributes, selectinload
from sqlalchemy.orm.collections import collection_adapter
from sqlalchemy.orm.interfaces import ORMOption

from asok.errors import ModelError, UnknownColumn
from asok.models.engine import table_names
from asok.models.naming import suggest
from asok.models.rows import Identities, Layout, instances_of, layout, pack, unpack

__all__ = ["Eager", "Paths", "Tree", "eager", "tree"]

#: The relations of a query, each by the names on the way to it.
Paths = tuple[tuple[str, ...], ...]

#: Where a model class keeps its trees, by paths.
_KEPT: Final = "__asok_trees__"


@dataclass(frozen=True, slots=True)
class Eager:
    """A relation to be loaded: its names, none for an option of SQLAlchemy's; and its loader."""

    path: tuple[str, ...]
    option: ORMOption


def eager(model: type[Any], path: Any) -> Eager:
    """Return the loader of a relation: `"author"`, `"comments.author"`, or SQLAlchemy's option.

    Relations are loaded by one further query each (`selectinload`), which keeps limits right.
    Raises `UnknownColumn` for a relation that there is not.
    """
    if isinstance(path, ORMOption):
        return Eager((), path)
    if isinstance(path, InstrumentedAttribute):
        path = path.key
    option: Any = None
    owner = model
    names = tuple(str(path).split("."))
    for name in names:
        mapper: Mapper[Any] = inspect(owner)
        if name not in mapper.relationships:
            raise UnknownColumn(
                f"{owner.__name__} has no relation {name!r}.",
                fix=suggest(name, mapper.relationships.keys())
                if mapper.relationships
                else f"{owner.__name__} has no relations.",
            )
        attribute = getattr(owner, name)
        option = selectinload(attribute) if option is None else option.selectinload(attribute)
        owner = mapper.relationships[name].mapper.class_
    return Eager(names, option)


@dataclass(frozen=True, slots=True)
class Tree:
    """The rows of one mapper, and by name the relations that are stored with them."""

    mapper: Mapper[Any]
    layout: Layout
    branches: tuple[tuple[str, Tree], ...]
    #: The tables of the relations, and of all that hangs on them.
    tables: frozenset[str]

    def pack(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        """Return instances as they are stored: `unpack` undoes it.

        First the values of these rows; then for each relation the places of the related rows,
        and the same of these.
        """
        return tuple(self._parts(rows))

    def _parts(self, rows: Sequence[Any]) -> Iterator[Any]:
        names = self.layout.names
        yield from pack(
            ([getattr(row, name) for name in names] for row in rows), self.layout.columns
        )
        for name, branch in self.branches:
            places: dict[int, int] = {}
            related: list[Any] = []

            def place(row: Any, places: dict[int, int] = places, to: list[Any] = related) -> int:
                if id(row) not in places:
                    places[id(row)] = len(to)
                    to.append(row)
                return places[id(row)]

            many = self.mapper.relationships[name].uselist
            links: list[Any] = []
            for row in rows:
                value = getattr(row, name)
                if many:
                    links.append(tuple(map(place, collection_adapter(value))))
                else:
                    links.append(None if value is None else place(value))
            yield tuple(links)
            yield from branch._parts(related)

    def unpack(self, stored: Sequence[Any], session: Session | None) -> list[Any]:
        """Return the instances of what `pack` made; see `instances_of`."""
        if not self.branches:
            return instances_of(self.mapper, unpack(stored, self.layout.columns), session)
        return self._instances(iter(stored), session, None if session is not None else {})

    def _instances(
        self, parts: Iterator[Any], session: Session | None, made: Identities | None
    ) -> list[Any]:
        rows = unpack((next(parts), next(parts)), self.layout.columns)
        instances = instances_of(self.mapper, rows, session, made)
        for name, branch in self.branches:
            links = next(parts)
            related = branch._instances(parts, session, made)
            for instance, link in zip(instances, links, strict=True):
                if name in attributes.instance_dict(instance):
                    continue  # the session's own: it may hold what is not written yet
                value: Any = None
                if type(link) is int:
                    value = related[link]
                elif link is not None:
                    value = [related[at] for at in link]
                attributes.set_committed_value(instance, name, value)
        return instances


def tree(model: type[Any], paths: Paths = ()) -> Tree:
    """Return the tree of a model's rows with these relations. Raises `ModelError`."""
    trees: dict[Paths, Tree] | None = model.__dict__.get(_KEPT)
    if trees is None:
        trees = {}
        setattr(model, _KEPT, trees)
    found = trees.get(paths)
    if found is None:
        if () in paths:
            raise ModelError(
                "a cached query can't load relations by an option of SQLAlchemy's.",
                fix='Name them: with_("author"), with_("comments.author").',
            )
        found = trees[paths] = _grow(inspect(model), paths)
    return found


def _grow(mapper: Mapper[Any], paths: Iterable[tuple[str, ...]]) -> Tree:
    below: dict[str, list[tuple[str, ...]]] = {}
    for name, *rest in paths:
        below.setdefault(name, []).extend([tuple(rest)] if rest else [])
    branches: list[tuple[str, Tree]] = []
    tables: set[str] = set()
    for name, rests in below.items():
        relation = mapper.relationships[name]
        branch = _grow(relation.mapper, rests)
        branches.append((name, branch))
        tables |= branch.tables
        # The table in between; what conditions, orders and computed columns ask of yet others.
        joined = (relation.secondary, relation.primaryjoin, relation.secondaryjoin)
        read = (select(*branch.layout.columns), *joined, *(relation.order_by or ()))
        for part in (*relation.mapper.tables, *read):
            if part is not None:
                tables |= table_names(part)
    return Tree(mapper, layout(mapper), tuple(branches), frozenset(tables))
