"""What renders now to be shown to others too: what it reads of its visitor, what its parts bring.

A page under `@cache_page` and the body of a `{% cache %}` are such renders. Whoever gives a part
of a program something of the visitor notes it here; whoever keeps the render decides what that
means. Renders lie in each other: what is read in an inner one is read by the outer one as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Final, Protocol

__all__ = ["Reader", "Sharing", "covers", "current", "note", "part", "reader", "share"]

#: Stands for the token of a tag that no store was asked for (a build).
NO_TOKEN: Final = ""


class Sharing:
    """One such render, inside the one that is current where it is made.

    `reads` are names of what was read: `user`, `client`, or a kind and a name, `cookie:theme`,
    `header:origin`, `session:*` for all of a kind. `refuse` is called with a name that `allowed`
    does not cover, before it is noted, and may raise. `part` names a render that comes onto
    several pages, "" where it is a page itself.

    `tags` are those of its parts with the token that each had (`asok.cache.tags`), and `until`
    is the moment when the first part ends (seconds since 1970).
    """

    __slots__ = ("_refuse", "allowed", "ask", "outer", "part", "reads", "tags", "until")

    def __init__(
        self,
        refuse: Callable[[str], None] | None = None,
        *,
        allowed: Collection[str] = (),
        part: str = "",
        ask: Callable[[Collection[str]], Mapping[str, str]] | None = None,
    ) -> None:
        self.outer = current.get()
        self.allowed = frozenset(allowed)
        outer = self.outer
        self.part = part or ("" if outer is None else outer.part)
        self.ask = ask
        self.reads: set[str] = set()
        self.tags: dict[str, str] = {}
        self.until = inf
        self._refuse = refuse

    def note(self, what: str) -> None:
        """Note that `what` of the visitor was read."""
        if self._refuse is not None and not covers(self.allowed, what):
            self._refuse(what)
        self.reads.add(what)
        if self.outer is not None:
            self.outer.note(what)

    def tag(self, names: Collection[str]) -> None:
        """Note tags that the render named itself, with the tokens that they have now."""
        fresh = [name for name in names if name not in self.tags]
        if fresh:
            self.inherit(dict.fromkeys(fresh, NO_TOKEN) if self.ask is None else self.ask(fresh))

    def inherit(self, tags: Mapping[str, str], until: float = inf) -> None:
        """Take over the tags and the end of a part, so that this render never outlives it.

        The token that was noted first stays: what was read then is in the render.
        """
        for name, token in tags.items():
            self.tags.setdefault(name, token)
        self.until = min(self.until, until)


class Reader(Protocol):
    """The handler whose template renders: what it has looked at of its visitor by then."""

    @property
    def read(self) -> Collection[str]:
        """The kinds of what it looked at: `user`, `session`, `cookie`, `query`, …."""
        ...

    def origin(self, value: object) -> str | None:
        """Return the name of what of the visitor `value` is, where it is the very object."""
        ...


def covers(allowed: Collection[str], what: str) -> bool:
    """Whether `what` is among `allowed` names, alone or as one of its kind."""
    return what in allowed or f"{what.partition(':')[0]}:*" in allowed


current: ContextVar[Sharing | None] = ContextVar("asok.sharing", default=None)

#: Who handed the template that renders its values; None where that is no request's handler.
reader: ContextVar[Reader | None] = ContextVar("asok.reader", default=None)


def note(what: str) -> None:
    """Note that something of the visitor was read, if anybody shares what renders now."""
    found = current.get()
    if found is not None:
        found.note(what)


def part() -> str:
    """Return the name of the part that renders now, "" outside any (see `Sharing.part`)."""
    found = current.get()
    return "" if found is None else found.part


@contextmanager
def share(sharing: Sharing) -> Generator[None]:
    """Make `sharing` the current one inside the block."""
    token = current.set(sharing)
    try:
        yield
    finally:
        current.reset(token)
