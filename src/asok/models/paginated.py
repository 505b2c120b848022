"""One page of a query's results, with what a template needs to link the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Paginated"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paginated(Generic[T]):
    """`items` of page `page` (from 1) of `pages`; `total` rows in all, `per_page` on each."""

    items: Sequence[T]
    total: int
    page: int
    per_page: int

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)

    @property
    def pages(self) -> int:
        """The number of pages, at least 1."""
        return max(1, -(-self.total // self.per_page))

    @property
    def has_next(self) -> bool:
        """Whether a page follows."""
        return self.page < self.pages

    @property
    def has_previous(self) -> bool:
        """Whether a page comes before."""
        return self.page > 1

    @property
    def next_page(self) -> int | None:
        """The number of the page that follows."""
        return self.page + 1 if self.has_next else None

    @property
    def previous_page(self) -> int | None:
        """The number of the page before."""
        return min(self.page - 1, self.pages) if self.has_previous else None

    def to_dict(self) -> dict[str, Any]:
        """Return the page as plain data; items that have a `to_dict` are converted by it."""
        items: list[Any] = []
        for item in self.items:
            convert = getattr(item, "to_dict", None)
            items.append(convert() if callable(convert) else item)
        return {
            "items": items,
            "total": self.total,
            "page": self.page,
            "per_page": self.per_page,
            "pages": self.pages,
        }
