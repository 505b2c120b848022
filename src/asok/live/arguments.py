"""From a browser's call to a method's parameters: literals by position, form data by name."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Final

import msgspec

from asok.errors import CallRefused, ComponentError
from asok.live.schema import from_form, takes_several, unsent

__all__ = ["Bound", "Parameters", "WrongValue"]

_EMPTY: Final = inspect.Parameter.empty
_ABSENT: Final = object()
#: What the data of an event other than `submit` may hold.
_EVENT: Final = frozenset({"key", "name", "value"})
#: A parameter of such a name takes everything that was sent.
_WHOLE: Final = ("data", "form", "event")


class WrongValue(ValueError):
    """A value that a form sent and that does not fit, with what msgspec said of it."""

    def __init__(self, value: Any, error: Exception) -> None:
        super().__init__(str(error))
        self.value = value


@dataclass(slots=True)
class Bound:
    """The parameters of a call: `values` by name, `extra` for `*rest`, `others` for `**rest`."""

    values: dict[str, Any]
    extra: list[Any] = field(default_factory=list[Any])
    others: dict[str, Any] = field(default_factory=dict[str, Any])
    wrong: dict[str, WrongValue] = field(default_factory=dict[str, WrongValue])


class Parameters:
    """The parameters of one exposed method, and how a call fills them.

    `ws-click="remove(3, 'x')"` fills them by position. What a form or field sent fills the
    rest by name; a parameter called `data`, `form` or `event` takes all of it; and where
    exactly one required parameter is left, it takes a field's value or the whole form. Values
    are converted to the annotations. Raises `ComponentError` for annotations that can't be
    read.
    """

    def __init__(self, function: FunctionType) -> None:
        self.name = ".".join(function.__qualname__.split(".")[-2:])
        self.file = function.__code__.co_filename
        self.line = function.__code__.co_firstlineno
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except (NameError, TypeError) as error:
            raise ComponentError(
                f"an annotation of {function.__qualname__} can't be read: {error}.",
                fix="Import the type at run time, not under TYPE_CHECKING.",
                file=self.file,
                line=self.line,
            ) from error
        self._named: dict[str, inspect.Parameter] = {}
        self._positional: list[str] = []
        self._rest: str | None = None
        self._all_rest: str | None = None
        self._types: dict[str, Any] = {name: hints.get(name, Any) for name in hints}
        own = list(inspect.signature(function).parameters.values())[1:]
        self._takes = f"{function.__name__}({', '.join(map(_written, own))})"
        for parameter in own:
            if parameter.kind is parameter.VAR_POSITIONAL:
                self._rest = parameter.name
                continue
            if parameter.kind is parameter.VAR_KEYWORD:
                self._all_rest = parameter.name
                continue
            self._named[parameter.name] = parameter
            if parameter.kind is not parameter.KEYWORD_ONLY:
                self._positional.append(parameter.name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def several(self) -> set[str]:
        """The names of the parameters that take the values of several fields."""
        return {name for name in self._named if takes_several(self._types.get(name, Any))}

    def typed(self) -> set[str]:
        """The names of the parameters that say what they take."""
        return {name for name in self._named if self._types.get(name, Any) is not Any}

    def bind(
        self, args: Sequence[Any] | None, data: Mapping[str, Any] | None
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and keyword arguments of the call, converted.

        Raises `CallRefused` for too many, missing, or wrongly typed ones.
        """
        if not (args or self._named or self._all_rest):  # most of what is clicked
            return [], {}
        bound = self.collect(args, data)
        for name, error in bound.wrong.items():
            raise self._refused(f"{self.name} got a wrong {name!r}: {error}") from error
        return self.arguments(bound)

    def collect(self, args: Sequence[Any] | None, data: Mapping[str, Any] | None) -> Bound:
        """Return the parameters of the call by name, with what a form sent that does not fit.

        Raises `CallRefused` for too many or missing ones, and wrong ones that no form sent.
        """
        args, data = args or (), data or {}
        if len(args) > len(self._positional) and not self._rest:
            most = f"at most {len(self._positional)}" if self._positional else "none"
            raise self._refused(
                f"{self.name} got {len(args)} argument{'s' * (len(args) != 1)}, expected {most}"
            )
        bound = Bound(
            {
                name: self._checked(name, value)
                for name, value in zip(self._positional, args, strict=False)
            }
        )
        bound.extra = [
            self._checked(self._rest or "", value) for value in args[len(self._positional) :]
        ]
        self._fill(bound, data)
        for name, parameter in self._named.items():
            if parameter.default is _EMPTY and name not in bound.values and name not in bound.wrong:
                sent = ", ".join(repr(one[:64]) for one in list(data)[:8])
                raise self._refused(
                    f"{self.name} got no value for {name!r}"
                    + (f", only for {sent}" if sent else "")
                )
        if self._all_rest:
            for name, value in data.items():
                if name not in self._named:
                    self._accept(bound.others, bound.wrong, name, value, of=self._all_rest)
        return bound

    def check(self, args: Sequence[Any], *, more: bool) -> None:
        """Raise `CallRefused` for arguments that a template wrote and that no call could have;
        with `more`, an event or a form brings some too."""
        if not more:
            self.bind(args, None)
            return
        if len(args) > len(self._positional) and not self._rest:
            self.collect(args, None)
        for name, value in zip(self._positional, args, strict=False):
            self._checked(name, value)

    def arguments(self, bound: Bound) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and keyword arguments of a call without wrong values."""
        values = dict(bound.values)
        positional: list[Any] = []
        for name in self._positional:
            if name in values:
                positional.append(values.pop(name))
            else:  # what comes after a default goes by name
                break
        return positional + bound.extra, {**values, **bound.others}

    def _fill(self, bound: Bound, data: Mapping[str, Any]) -> None:
        if not data:
            return
        values, wrong = bound.values, bound.wrong
        for name, parameter in self._named.items():
            if name in values:
                continue
            value = data.get(name, _ABSENT)
            if value is _ABSENT and name in _WHOLE:
                value = dict(data)
            if value is _ABSENT and not _is_event(data):
                # A box that is not ticked is an answer too, which validators are asked about.
                with suppress(LookupError, msgspec.ValidationError):
                    meant = unsent(self._types.get(name, Any))
                    if parameter.default in (_EMPTY, meant):
                        value = meant
            if value is not _ABSENT:
                self._accept(values, wrong, name, value)
        left = [
            name
            for name, parameter in self._named.items()
            if name not in values and name not in wrong and parameter.default is _EMPTY
        ]
        if len(left) == 1:
            value = data["value"] if _is_event(data) and "value" in data else dict(data)
            self._accept(values, wrong, left[0], value)
            if isinstance(value, dict):  # a field that is missing, and no parameter for all
                wrong.pop(left[0], None)

    def _accept(
        self,
        values: dict[str, Any],
        wrong: dict[str, WrongValue],
        name: str,
        value: Any,
        *,
        of: str | None = None,
    ) -> None:
        """Take what a form sent: converted, or noted as wrong."""
        wanted = self._types.get(of or name, Any)
        try:
            values[name] = value if wanted is Any else from_form(value, wanted)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            wrong[name] = WrongValue(value, error)

    def _checked(self, name: str, value: Any) -> Any:
        """Take an argument that the template wrote."""
        wanted = self._types.get(name, Any)
        if wanted is Any:
            return value
        try:
            return msgspec.convert(value, wanted)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise self._refused(f"{self.name} got a wrong {name!r}: {error}") from error

    def _refused(self, message: str) -> CallRefused:
        return CallRefused(
            f"{message}.",
            code="arguments",
            fix=f"It takes {self._takes}.",
            file=self.file,
            line=self.line,
        )


def _written(parameter: inspect.Parameter) -> str:
    """A parameter as its method's source has it, also where annotations are texts."""
    annotation = parameter.annotation
    shown = str(parameter)
    return shown.replace(repr(annotation), annotation) if isinstance(annotation, str) else shown


def _is_event(data: Mapping[str, Any]) -> bool:
    """Whether this is what an event of a field tells, and no form: a name alone is a form's."""
    return _EVENT.issuperset(data) and set(data) != {"name"}
