"""From a browser's call to a method's parameters: literals by position, form data by name."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any, Final

import msgspec

from asok.errors import CallRefused, ComponentError
from asok.live.schema import from_form

__all__ = ["Parameters"]

_EMPTY: Final = inspect.Parameter.empty
_ABSENT: Final = object()
#: What the data of an event other than `submit` may hold.
_EVENT: Final = frozenset({"key", "name", "value"})
#: A parameter of such a name takes everything that was sent.
_WHOLE: Final = ("data", "form", "event")


class Parameters:
    """The parameters of one exposed method, and how a call fills them.

    `ws-click="remove(3, 'x')"` fills them by position. What a form or field sent fills the
    rest by name; a parameter called `data`, `form` or `event` takes all of it; and where
    exactly one required parameter is left, it takes a field's value or the whole form. Values
    are converted to the annotations. Raises `ComponentError` for annotations that can't be
    read.
    """

    def __init__(self, function: FunctionType) -> None:
        self.name = function.__name__
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except (NameError, TypeError) as error:
            raise ComponentError(
                f"an annotation of {function.__qualname__} can't be read: {error}.",
                fix="Import the type at run time, not under TYPE_CHECKING.",
                file=function.__code__.co_filename,
                line=function.__code__.co_firstlineno,
            ) from error
        self._named: dict[str, inspect.Parameter] = {}
        self._positional: list[str] = []
        self._rest: str | None = None
        self._all_rest: str | None = None
        self._types: dict[str, Any] = {name: hints.get(name, Any) for name in hints}
        for parameter in list(inspect.signature(function).parameters.values())[1:]:
            if parameter.kind is parameter.VAR_POSITIONAL:
                self._rest = parameter.name
                continue
            if parameter.kind is parameter.VAR_KEYWORD:
                self._all_rest = parameter.name
                continue
            self._named[parameter.name] = parameter
            if parameter.kind is not parameter.KEYWORD_ONLY:
                self._positional.append(parameter.name)

    def bind(
        self, args: Sequence[Any] | None, data: Mapping[str, Any] | None
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and keyword arguments of the call, converted.

        Raises `CallRefused` for too many, missing, or wrongly typed ones.
        """
        args, data = args or (), data or {}
        if len(args) > len(self._positional) and not self._rest:
            raise self._refused(
                f"{self.name} got {len(args)} arguments, expected at most {len(self._positional)}"
            )
        bound = {
            name: self._convert(name, value, form=False)
            for name, value in zip(self._positional, args, strict=False)
        }
        extra = [
            self._convert(self._rest or "", value, form=False)
            for value in args[len(self._positional) :]
        ]
        self._fill(bound, data)
        missing = [n for n, p in self._named.items() if n not in bound and p.default is _EMPTY]
        if missing:
            raise self._refused(f"{self.name} got no value for {missing[0]!r}")
        keywords: dict[str, Any] = {}
        if self._all_rest:
            for name, value in data.items():
                if name not in self._named and name not in keywords:
                    keywords[name] = self._convert(self._all_rest, value, form=True)
        positional: list[Any] = []
        for name in self._positional:
            if name in bound:
                positional.append(bound.pop(name))
            else:  # what comes after a default goes by name
                break
        return positional + extra, {**bound, **keywords}

    def _fill(self, bound: dict[str, Any], data: Mapping[str, Any]) -> None:
        if not data:
            return
        for name, parameter in self._named.items():
            if name in bound:
                continue
            value = data.get(name, _ABSENT)
            if value is _ABSENT and name in _WHOLE:
                value = dict(data)
            if value is _ABSENT and self._types.get(name) is bool and not _EVENT.issuperset(data):
                # A form does not send a checkbox that is not checked.
                value = False if parameter.default is _EMPTY else _ABSENT
            if value is not _ABSENT:
                bound[name] = self._convert(name, value, form=True)
        left = [n for n, p in self._named.items() if n not in bound and p.default is _EMPTY]
        if len(left) == 1:
            is_event = _EVENT.issuperset(data) and "value" in data
            value = data["value"] if is_event else dict(data)
            bound[left[0]] = self._convert(left[0], value, form=True)

    def _convert(self, name: str, value: Any, *, form: bool) -> Any:
        wanted = self._types.get(name, Any)
        if wanted is Any:
            return value
        try:
            return from_form(value, wanted) if form else msgspec.convert(value, wanted)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise self._refused(f"{self.name} got a wrong {name!r}: {error}") from error

    def _refused(self, message: str) -> CallRefused:
        return CallRefused(f"{message}.", code="arguments")
