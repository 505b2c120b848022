"""`@exposed`: the mark without which nothing of a component can be called from a browser."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, Final, TypeVar, cast, overload

from asok.errors import ComponentError
from asok.live.arguments import Parameters
from asok.live.fields import where
from asok.live.validation import has_validators

__all__ = ["Method", "exposed", "methods_of"]

_MARK: Final = "__asok_exposed__"
F = TypeVar("F", bound=Callable[..., Any])


@overload
def exposed(method: F, /) -> F: ...
@overload
def exposed(*, timeout: float) -> Callable[[F], F]: ...
def exposed(*methods: Any, timeout: float | None = None) -> Any:
    """Let browsers call this method, by `ws-click="name"` and its family.

    Its arguments come from the browser, whatever the template says: check what they may do.
    Write it right above `def` or `async def`. A generator shows the component at each `yield`.
    `@exposed(timeout=300)` sets the seconds that it may run, or run between two `yield`s. A
    subclass that overrides the method decides anew. Raises `ComponentError` for anything but a
    plain method with a public name.
    """
    if timeout is not None and not timeout > 0:
        raise ComponentError(
            f"@exposed got timeout={timeout!r}, expected seconds.", fix="Write timeout=60."
        )
    if not methods:
        return partial(_mark, timeout=timeout)
    return _mark(*methods, timeout=timeout)


def _mark(method: F, timeout: float | None) -> F:
    if not isinstance(method, FunctionType):
        raise ComponentError(
            f"@exposed got {method!r}, expected a function.",
            fix="Write @exposed right above the method's def: a property, static method, class "
            "method or class can't be exposed.",
        )
    if method.__name__.startswith("_"):
        raise ComponentError(
            f"@exposed got {method.__qualname__}: a name that begins with an underscore stays "
            "private.",
            fix=f"Call it {method.__name__.lstrip('_')}.",
        )
    setattr(method, _MARK, timeout or True)
    return cast("F", method)


class Method:
    """A method of one class that is called from outside, with what its parameters accept."""

    __slots__ = ("function", "is_async", "name", "parameters", "seconds", "validates")

    def __init__(self, name: str, function: FunctionType, cls: type) -> None:
        self.name = name
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(
            function
        )
        mark = getattr(function, _MARK, True)
        self.seconds: float | None = None if mark is True else mark
        self.parameters = Parameters(function)
        #: Whether the class checks what comes in itself.
        self.validates = has_validators(cls)


def methods_of(cls: type, base: type) -> dict[str, Method]:
    """Return what may be called on `cls`: names whose nearest definition carries the mark.

    The nearest definition alone counts, so an override without the decorator closes the name.
    Raises `ComponentError` for a mark on what can't be called so.
    """
    found: dict[str, Method] = {}
    for name in dir(cls):
        definer = next(one for one in cls.__mro__ if name in vars(one))
        value = vars(definer)[name]
        inner = getattr(value, "__func__", getattr(value, "fget", value))
        if not getattr(inner, _MARK, False):
            continue
        problem = None
        if name in dir(base):
            problem = "every component has a method of that name, which only the server calls"
        elif not isinstance(value, FunctionType) or name.startswith("_"):
            problem = "only plain methods with a public name can be exposed"
        if problem:
            raise ComponentError(
                f"{cls.__name__}.{name} is exposed, but {problem}.",
                fix="Move what browsers may do into a method of its own: @exposed right above "
                "def or async def.",
                **where(definer, name),
            )
        found[name] = Method(name, value, cls)
    return found
