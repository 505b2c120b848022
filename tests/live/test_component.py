"""The class that authors write against, as a plain object."""

from __future__ import annotations

import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError, LiveError


class Counter(Component):
    count = 0
    name: str = "x"

    @exposed
    def increment(self) -> None:
        self.count += 1

    @property
    def double(self) -> int:
        return self.count * 2

    @double.setter
    def double(self, value: int) -> None:
        self.count = value // 2


def test_it_works_without_a_page() -> None:
    one = Counter(count=3)
    one.increment()

    assert (one.count, one.name) == (4, "x")
    assert Counter().count == 0


def test_private_attributes_and_setters_are_free() -> None:
    one = Counter()
    one._cache = 5  # pyright: ignore
    one.double = 8

    assert one.count == 4


def test_an_undeclared_attribute_is_an_error_where_it_is_set() -> None:
    with pytest.raises(ComponentError, match=r"Did you mean self\.count"):
        Counter().cuont = 5  # type: ignore[attr-defined]
    with pytest.raises(ComponentError, match="Write `total = …` into the class"):
        Counter().total = 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["cid", "slot", "session", "render"])
def test_what_belongs_to_the_engine_can_not_be_set(name: str) -> None:
    with pytest.raises(ComponentError, match="can't be set"):
        setattr(Counter(), name, 1)


@pytest.mark.parametrize("name", ["cid", "slot", "session"])
def test_without_a_page_there_is_no_host(name: str) -> None:
    with pytest.raises(LiveError, match="on no page"):
        getattr(Counter(), name)
    with pytest.raises(LiveError, match="on no page"):
        Counter().render()
