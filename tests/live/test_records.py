"""Rows as fields: kept by key, loaded anew, never sent."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from asok.component import Component, exposed
from asok.errors import ComponentError, StateError
from asok.live import configure_records
from asok.live.records import is_gone, load, name_of

from .fake_client import FakeClient, wrappers
from .ports import Site

ROWS: dict[Any, str] = {}
CHANGED: list[set[str]] = []


class Post:
    def __init__(self, key: Any, title: str) -> None:
        self.key = key
        self.title = title


class Rows:
    """The port over a dictionary."""

    def holds(self, cls: type) -> bool:
        return cls is Post

    def key(self, record: Any) -> Any:
        return record.key

    def find(self, cls: Any, key: Any) -> Any:
        return cls(key, ROWS[key]) if key in ROWS else None


@pytest.fixture(autouse=True)
def rows() -> Generator[None]:
    configure_records(Rows())
    ROWS.clear()
    ROWS.update({1: "First", 2: "Second", ("a", 3): "Third"})
    CHANGED.clear()
    yield
    configure_records(None)


def editor() -> type[Component]:
    class Editor(Component):
        post: Post
        others: list[Post] = []  # noqa: RUF012
        clicks: int = 0

        def updated(self, names: set[str]) -> None:
            CHANGED.append(names)

        @exposed
        async def click(self) -> None:
            self.clicks += 1

        @exposed
        def change(self, key: int) -> None:
            self.post = Post(key, "")

        def render(self) -> str:
            return f"{self.post.title} {self.clicks}"

    return Editor


def test_a_row_is_kept_by_its_key_and_is_as_it_is_by_then() -> None:
    async def scenario() -> None:
        one = Site(editor())
        page = one.page("Editor", post=Post(1, "First"), session_id="visitor")
        client = FakeClient(one.live)
        [shown] = await client.join(page)
        assert bytes(one.live.tokens.read(wrappers(page)[0]["token"]).props) == b'{"post":1}'
        ROWS[1] = "Changed"
        await client.call(shown, "click")
        assert shown.html == "Changed 1"
        await client.call(shown, "change", 2)
        assert [{"clicks"}, {"post"}] == CHANGED
        await client.call(shown, "click")
        assert shown.html == "Second 2"
        del ROWS[2]
        await client.call(shown, "click")
        assert client.reloads == ["record"]

    asyncio.run(scenario())


def test_keys_of_several_columns_and_lists_of_rows() -> None:
    one = Site(editor())
    page = one.page("Editor", post=Post(("a", 3), ""), others=[Post(1, "")], session_id="v")

    assert ">Third 0</div>" in page


def test_what_is_no_row_or_not_saved_is_refused() -> None:
    one = Site(editor())
    with pytest.raises(StateError, match="save it first"):
        one.page("Editor", post=Post(None, ""))
    with pytest.raises(StateError, match=r"Editor\.post got"):
        one.page("Editor", post=object())
    with pytest.raises(StateError, match="there is no Post with the key 9 any more"):
        one.page("Editor", post=9)
    with pytest.raises(ComponentError, match="which can't be kept"):
        Site(type("Bad", (Component,), {"__annotations__": {"post": Any, "other": Foreign}}))
    configure_records(None)
    with pytest.raises(ComponentError, match=r"Editor\.post is of type Post"):
        Site(editor())


class Foreign:
    """No row and no JSON."""


def test_no_other_class_is_made_from_a_key_or_described() -> None:
    for configured in (None, Rows()):
        configure_records(configured)
        with pytest.raises(ValueError, match="can't be made from 3"):
            load(complex, 3)
        with pytest.raises(TypeError, match="complex has no JSON form"):
            name_of(complex)
    assert not is_gone(ValueError("something else"))
