"""Where on which page a component is: its identity, and what may be known about the visitor."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from contextlib import AbstractContextManager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any

import msgspec

from asok import holes, sharing
from asok.errors import ComponentError
from asok.live.component import SessionLike

__all__ = ["Scope", "Visit", "current", "enter", "owner_of"]

_CID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def owner_of(session_id: str) -> str:
    """Return what stands for a session in stores and tokens: neither holds a session's id."""
    digest = blake2b(session_id.encode(), digest_size=16, person=b"asok.live.owner")
    return urlsafe_b64encode(digest.digest()).decode().rstrip("=")


class Visit(msgspec.Struct, eq=False):
    """One render of one page: for whom, and what of it must be unique."""

    session_id: str | None
    frozen: bool
    session: SessionLike | None = None
    #: Whether this is a component's inside, rendered over a socket, and not a page.
    inner: bool = False
    cids: set[str] = msgspec.field(default_factory=set[str])
    scripted: list[tuple[Any, str]] = msgspec.field(default_factory=list[tuple[Any, str]])
    #: The path of the page; None for what is rendered after it.
    page: str | None = None
    #: Whether this fills a page's placeholder: for one visitor, and no page either.
    late: bool = False
    #: The page that a render belongs to, whatever it is: its guards are the components' too.
    origin: str = ""
    #: How many components were held back so far.
    deferred: int = 0

    @property
    def storable(self) -> bool:
        """Whether what is rendered here may be stored and shown to everybody.

        So is what renders with sentinels in place of secrets (a frozen page, a cached
        fragment), whatever the caller said.
        """
        return self.frozen or isinstance(holes.current.get(), holes.Sentinels)

    @property
    def bound(self) -> str | None:
        """The owner that states of this render belong to; None on a page for everybody, and
        inside a component."""
        if self.storable or self.inner or self.session_id is None:
            return None
        return owner_of(self.session_id)

    def first(self, url: str) -> bool:
        """Whether the tag of the script at `url` is still to be written.

        Once for each thing that is stored on its own: a cached fragment that comes with the
        page's second component may be the first one on another page.
        """
        part = holes.current.get()
        if self.inner or self.late:
            return False
        if any(one is part and script == url for one, script in self.scripted):
            return False
        self.scripted.append((part, url))
        return True


class Scope(msgspec.Struct, eq=False):
    """A page, or the inside of a component on it: counts the components of each class."""

    path: str
    visit: Visit
    ordinals: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    keys: set[tuple[str, str]] = msgspec.field(default_factory=set[tuple[str, str]])

    def identify(self, name: str, cid: str | None, key: object = None) -> str:
        """Return the identity of the next component of class `name` here.

        Path, class and ordinal make it; or path, class and an explicit `key`; or an explicit
        `cid`, which is the same component on every page. Raises `ComponentError` for an
        ill-formed one or one used twice.
        """
        if key is not None:
            return self._keyed(name, cid, key)
        if cid is None:
            # A cached fragment comes onto several pages, and is not rendered on all of them:
            # what it holds is counted apart, and is the same wherever it is.
            part = sharing.part()
            counted = f"{part}\0{name}"
            ordinal = self.ordinals.get(counted, 0)
            self.ordinals[counted] = ordinal + 1
            text = f"\0{part}\0{name}\0{ordinal}" if part else f"{self.path}\0{name}\0{ordinal}"
            return urlsafe_b64encode(blake2b(text.encode(), digest_size=9).digest()).decode()
        if not _CID.fullmatch(cid):
            raise ComponentError(
                f"component {name} got cid={cid!r}, expected 1 to 64 letters, digits, - or _."
            )
        if cid in self.visit.cids:
            raise ComponentError(
                f"two components on this page have cid={cid!r}; {name} is the second.",
                fix=f"Give each its own, as in cid=f'{cid}-{{{{ item.id }}}}'.",
            )
        self.visit.cids.add(cid)
        return cid

    def _keyed(self, name: str, cid: str | None, key: object) -> str:
        if cid is not None or not isinstance(key, str | int):
            raise ComponentError(
                f"component {name} got key={key!r} and cid={cid!r}, expected a text or a number as "
                "the key, or a cid in place of it.",
                fix="Write key=item.id.",
            )
        if (name, str(key)) in self.keys:
            raise ComponentError(
                f"two components {name} beside each other have key={key!r}.",
                fix="Give each what only it has, as in key=item.id.",
            )
        self.keys.add((name, str(key)))
        text = f"{self.path}\0{name}\0\0{key}"
        return urlsafe_b64encode(blake2b(text.encode(), digest_size=9).digest()).decode()


current: ContextVar[Scope | None] = ContextVar("asok.live.scope", default=None)


def enter(scope: Scope) -> AbstractContextManager[None]:
    """Make `scope` the one that components are counted in inside the block."""
    return _Entered(scope)


class _Entered(AbstractContextManager[None]):
    """A generator would do the same, at four times the cost: each call enters one."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._token = current.set(self._scope)

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)
