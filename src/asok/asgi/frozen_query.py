"""The query of a page that is being stored: what the page declares, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from starlette.datastructures import QueryParams

__all__ = ["FrozenQuery"]

Refuse = Callable[[str | None], NoReturn]


class FrozenQuery(QueryParams):
    """`request.args` with the parameters `given`, all of them declared.

    `refuse` is called with the name of a parameter that is not in `declared`; with None
    where everything is asked for and nothing is declared.
    """

    def __init__(
        self, given: Sequence[tuple[str, str]], *, declared: Sequence[str], refuse: Refuse
    ) -> None:
        super().__init__(list(given))
        self._declared = frozenset(declared)
        self._refuse = refuse

    def _check(self, name: Any) -> None:
        if name not in self._declared:
            self._refuse(str(name))

    def _check_any(self) -> None:
        if not self._declared:
            self._refuse(None)

    def __getitem__(self, key: str) -> str:
        self._check(key)
        return super().__getitem__(key)

    def __contains__(self, key: Any) -> bool:
        self._check(key)
        return super().__contains__(key)

    def getlist(self, key: Any) -> list[str]:
        self._check(key)
        return super().getlist(key)

    def keys(self) -> Any:
        self._check_any()
        return super().keys()

    def values(self) -> Any:
        self._check_any()
        return super().values()

    def items(self) -> Any:
        self._check_any()
        return super().items()

    def multi_items(self) -> list[tuple[str, str]]:
        self._check_any()
        return super().multi_items()

    def __iter__(self) -> Iterator[str]:
        self._check_any()
        return super().__iter__()

    def __len__(self) -> int:
        self._check_any()
        return super().__len__()

    def __str__(self) -> str:
        self._check_any()
        return super().__str__()

    def __repr__(self) -> str:
        return f"FrozenQuery({self._list!r})"
