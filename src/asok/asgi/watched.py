"""Views of what a visitor sent that note which names a handler or template looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar, cast

from asok.sharing import Sharing

__all__ = ["Watched", "WatchedSession", "watched"]

Note = Callable[[str], None]
T = TypeVar("T")


class Watched(Mapping[str, Any]):
    """Reads like `real`, and tells `note` the kind and name: `cookie:theme`, `header:origin`.

    A name is noted whether it is there or not. Whatever asks for more than one name notes `*`.
    With `fold` names are those of headers, in any case.
    """

    def __init__(self, real: Any, note: Note, kind: str, *, fold: bool = False) -> None:
        self._real = real
        self._note = note
        self._kind = kind
        self._fold = fold

    def _look(self, name: object) -> None:
        text = str(name)
        self._note(f"{self._kind}:{text.lower() if self._fold else text}")

    def __getitem__(self, name: str) -> Any:
        self._look(name)
        return self._real[name]

    def __contains__(self, name: object) -> bool:
        self._look(name)
        return name in self._real

    def __iter__(self) -> Iterator[str]:
        self._look("*")
        return iter(self._real)

    def __len__(self) -> int:
        self._look("*")
        return len(self._real)

    def __str__(self) -> str:
        self._look("*")
        return str(self._real)

    __repr__ = __str__

    def getlist(self, name: str) -> list[str]:
        """Every value of `name`, where there may be several."""
        self._look(name)
        return self._real.getlist(name)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        self._look("*")
        return found


class WatchedSession(Watched, MutableMapping[str, Any]):
    """A session of which every key that is looked for is noted; changing it is noted as `*`."""

    _own = frozenset({"_real", "_note", "_kind", "_fold"})

    def __setitem__(self, name: str, value: Any) -> None:
        self._look("*")
        self._real[name] = value

    def __delitem__(self, name: str) -> None:
        self._look("*")
        del self._real[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            object.__setattr__(self, name, value)
        else:
            self._look("*")
            setattr(self._real, name, value)


def watched(
    real: T,
    sharing: Sharing | None,
    kind: str,
    *,
    fold: bool = False,
    like: type[Watched] = Watched,
) -> T:
    """Return `real`, or a view of it for a render that is shared; it stands for the same type."""
    return real if sharing is None else cast("T", like(real, sharing.note, kind, fold=fold))
