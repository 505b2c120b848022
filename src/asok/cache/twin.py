"""The async twin of a method that may have to wait for a store."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from asok.cache.api import Store
from asok.cache.threads import in_thread

__all__ = ["twin"]


class _OverStore(Protocol):
    @property
    def store(self) -> Store: ...


P = ParamSpec("P")
T = TypeVar("T")
Self = TypeVar("Self", bound=_OverStore)


def twin(
    method: Callable[Concatenate[Self, P], T],
) -> Callable[Concatenate[Self, P], Coroutine[Any, Any, T]]:
    """The same method for coroutines: in a thread where the store may have to wait."""

    @wraps(method)
    async def call(self: Self, *args: P.args, **kwargs: P.kwargs) -> T:
        if self.store.blocking:
            return await in_thread(method, self, *args, **kwargs)
        return method(self, *args, **kwargs)

    call.__name__ = f"a{method.__name__}"
    call.__qualname__ = f"Cache.{call.__name__}"
    return call
