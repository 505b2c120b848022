"""The span of one request: every database in it has one session and one connection.

Opening a scope costs a context variable; a session is made by the first query and the
connection by the first statement. Knows nothing of SQLAlchemy, so that a site without
models can open scopes for free.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, ExitStack
from contextvars import ContextVar, Token
from typing import Protocol, TypeVar, cast

__all__ = ["Closable", "Scope", "current_scope", "scope"]


class Closable(Protocol):
    """What a scope keeps: it is closed with the scope."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)

_scope: ContextVar[Scope | None] = ContextVar("asok.models.request_scope", default=None)


class Scope:
    """What the databases keep for the span of one request; shared by its threads and tasks."""

    def __init__(self) -> None:
        self.closed = False
        self._inside = 1
        self._parts: dict[Hashable, Closable] = {}
        self._lock = threading.Lock()

    def part(self, owner: Hashable, make: Callable[[], C]) -> C:
        """Return what `owner` keeps in this scope, made by the first call."""
        part = self._parts.get(owner)
        if part is None:
            with self._lock:
                part = self._parts.get(owner)
                if part is None:
                    part = self._parts[owner] = make()
        return cast("C", part)

    def existing(self, owner: Hashable) -> Closable | None:
        """Return what `owner` keeps in this scope, if it was made."""
        return self._parts.get(owner)

    def join(self) -> bool:
        """Come in; False where everybody has left. Whoever came in has to `leave`."""
        with self._lock:
            if self.closed:
                return False
            self._inside += 1
            return True

    def leave(self) -> None:
        """Go; the last one closes the scope.

        A request that is cancelled leaves while its handler still runs in a thread, which
        goes on using the connection: it is given back when that has left too.
        """
        with self._lock:
            self._inside -= 1
            last = self._inside == 0
            self.closed = self.closed or last
        if last and self._parts:
            self.close()

    @property
    def connected(self) -> bool:
        """Whether a part holds a connection."""
        return any(getattr(part, "connected", False) for part in tuple(self._parts.values()))

    def close(self) -> None:
        """Close every part, also where closing one of them fails; idempotent."""
        with self._lock:
            self.closed = True
            parts, self._parts = self._parts, {}
        with ExitStack() as stack:
            for part in parts.values():
                stack.callback(part.close)


def current_scope() -> Scope | None:
    """Return the open scope of this context.

    A task or thread that outlives its request still sees the request's closed scope in its
    context; it is treated as having none.
    """
    found = _scope.get()
    return None if found is None or found.closed else found


def scope() -> AbstractContextManager[Scope]:
    """Open a scope, or join the one that is open; whatever happens, it is closed at the end.

    The end is when the last of those who opened and joined it has left.
    """
    return _Entered()


class _Entered(AbstractContextManager[Scope]):
    """A generator would do the same, at four times the cost: each request and call enters one."""

    __slots__ = ("_entered", "_token")

    def __enter__(self) -> Scope:
        outer = current_scope()
        self._token: Token[Scope | None] | None = None
        if outer is not None and outer.join():
            self._entered = outer
        else:
            self._entered = Scope()
            self._token = _scope.set(self._entered)
        return self._entered

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _scope.reset(self._token)
        self._entered.leave()
