"""State: its fields, the conversion of what enters, the check of what leaves."""

# ruff: noqa: RUF012 - a mutable default is what is tested: each instance gets its own copy.

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError, StateError
from asok.live.component import schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Item:
    name: str
    amount: int = 1


class Point(msgspec.Struct):
    x: int
    y: int


class Everything(Component):
    count: int = 0
    price: Decimal = Decimal("1.50")
    when: datetime = datetime(2026, 1, 2, 3, 4, 5)
    key: UUID = UUID(int=7)
    pair: tuple[int, str] = (1, "a")
    tags: set[str] = set()
    colour: Colour = Colour.RED
    items: list[Item] = []
    at: Point | None = None
    plain = {"a": [1, None, True]}

    limit: ClassVar[int] = 5
    top: Final = 9
    _private = object()

    class Meta:
        pass

    @property
    def double(self) -> int:
        return self.count * 2

    @exposed
    def add(self) -> None:
        self.count += 1


def test_fields_are_public_attributes_with_annotation_or_default() -> None:
    assert list(schema(Everything).fields) == [
        "count", "price", "when", "key", "pair", "tags", "colour", "items", "at", "plain",
    ]  # fmt: skip


def test_every_type_comes_back_as_it_was() -> None:
    one = Everything(
        count=3,
        price=Decimal("9.99"),
        tags={"x", "y"},
        colour=Colour.BLUE,
        items=[Item("pen", 2)],
        at=Point(1, 2),
        pair=(5, "b"),
    )
    described = schema(Everything)

    state = described.decode(described.encode(described.read(one)))

    assert state == described.read(one)
    assert state["items"] == [Item("pen", 2)]


def test_instances_do_not_share_a_default() -> None:
    first, second = Everything(), Everything()
    first.tags.add("x")
    first.plain["a"].append(4)

    assert second.tags == set()
    assert second.plain == {"a": [1, None, True]}
    assert Everything.plain == {"a": [1, None, True]}


def test_values_are_converted_to_the_fields_type() -> None:
    one = Everything(when="2026-05-06T07:08:09", price=2, colour="blue", tags=["a", "a"])

    assert one.when == datetime(2026, 5, 6, 7, 8, 9)
    assert (one.price, one.colour, one.tags) == (Decimal(2), Colour.BLUE, {"a"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", [1]),
        ("count", {"a": 1}),
        ("count", "1"),
        ("count", 1.5),
        ("count", True),
        ("count", None),
        ("count", object()),
        ("colour", "green"),
        ("items", [{"name": "x", "amount": []}]),
        ("pair", (1, 2, 3)),
        ("plain", {1: "a"}),
        ("plain", {"a": (1, 2)}),
        ("plain", {"a": object()}),
        ("plain", {"a": float("nan")}),
    ],
)
def test_a_wrong_type_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(StateError) as error:
        Everything(**{name: value})

    assert f"Everything.{name}" in str(error.value)
    assert error.value.file is not None
    assert error.value.file.name == "test_schema.py"


def test_a_state_that_would_not_come_back_is_refused_before_it_is_kept() -> None:
    one = Everything()
    one.plain = {"when": datetime(2026, 1, 1)}  # type: ignore[dict-item]
    described = schema(Everything)

    with pytest.raises(StateError, match=r"Everything\.plain"):
        described.encode(described.read(one))


def test_a_wrong_state_names_its_field() -> None:
    one = Everything()
    one.count = "many"  # type: ignore[assignment]
    described = schema(Everything)

    with pytest.raises(StateError, match=r"Everything\.count got 'many'"):
        described.encode(described.read(one))


def test_a_stored_state_that_does_not_fit_is_refused() -> None:
    with pytest.raises(StateError, match="does not fit"):
        schema(Everything).decode(b'{"count": []}')


def test_a_nested_class_is_never_chosen_by_the_data() -> None:
    raw = schema(Everything).encode(schema(Everything).read(Everything()))
    payload = raw.replace(b'"at":null', b'"at":{"type":"Item","x":1,"y":2,"__class__":"os"}')

    assert schema(Everything).decode(payload)["at"] == Point(1, 2)


def test_unknown_values_name_the_likely_field() -> None:
    with pytest.raises(ComponentError, match="Did you mean 'count'"):
        Everything(cuont=1)
    with pytest.raises(ComponentError, match="It has: count"):
        Everything(zzz=1)
    with pytest.raises(ComponentError, match="no field '_private'"):
        Everything(_private=1)


def test_a_field_without_default_is_required() -> None:
    class Card(Component):
        title: str

    with pytest.raises(ComponentError, match="needs a value for 'title'"):
        Card()
    assert Card(title="x").title == "x"


def test_numbers_without_annotation_may_become_fractions() -> None:
    class Total(Component):
        total = 0

    one = Total(total=2)
    one.total *= 0.25  # type: ignore[assignment]
    described = schema(Total)

    assert described.decode(described.encode(described.read(one))) == {"total": 0.5}
    with pytest.raises(StateError):
        Total(total="5")


def test_every_kind_of_default_has_a_type() -> None:
    class Kinds(Component):
        a = True
        b = "x"
        c = None
        d = [1]
        e = frozenset({1})
        f = (1, "x")
        g = {1, 2}
        h = Colour.RED
        i = 1.5

    described = schema(Kinds)
    assert described.decode(described.encode(described.read(Kinds()))) == {
        "a": True,
        "b": "x",
        "c": None,
        "d": [1],
        "e": frozenset({1}),
        "f": (1, "x"),
        "g": {1, 2},
        "h": Colour.RED,
        "i": 1.5,
    }


def test_a_subclass_adds_changes_and_hides_fields() -> None:
    class Base(Component):
        a: int = 1
        b: int = 2
        c: int = 3

    class Special(Base):
        a = 5
        d: str = "x"

        def b(self) -> None:  # type: ignore[override]
            pass

    fields = schema(Special).fields
    assert list(fields) == ["a", "c", "d"]
    assert fields["a"].type is int
    assert Special().a == 5


def test_a_subclass_may_annotate_anew_and_keep_the_default() -> None:
    class Base(Component):
        a = 1

    class Special(Base):
        a: int

    assert schema(Special).fields["a"].type is int
    assert Special().a == 1


def test_the_version_follows_names_and_types_and_not_defaults() -> None:
    def made(**annotations: Any) -> str:
        cls: Any = type(
            "Made", (Component,), {"__annotations__": annotations, "a": 1, "__module__": __name__}
        )
        return schema(cls).version

    assert made(a=int) == made(a=int)
    assert made(a=int) != made(a=float)
    assert made(a=int) != made(a=int, b=int)
    assert made(a=int, b=list[Item]) != made(a=int, b=list[Point])
    other: Any = type("Other", (Component,), {"__annotations__": {"a": int}, "a": 1})
    assert schema(other).version != made(a=int)


@pytest.mark.parametrize("name", ["session", "slot", "cid", "render", "mount", "html"])
def test_names_that_every_component_has_are_taken(name: str) -> None:
    cls: Any = type("Bad", (Component,), {name: 1})

    with pytest.raises(ComponentError, match="taken are"):
        schema(cls)


def test_a_type_without_json_form_is_refused_with_its_way_out() -> None:
    class Strange:
        pass

    cls: Any = type("Bad", (Component,), {"__annotations__": {"row": list[Strange]}})
    with pytest.raises(ComponentError, match=r"Strange has no JSON form.*_row"):
        schema(cls)

    plain: Any = type("Bad", (Component,), {"row": Strange()})
    with pytest.raises(ComponentError, match="has no JSON form"):
        schema(plain)


def test_a_union_that_json_can_not_tell_apart_is_refused() -> None:
    cls: Any = type("Bad", (Component,), {"__annotations__": {"a": Item | Point}})

    with pytest.raises(ComponentError, match="can't be kept"):
        schema(cls)


def test_a_default_that_its_own_type_refuses_is_an_error() -> None:
    cls: Any = type("Bad", (Component,), {"__annotations__": {"a": int}, "a": "x"})

    with pytest.raises(ComponentError, match=r"Bad\.a starts as 'x'"):
        schema(cls)


def test_an_annotation_that_can_not_be_read_is_an_error() -> None:
    cls: Any = type("Bad", (Component,), {"__annotations__": {"a": "Missing"}})

    with pytest.raises(ComponentError, match="TYPE_CHECKING"):
        schema(cls)


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("count", "5", 5),
        ("price", "2.50", Decimal("2.50")),
        ("when", "2026-01-01T10:00", None),
        ("when", "2026-01-01T10:00:00", datetime(2026, 1, 1, 10)),
        ("colour", "blue", Colour.BLUE),
        ("tags", ["a", "b"], {"a", "b"}),
        ("at", "", None),
    ],
)
def test_form_fields_are_read_from_text(name: str, sent: Any, stored: Any) -> None:
    if name == "when" and stored is None:
        with pytest.raises(StateError):
            schema(Everything).write(name, sent)
    else:
        assert schema(Everything).write(name, sent) == stored


def test_a_checkbox_says_on() -> None:
    class Agree(Component):
        yes: bool = False
        text: str = ""

    assert schema(Agree).write("yes", "on") is True
    assert schema(Agree).write("yes", True) is True
    assert schema(Agree).write("text", "on") == "on"
    with pytest.raises(StateError):
        schema(Agree).write("yes", "perhaps")


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(StateError) as error:
        Everything(count="x" * 500)

    assert len(str(error.value)) < 700
