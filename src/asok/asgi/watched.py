"""A view of a request's headers or query that notes which names a handler looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Watched"]


class Watched(Mapping[str, str]):
    """Reads like the mapping that `pairs` make (the first value of a name wins).

    `seen` holds the lower-case names that were looked for, present or not; iterating notes "*".
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._first: dict[str, str] = {}
        for name, value in pairs:
            self._first.setdefault(name.lower(), value)
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.seen.add(name.lower())
        return self._first[name.lower()]

    def __iter__(self) -> Iterator[str]:
        self.seen.add("*")
        return iter(self._first)

    def __len__(self) -> int:
        self.seen.add("*")
        return len(self._first)

    def getlist(self, name: str) -> list[str]:
        """Every value of `name`."""
        self.seen.add(name.lower())
        return [value for given, value in self._pairs if given.lower() == name.lower()]

    def multi_items(self) -> list[tuple[str, str]]:
        """Every pair."""
        self.seen.add("*")
        return list(self._pairs)
