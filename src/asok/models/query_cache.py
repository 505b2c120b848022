"""Cached queries: what their key is, and why a write makes it a different one.

The key is a digest of the database, the SQL text, the typed parameters and one random token
for each table that the statement mentions. The tokens live in the same cache. After a commit
that wrote a table its token is replaced, so every older entry becomes unreachable: also one
that a slow reader stores late, because its key was made before it read. A token that the
cache has evicted is replaced too, which costs a miss and is never wrong.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from time import sleep
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Select

from asok.cache.values import SCALARS, dumps
from asok.errors import CacheValueError, ModelError
from asok.models.engine import table_names
from asok.models.rows import refusal

if TYPE_CHECKING:
    from asok.models.database import Database
    from asok.models.plan import Plan

__all__ = ["CacheRegion", "Fingerprint", "NotStored", "QueryCache", "seconds"]

#: Raised when the stored form changes, so that older entries are not read.
FORMAT: Final = 2
#: Statement texts kept by shape. Shapes come from code, apart from the lengths of IN lists.
MEMO_LIMIT = 2_000

#: Seconds between two attempts to tell a cache in trouble what was written.
AGAIN: Final = 1.0

#: A statement's shape (None where it holds SQLAlchemy's own constructs), and its values.
Fingerprint = tuple[Hashable, tuple[Any, ...]]

Packed = Sequence[Any]


class CacheRegion(Protocol):
    """What cached queries need of the cache."""

    def get(self, key: str) -> Any:
        """Return the value, or None."""
        ...

    def get_many(self, keys: Iterable[str]) -> Mapping[str, Any]:
        """Return the values that there are, by key; a server is asked once."""
        ...

    def has(self, key: str) -> bool:
        """Whether there is a value that is not yet stale."""
        ...

    def set(self, key: str, value: Any, ttl: float | None = None) -> Any:
        """Store a JSON value; `ttl` in seconds, None for ever. False where it was not."""
        ...

    def remember(
        self,
        key: str,
        ttl: float | None,
        fn: Callable[[], Any],
        *,
        stale: float | None = None,
    ) -> Any:
        """Return the value, or call `fn`, once for all who ask meanwhile, and store it.

        For `stale` seconds after `ttl` the old one is returned, and `fn` called in a thread.
        """
        ...


def seconds(ttl: float | timedelta | None) -> float | None:
    """Return a time to live in seconds; None is for ever. Raises `ModelError` for other types."""
    if ttl is None:
        return None
    if isinstance(ttl, timedelta):
        return ttl.total_seconds()
    if isinstance(ttl, bool) or not isinstance(ttl, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(
            f"cache(ttl={ttl!r}) is no time.", fix="Give seconds, a timedelta, or None for ever."
        )
    return float(ttl)


class NotStored(Exception):
    """A query that is to be answered from the cache or not at all is not in it."""


class QueryCache:
    """The cached queries of one database."""

    def __init__(self, database: Database, region: CacheRegion) -> None:
        self._database = database
        self._region = region
        self._texts: dict[Hashable, tuple[hashlib.blake2b, tuple[str, ...]]] = {}
        #: Tables whose token could not be replaced: their entries may be old.
        self._unsure: set[str] = set()
        self._insisting: threading.Thread | None = None
        #: Changes where notices of other processes' writes may have been lost.
        self._epoch = b""
        store = getattr(region, "store", None)
        #: Whether a hit waits for nothing, so that an event loop may look for one itself.
        self.at_once: bool = not getattr(store, "blocking", True)

    def rows(
        self,
        plan: Plan,
        kind: Sequence[Hashable],
        make: Callable[[], Select[Any]],
        fetch: Callable[[Select[Any]], Packed],
        tables: frozenset[str] = frozenset(),
    ) -> Packed:
        """Return what is stored of a statement of `plan`, or what `fetch` reads and packs now.

        `kind` says which statement it is, `make` makes it; `tables` are read beside those in
        it. No connection is used unless `fetch` is called. Raises `NotStored` instead of that
        where the plan is answered from the cache alone, `ModelError` for values that can't be
        stored.
        """
        key = self._key(make, plan.fingerprint(kind), (plan.paths, tables))
        if plan.stored_only:
            stored = self._region.get(key) if key and self._region.has(key) else None
            if stored is None:
                raise NotStored
            return stored
        if not key:
            return fetch(make())
        try:
            return self._region.remember(key, plan.ttl, lambda: fetch(make()), stale=plan.stale)
        except CacheValueError as error:
            raise refusal(error.message.rstrip(".")) from error

    def changed(self, tables: Iterable[str]) -> bool:
        """Make every stored result that read one of these tables unreachable.

        Returns whether the cache has taken that.

        Where the cache is in trouble, this process asks the database about these tables until
        the cache has taken the news, and tries again in the background: it may come back with
        what it knew before, and other processes would answer with that.
        """
        tables = frozenset(tables)
        for table in tables:
            if self._region.set(self._token_key(table), secrets.token_hex(8), None) is False:
                self._unsure.add(table)
            else:
                self._unsure.discard(table)
        taken = self._unsure.isdisjoint(tables)
        if not taken and (self._insisting is None or not self._insisting.is_alive()):
            self._insisting = threading.Thread(
                target=self._insist, name="asok-query-cache", daemon=True
            )
            self._insisting.start()
        return taken

    def doubt(self, tables: Iterable[str]) -> None:
        """Take the news to the cache before it is asked about these tables again: another
        process could not."""
        self._unsure.update(tables)

    def _insist(self) -> None:
        while self._unsure:
            sleep(AGAIN)
            self.changed(tuple(self._unsure))

    def forget(self) -> None:
        """Make every result that this process stored so far unreachable."""
        self._epoch = secrets.token_bytes(8)

    def _token_key(self, table: str) -> str:
        return f"table:{self._database.identity}:{table}"

    def _tokens(self, tables: Iterable[str]) -> bytes:
        keys = [self._token_key(table) for table in tables]
        # In memory one by one is faster; anywhere else one question is.
        ask = self._region.get
        known = {key: ask(key) for key in keys} if self.at_once else self._region.get_many(keys)
        tokens: list[str] = []
        for key in keys:
            token = known.get(key)
            if not isinstance(token, str):
                # Two workers may do this at once; what the loser stores under its own token is
                # never found again, which is one more miss.
                token = secrets.token_hex(8)
                self._region.set(key, token, None)
            tokens.append(token)
        return "".join(tokens).encode()

    def _key(
        self,
        make: Callable[[], Select[Any]],
        fingerprint: Fingerprint | None,
        relations: tuple[Hashable, frozenset[str]],
    ) -> str:
        """Return the key of a statement's rows, "" where no stored ones may be used."""
        if fingerprint is None:
            text, tables, values = self._compile(make(), relations)
        else:
            shape, values = fingerprint
            found = self._texts.get(shape)
            if found is None:
                text, tables, _ = self._compile(make(), relations)
                if len(self._texts) >= MEMO_LIMIT:
                    self._texts.clear()
                self._texts[shape] = (text, tables)
            else:
                text, tables = found
        if self._unsure:
            self.changed(self._unsure.intersection(tables))
            if not self._unsure.isdisjoint(tables):
                return ""
        whole = text.copy()
        whole.update(_typed(values) + self._epoch + self._tokens(tables))
        return "query:" + whole.hexdigest()

    def _compile(
        self, statement: Select[Any], relations: tuple[Hashable, frozenset[str]]
    ) -> tuple[hashlib.blake2b, tuple[str, ...], tuple[Any, ...]]:
        compiled = statement.compile(
            dialect=self._database.engine.dialect, compile_kwargs={"render_postcompile": True}
        )
        paths, related = relations
        begun = repr((FORMAT, self._database.identity, str(compiled), paths)).encode()
        tables = tuple(sorted(table_names(statement) | related))
        parameters = tuple(part for pair in sorted(compiled.params.items()) for part in pair)
        return hashlib.blake2b(begun, digest_size=20), tables, parameters


def _typed(values: tuple[Any, ...]) -> bytes:
    """Return the text of bound values for the key; 1, "1", 1.0 and True stay different."""
    if _UNMISTAKABLE.issuperset(map(type, values)):
        return repr(values).encode()
    try:
        return dumps([_named(value) for value in values])
    except CacheValueError as error:
        raise ModelError(
            f"a cached query compares with a value that names no entry: {error.message}",
            fix="Leave .cache() out of this query.",
        ) from error


#: Types whose `repr` tells each value of theirs, and its type.
_UNMISTAKABLE: Final = SCALARS


def _named(value: Any) -> Any:
    """A value in a text for the key: members of an enumeration by their class and name."""
    if isinstance(value, Enum):
        kind = type(value)
        return ("enum", kind.__module__, kind.__qualname__, value.name)
    if type(value) in (tuple, list):
        return ("many", *map(_named, value))
    return value
