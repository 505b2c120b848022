"""Pages that earlier code made on demand and left in Redis: see inherited.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from asok.errors import PagesUnavailable
from asok.pages.names import page_name
from asok.pages.redis_pages import RedisPages, page_of
from asok.pages.stored import StoredPage
from asok.redis_link.link import RedisLink

__all__ = ["RedisInheritance"]

#: How many earlier codes are asked: each costs a part of the question that a miss asks.
_CODES: Final = 3


class RedisInheritance:
    """`Inheritance` on the server of `link`; where that is away, nothing was left.

    `earlier(limit)` names the spaces of earlier code, the latest first. It is called once:
    later ones are of later code.
    """

    def __init__(self, link: RedisLink, earlier: Callable[[int], Sequence[bytes]]) -> None:
        self._link = link
        self._earlier = earlier
        self._known: list[str] | None = None

    def _spaces(self) -> list[str]:
        if self._known is None:
            self._known = [space.decode() for space in self._earlier(_CODES)]
        return self._known

    def get(self, key: str) -> StoredPage | None:
        name = page_name(key)

        def read(client: Any) -> list[Any]:
            with client.pipeline(transaction=False) as pipe:
                for space in self._spaces():
                    pipe.hmget(f"{space}p:{name}", "r", "b")
                return pipe.execute()

        try:
            found = self._link.run(read) if self._spaces() else []
        except PagesUnavailable:
            return None
        pages = [page for fields in found if (page := page_of(key, *fields)) is not None]
        return max(pages, key=lambda page: page.rendered_at, default=None)

    def paths(self) -> Iterator[str]:
        with suppress(PagesUnavailable):
            for space in self._spaces():
                yield from RedisPages(self._link, space).paths()
