"""From what a browser sent to a method's parameters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from asok.errors import CallRefused, ComponentError
from asok.live.arguments import Parameters


def call(method: Callable[..., Any], args: Any = None, data: Any = None) -> Any:
    positional, named = Parameters(method).bind(args, data)  # type: ignore[arg-type]
    return method(None, *positional, **named)


BORN = date(2020, 1, 2)


def nothing(self: Any) -> Any:
    return "done"


def two(self: Any, number: int, text: str = "x") -> Any:
    return (number, text)


def search(self: Any, query: str) -> Any:
    return query


def save(self: Any, name: str, age: int, agree: bool, born: date | None = None) -> Any:
    return (name, age, agree, born)


def whole(self: Any, data: dict[str, Any]) -> Any:
    return data


def rest(self: Any, *numbers: int) -> Any:
    return numbers


def fields(self: Any, first: str, **others: str) -> Any:
    return (first, others)


def keyed(self: Any, value: str = "", *, key: str = "") -> Any:
    return (value, key)


def skipped(self: Any, a: int = 1, b: int = 2) -> Any:
    return (a, b)


@pytest.mark.parametrize(
    ("method", "args", "data", "result"),
    [
        (nothing, [], None, "done"),
        (nothing, None, {"name": "q", "value": "x"}, "done"),
        (two, [3], None, (3, "x")),
        (two, [3, "y"], None, (3, "y")),
        (two, [], {"number": "3", "text": "y"}, (3, "y")),
        (two, [3], {"text": "y"}, (3, "y")),
        (search, [], {"name": "q", "value": "kitten"}, "kitten"),
        (search, ["fixed"], {"name": "q", "value": "kitten"}, "fixed"),
        (save, [], {"name": "A", "age": "5", "agree": "on", "born": ""}, ("A", 5, True, None)),
        (save, [], {"name": "A", "age": "5", "born": "2020-01-02"}, ("A", 5, False, BORN)),
        (whole, [], {"a": "1", "b": ["2", "3"]}, {"a": "1", "b": ["2", "3"]}),
        (rest, [1, 2, 3], None, (1, 2, 3)),
        (fields, [], {"first": "1", "second": "2"}, ("1", {"second": "2"})),
        (keyed, [], {"key": "Enter", "name": "n", "value": "v"}, ("v", "Enter")),
        (skipped, [], {"b": "5"}, (1, 5)),
    ],
)  # fmt: skip
def test_calls_that_fit(method: Callable[..., Any], args: Any, data: Any, result: Any) -> None:
    assert call(method, args, data) == result


def test_a_form_goes_to_the_only_parameter_that_is_left() -> None:
    def submit(self: Any, values: dict[str, str]) -> Any:
        return values

    assert call(submit, [], {"a": "1"}) == {"a": "1"}


@pytest.mark.parametrize(
    ("method", "args", "data"),
    [
        (nothing, [1], None),
        (two, [], None),
        (two, [[3]], None),
        (two, [{"a": 1}], None),
        (two, ["3"], None),
        (two, [3, "y", 1], None),
        (two, [], {"number": "three"}),
        (rest, [1, "2"], None),
        (save, [], {"name": "A"}),
    ],
)
def test_calls_that_do_not_fit_are_refused(
    method: Callable[..., Any], args: Any, data: Any
) -> None:
    with pytest.raises(CallRefused) as refused:
        call(method, args, data)

    assert refused.value.code == "arguments"


def test_annotations_must_be_readable() -> None:
    def bad(self: Any, a: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ComponentError, match="TYPE_CHECKING"):
        Parameters(bad)  # type: ignore[arg-type]


def letter(self: Any, email: str, text: str = "") -> None: ...


def test_a_form_without_a_field_that_is_needed_names_what_it_has_and_the_place() -> None:
    with pytest.raises(
        CallRefused, match=r"letter got no value for 'email', only for 'mail'"
    ) as one:
        call(letter, [], {"mail": "a@b"})

    assert one.value.fix == "It takes letter(email: str, text: str = '')."
    assert (str(one.value.file), one.value.line) == (__file__, letter.__code__.co_firstlineno)
