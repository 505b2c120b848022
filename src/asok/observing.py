"""Who is told what a request does: its queries, and its questions to caches. In production nobody.

The development server says `begin` before it imports a site. Only what is made after that tells
anything: a cache and a database engine decide it once, so that production pays nothing.
"""

from __future__ import annotations

import contextvars
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

__all__ = ["Observer", "begin", "current", "empty_context", "end", "observed", "wanted"]


class Observer(Protocol):
    """Is told what one request does; from any of its threads and tasks."""

    def queried(self, statement: str, line: str | None, seconds: float) -> None:
        """A statement of SQL ran for `line` ("src/pages/page.py:12"), if it is the site's own."""
        ...

    def repeated(self, line: str, advice: str) -> None:
        """`line` asks for the same again and again; `advice` says what to write instead."""
        ...

    def asked(self, key: str) -> None:
        """A cache is asked for `key`; what is counted next is about it."""
        ...

    def counted(self, name: str, count: int) -> None:
        """A cache counted `count` hits, misses, stale, errors or computations."""
        ...


_current: ContextVar[Observer | None] = ContextVar("asok.observer", default=None)
_wanted = False


def begin() -> None:
    """Let what is made from now on tell what it does."""
    global _wanted
    _wanted = True


def end() -> None:
    """Take `begin` back, for what is made later."""
    global _wanted
    _wanted = False


def wanted() -> bool:
    """Whether somebody may want to be told."""
    return _wanted


def current() -> Observer | None:
    """Return who is told about this thread or task."""
    return _current.get()


@contextmanager
def observed(observer: Observer) -> Generator[None]:
    """Tell `observer` what happens inside the block, in the threads and tasks it begins, too."""
    token = _current.set(observer)
    try:
        yield
    finally:
        _current.reset(token)


def empty_context() -> contextvars.Context:
    """Return a context that knows nothing of the visitor, only who is told about the request."""
    context, observer = contextvars.Context(), _current.get()
    if observer is not None:
        context.run(_current.set, observer)
    return context
