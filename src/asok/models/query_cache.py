"""Cached queries: what their key is, and why a write makes it a different one.

The key is a digest of the database, the SQL text, the typed parameters and one random token
for each table that the statement mentions. The tokens live in the same cache. After a commit
that wrote a table its token is replaced, so every older entry becomes unreachable: also one
that a slow reader stores late, because its key was made before it read. A token that the
cache has evicted is replaced too, which costs a miss and is never wrong.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Select

from asok.errors import ModelError
from asok.models.engine import table_names
from asok.models.rows import decode, encode

if TYPE_CHECKING:
    from asok.models.database import Database

__all__ = ["CacheRegion", "Fingerprint", "NotStored", "QueryCache", "seconds"]

#: Raised when the stored form changes, so that older entries are not read.
FORMAT = 1
#: Statement texts kept by shape. Shapes come from code, apart from the lengths of IN lists.
MEMO_LIMIT = 2_000

#: A statement's shape (None where it holds SQLAlchemy's own constructs), and its values.
Fingerprint = tuple[Hashable, tuple[Any, ...]]


class CacheRegion(Protocol):
    """What cached queries need of the cache."""

    def get(self, key: str) -> Any:
        """Return the value, or None."""
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
        store = getattr(region, "store", None)
        #: Whether a hit waits for nothing, so that an event loop may look for one itself.
        self.at_once: bool = not getattr(store, "blocking", True)

    def rows(
        self,
        statement: Callable[[], Select[Any]],
        fingerprint: Fingerprint | None,
        ttl: float | None,
        fetch: Callable[[Select[Any]], Iterable[Sequence[Any]]],
        columns: Sequence[Any] = (),
        stale: float | None = None,
        *,
        stored_only: bool = False,
    ) -> list[list[Any]]:
        """Return the rows of a statement: stored ones, or those that `fetch` reads now.

        A miss returns what a later hit will: values that went through the stored form.
        `columns` tell the classes of enumerations. No connection is used unless `fetch` is.
        With `stored_only` nothing is fetched: raises `NotStored`.
        """
        key = self._key(statement, fingerprint)
        if stored_only:
            stored = self._region.get(key) if key and self._region.has(key) else None
            if stored is None:
                raise NotStored
        elif not key:
            stored = [[encode(value) for value in row] for row in fetch(statement())]
        else:
            stored = self._region.remember(
                key,
                ttl,
                lambda: [[encode(value) for value in row] for row in fetch(statement())],
                stale=stale,
            )
        kinds = columns or (None,) * (len(stored[0]) if stored else 0)
        return [
            [
                decode(value, kind) if type(value) is list else value
                for value, kind in zip(row, kinds, strict=True)
            ]
            for row in stored
        ]

    def changed(self, tables: Iterable[str]) -> None:
        """Make every stored result that read one of these tables unreachable.

        Where the cache is in trouble, this process asks the database about these tables until
        the cache has taken the news: it may come back with what it knew before.
        """
        for table in tables:
            if self._region.set(self._token_key(table), secrets.token_hex(8), None) is False:
                self._unsure.add(table)
            else:
                self._unsure.discard(table)

    def _token_key(self, table: str) -> str:
        return f"table:{self._database.identity}:{table}"

    def _token(self, table: str) -> str:
        key = self._token_key(table)
        token = self._region.get(key)
        if not isinstance(token, str):
            # Two workers may do this at once; what the loser stores under its own token is
            # never found again, which is one more miss.
            token = secrets.token_hex(8)
            self._region.set(key, token, None)
        return token

    def _key(self, statement: Callable[[], Select[Any]], fingerprint: Fingerprint | None) -> str:
        """Return the key of a statement's rows, "" where no stored ones may be used."""
        if fingerprint is None:
            text, tables, parameters = self._compile(statement())
        else:
            shape, values = fingerprint
            found = self._texts.get(shape)
            if found is None:
                text, tables, _ = self._compile(statement())
                if len(self._texts) >= MEMO_LIMIT:
                    self._texts.clear()
                self._texts[shape] = (text, tables)
            else:
                text, tables = found
            parameters = [_parameter(value) for value in values]
        if self._unsure:
            self.changed(self._unsure.intersection(tables))
            if not self._unsure.isdisjoint(tables):
                return ""
        tokens = [self._token(table) for table in tables]
        whole = text.copy()
        whole.update(_dumps([parameters, tokens]).encode())
        return "query:" + whole.hexdigest()

    def _compile(
        self, statement: Select[Any]
    ) -> tuple[hashlib.blake2b, tuple[str, ...], list[Any]]:
        compiled = statement.compile(
            dialect=self._database.engine.dialect, compile_kwargs={"render_postcompile": True}
        )
        parameters = [[name, _parameter(value)] for name, value in sorted(compiled.params.items())]
        begun = _dumps([FORMAT, self._database.identity, str(compiled)]).encode()
        tables = tuple(sorted(table_names(statement)))
        return hashlib.blake2b(begun, digest_size=20), tables, parameters


_dumps: Final = json.JSONEncoder(separators=(",", ":")).encode


def _parameter(value: Any) -> Any:
    """Return a bound value for the key; 1, "1", 1.0 and True stay different."""
    if isinstance(value, tuple | list | set | frozenset):
        return ["many", [_parameter(item) for item in value]]  # pyright: ignore[reportUnknownVariableType]
    return encode(value)
