"""Forms: typed values, messages beside the fields, and what is never written."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from datetime import date
from enum import Enum
from types import FunctionType
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError
from asok.live.arguments import Parameters
from asok.live.extras import keep_typed
from asok.live.schema import from_form, unsent
from asok.live.validation import message_of

from .fake_client import FakeClient, Shown
from .ports import Site

SAVED: list[tuple[Any, ...]] = []


class Signup(Component):
    name: str = ""
    age: Annotated[int, msgspec.Meta(ge=18)] = 18
    note: str = "kept"
    _bindable = ("name", "age")

    def validate_name(self, value: str) -> str:
        if value == "root":
            raise ValueError("That name is taken.")
        if value == "odd":
            raise ValueError
        return value.strip()

    def validate_email(self, value: str) -> None:
        if "@" not in value:
            raise ValueError("Write an address with an @.")

    @exposed
    def save(self, name: str, email: str, born: date, agree: bool = False) -> None:
        SAVED.append((name, email, born, agree))
        if name == "late":
            self.errors["name"] = "Taken meanwhile."

    @exposed
    async def soon(self, age: int) -> None:
        SAVED.append((age,))

    @exposed
    def stream(self, age: int) -> Generator[None]:
        SAVED.append((age,))
        yield

    @exposed
    def other(self) -> None:
        pass

    def render(self) -> str:
        return f"{self.name}/{self.age}/{sorted(self.errors.items())}"


async def joined() -> tuple[FakeClient, Shown]:
    SAVED.clear()
    one = Site(Signup)
    client = FakeClient(one.live)
    [shown] = await client.join(one.page("Signup", frozen=True))
    return client, shown


def errors(shown: Shown) -> str:
    assert shown.html is not None
    return shown.html.partition("[")[2].rstrip("]")


def test_messages_stand_beside_their_fields_until_they_are_sent_again() -> None:
    async def scenario() -> None:
        client, shown = await joined()
        form = {"name": "root", "email": "none", "born": "soon"}
        await client.call(shown, "save", data=form)
        assert errors(shown) == (
            "('born', 'Must be a date.'), ('email', 'Write an address with an @.'), "
            "('name', 'That name is taken.')"
        )
        await client.call(shown, "other")
        await client.reconnect()
        assert errors(shown).count("(") == 3
        form = {"name": " Ada ", "email": "a@b", "born": "2000-01-02", "agree": "on"}
        await client.call(shown, "save", data={**form, "born": ""})
        assert errors(shown) == "('born', 'Must be filled in.')"
        assert SAVED == []
        await client.call(shown, "save", data=form)
        assert errors(shown) == ""
        assert [("Ada", "a@b", date(2000, 1, 2), True)] == SAVED
        await client.call(shown, "save", data={**form, "name": "late"})
        assert errors(shown) == "('name', 'Taken meanwhile.')"
        assert shown.errors == []

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["soon", "stream"])
def test_a_wrong_form_runs_no_method_of_any_kind(method: str) -> None:
    async def scenario() -> None:
        client, shown = await joined()
        await client.call(shown, method, data={"age": "x"})
        assert errors(shown) == "('age', 'Must be a whole number.')"
        assert SAVED == []
        await client.call(shown, method, data={"age": "20"})
        assert (errors(shown), SAVED) == ("", [(20,)])
        await client.call(shown, method, "x")
        assert [code for _, code, _ in shown.errors] == ["arguments"]

    asyncio.run(scenario())


def test_a_model_writes_what_its_field_takes_only() -> None:
    async def scenario() -> None:
        client, shown = await joined()
        await client.call(shown, "$model", "age", "17")
        await client.call(shown, "$model", "name", "odd")
        assert shown.html == (
            "/18/[('age', 'Must be at least 18.'), ('name', 'This does not fit.')]"
        )
        await client.call(shown, "$model", "age", "30")
        await client.call(shown, "$model", "name", " Ada")
        assert shown.html == "Ada/30/[]"
        await client.call(shown, "$model", "note", "forged")
        await client.call(shown, "$model", "age", ["30"])
        assert [code for _, code, _ in shown.errors] == ["refused", "failed"]

    asyncio.run(scenario())


class Size(Enum):
    SMALL = "s"


def _meta(kind: Any, **bounds: Any) -> Any:
    return Annotated[kind, msgspec.Meta(**bounds)]


@pytest.mark.parametrize(
    ("value", "wanted", "message"),
    [
        ("", int, "Must be filled in."),
        ("x", int, "Must be a whole number."),
        ("x", float, "Must be a number."),
        ("x", date, "Must be a date."),
        ("x", Size, "Choose one of those offered."),
        ("x", UUID, "Does not have the right form."),
        ("x", bool, "This does not fit."),
        ("5", _meta(int, le=4), "Must be at most 4."),
        ("5", _meta(float, gt=5), "Must be more than 5.0."),
        ("5", _meta(float, lt=5), "Must be less than 5.0."),
        ("5", _meta(int, multiple_of=3), "Must be a multiple of 3."),
        ("x", _meta(str, min_length=2), "Must have at least 2 characters."),
        ("xx", _meta(str, max_length=1), "Must have at most 1 character."),
        ("x", _meta(str, pattern="^y"), "Does not have the right form."),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(value: str, wanted: Any, message: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        from_form(value, wanted)

    assert message_of(value, caught.value) == message


def test_validators_of_nothing_and_async_ones_are_refused() -> None:
    def validate(self: Any, value: Any) -> None: ...
    async def later(self: Any, value: Any) -> None: ...

    with pytest.raises(ComponentError, match=r"Did you mean validate_name\?"):
        Site(type("Bad", (Component,), {"name": "", "validate_nmae": validate}))
    with pytest.raises(ComponentError, match="There is"):
        Site(type("Bad", (Component,), {"validate_x": validate}))
    with pytest.raises(ComponentError, match="is async"):
        Site(type("Bad", (Component,), {"name": "", "validate_name": later}))


def test_outside_a_page_a_component_has_messages_too() -> None:
    one = Signup()
    one.save("late", "a@b", date(2000, 1, 1))

    assert one.errors == {"name": "Taken meanwhile."}
    assert one.errors["email"] == ""


def test_several_fields_of_one_name_are_a_list_and_none_is_an_empty_one() -> None:
    assert from_form("a", list[str]) == ["a"]
    assert from_form(["1", "2"], list[int]) == [1, 2]
    assert from_form("", list[str]) == []
    assert from_form("3", Annotated[set[int], msgspec.Meta(max_length=1)]) == {3}
    assert from_form("", list[str] | None) is None
    assert from_form("x", list[str] | str) == "x"
    assert [from_form(value, bool) for value in ([], ["yes"], "on", "")[:3]] == [False, True, True]
    assert (unsent(bool), unsent(list[int]), unsent(set[str])) == (False, [], set[str]())
    for wanted in (str, int | None, list[str] | None, Any):
        with pytest.raises(LookupError):
            unsent(wanted)


class Echo(Component):
    """Shows again what was refused."""

    name: str = ""
    age: int = 0
    _bindable = ("age",)

    @exposed
    def save(self, name: str, age: int, password: str = "", more: str = "") -> None:
        if name == "late":
            self.errors["name"] = "Taken meanwhile."
        else:
            self.name = name

    def render(self) -> str:
        return f"{sorted(self.typed.items())}"


def test_what_was_sent_with_a_refused_form_is_shown_again_until_it_is_right() -> None:
    async def scenario() -> None:
        one = Site(Echo)
        client = FakeClient(one.live)
        [shown] = await client.join(one.page("Echo", frozen=True))

        async def typed(**data: str) -> str | None:
            await client.call(shown, "save", data=data)
            return shown.html

        wrong = await typed(name="Ada", age="x", password="p")
        assert wrong == "[('age', 'x'), ('name', 'Ada'), ('password', '')]"
        assert await typed(name="late", age="3") == "[('age', '3'), ('name', 'late')]"
        assert await typed(name="Ada", age="x", more="x" * 20_000) == "[]"
        assert await typed(name="Ada", age="3") == "[]"
        await client.call(shown, "$model", "age", "many")
        assert shown.html == "[('age', 'many')]"
        await client.call(shown, "$model", "age", "4")
        assert shown.html == "[]"

    asyncio.run(scenario())
    assert Echo().typed["nothing"] == ""


def test_a_form_whose_only_field_is_called_name_is_a_form() -> None:
    class Tags(Component):
        @exposed
        def save(self, name: str, tags: list[str], loud: bool) -> None: ...

    parameters = Parameters(cast("FunctionType", Tags.save))
    assert parameters.bind([], {"name": "Ada"}) == (["Ada", [], False], {})


ORDERS: list[tuple[Any, ...]] = []


class Order(Component):
    """Checks what a browser leaves out, and what a forged call gives."""

    def validate_agree(self, agree: bool) -> None:
        if not agree:
            raise ValueError("You have to agree.")

    def validate_tags(self, tags: list[str]) -> None:
        if not tags:
            raise ValueError("Choose one at least.")

    def validate_email(self, email: str) -> str:
        if "@" not in email:
            raise ValueError("Write an address with an @.")
        return email.lower()

    def validate_password(self, password: str) -> None:
        if len(password) < 4:
            raise ValueError("Four letters at least.")

    @exposed
    def save(self, email: str, tags: list[str], agree: bool = False) -> None:
        ORDERS.append((email, tags, agree))

    @exposed
    def enter(self, email: str, password: str) -> None: ...

    @exposed
    def loose(self, **fields: str) -> None:
        ORDERS.append(tuple(fields.values()))

    def render(self) -> str:
        return f"{sorted(self.errors.items())}{sorted(self.typed.items())}"


def test_validators_are_asked_whatever_a_browser_leaves_out_or_forges() -> None:
    async def scenario() -> None:
        ORDERS.clear()
        one = Site(Order)
        client = FakeClient(one.live)
        [shown] = await client.join(one.page("Order", frozen=True))
        await client.call(shown, "save", data={"email": "A@B"})
        assert shown.html is not None
        assert "('agree', 'You have to agree.'), ('tags', 'Choose one at least.')]" in shown.html
        await client.call(shown, "save", "forged", ["a"], True)
        assert "Write an address" in shown.html
        await client.call(shown, "loose", data={"email": "forged"})
        assert ORDERS == []
        await client.call(shown, "save", "A@B", ["a"], True)
        await client.call(shown, "save", data={"email": "A@B", "tags": "a", "agree": "on"})
        await client.call(shown, "loose", data={"email": "A@B"})
        assert ORDERS == [("a@b", ["a"], True), ("a@b", ["a"], True), ("a@b",)]
        assert shown.html == "[][]"
        assert shown.errors == []

    asyncio.run(scenario())


def test_what_was_chosen_and_typed_is_kept_while_anything_of_the_form_is_wrong() -> None:
    async def scenario() -> None:
        one = Site(Order)
        client = FakeClient(one.live)
        [shown] = await client.join(one.page("Order", frozen=True))
        await client.call(shown, "save", data={"email": "a@b", "tags": ["x", "y"]})
        assert shown.html is not None
        assert "('email', 'a@b'), ('tags', ['x', 'y'])]" in shown.html
        await client.call(shown, "save", data={"email": "a@b", "tags": "xy"})
        assert "('tags', ['xy'])]" in shown.html
        await client.call(shown, "enter", data={"email": "a@b", "password": "1"})
        assert "('password', 'Four letters at least.')" in shown.html
        assert "('email', 'a@b')" in shown.html

    asyncio.run(scenario())


def test_what_names_itself_secret_is_not_kept() -> None:
    secret = "password passphrase new_pwd mot_de_passe passcode pin card_number user_pin otp cvc"
    shown = "name passenger shipping footprint classname opinion compass"
    typed: dict[str, Any] = {}
    keep_typed(typed, dict.fromkeys((secret + " " + shown).split(), "x"))
    assert set(typed) == set(shown.split())
