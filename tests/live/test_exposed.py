"""What a browser may call."""

from __future__ import annotations

from typing import Any

import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError
from asok.live.component import methods


class Counter(Component):
    count = 0

    @exposed
    def increment(self) -> None:
        self.count += 1

    @exposed
    async def later(self) -> None:
        self.count += 1

    def hidden(self) -> None:
        self.count = -1

    def _internal(self) -> None:
        self.count = -2


def test_only_marked_methods_are_callable() -> None:
    assert sorted(methods(Counter)) == ["increment", "later"]
    assert methods(Counter)["later"].is_async
    assert not methods(Counter)["increment"].is_async


def test_an_inherited_method_stays_callable() -> None:
    class Special(Counter):
        pass

    assert sorted(methods(Special)) == ["increment", "later"]


def test_an_override_without_the_mark_is_closed() -> None:
    class Closed(Counter):
        def increment(self) -> None:
            self.count = 100

    assert sorted(methods(Closed)) == ["later"]


def test_an_override_with_the_mark_is_open() -> None:
    class Open(Closed):
        @exposed
        def increment(self) -> None:
            self.count = 100

    assert sorted(methods(Open)) == ["increment", "later"]


class Closed(Counter):
    def increment(self) -> None:
        self.count = 100


def test_a_field_of_that_name_closes_it_too() -> None:
    class Hidden(Counter):
        increment = 5  # type: ignore[assignment]

    assert sorted(methods(Hidden)) == ["later"]


def test_the_method_itself_is_not_changed() -> None:
    def plain(self: Any) -> None:
        """Text."""

    assert exposed(plain) is plain


@pytest.mark.parametrize("wrong", [property(lambda self: 1), staticmethod(len), int, 5, None])
def test_anything_but_a_function_is_refused(wrong: Any) -> None:
    with pytest.raises(ComponentError, match="expected a function"):
        exposed(wrong)


def test_private_names_are_refused() -> None:
    def _hidden(self: Any) -> None: ...
    def __init__(self: Any) -> None: ...  # noqa: N807

    for wrong in (_hidden, __init__):
        with pytest.raises(ComponentError, match="underscore"):
            exposed(wrong)


@pytest.mark.parametrize("name", ["render", "mount", "html"])
def test_what_every_component_has_can_not_be_exposed(name: str) -> None:
    def method(self: Any) -> None: ...

    cls: Any = type("Bad", (Component,), {name: exposed(method)})
    with pytest.raises(ComponentError, match="only the server calls"):
        methods(cls)


def test_wrappers_around_a_mark_are_refused() -> None:
    def method(self: Any) -> None: ...

    exposed(method)
    for wrapper in (classmethod(method), staticmethod(method), property(method)):
        cls: Any = type("Bad", (Component,), {"method": wrapper})
        with pytest.raises(ComponentError, match="only plain methods"):
            methods(cls)
    renamed: Any = type("Bad", (Component,), {"_secret": method})
    with pytest.raises(ComponentError, match="public name"):
        methods(renamed)


@pytest.mark.parametrize("name", ["mount", "render"])
def test_mount_and_render_are_not_async(name: str) -> None:
    async def method(self: Any) -> None: ...

    cls: Any = type("Bad", (Component,), {name: method})
    with pytest.raises(ComponentError, match=f"{name} is async"):
        methods(cls)


@pytest.mark.parametrize(("bindable", "hint"), [("count", r"\['count'\]"), (["nme"], "no field")])
def test_bindable_names_fields(bindable: Any, hint: str) -> None:
    cls: Any = type("Bad", (Counter,), {"_bindable": bindable})

    with pytest.raises(ComponentError, match=hint):
        methods(cls)
