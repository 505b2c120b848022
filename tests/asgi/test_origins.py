"""Finding again what came with a visitor, by identity; and what says nothing of anybody."""

from __future__ import annotations

import enum
from types import SimpleNamespace

import pytest
from starlette.requests import HTTPConnection

from asok.asgi.origins import Origins
from asok.sessions import MemorySessionStore, Session


class Role(enum.Enum):
    ADMIN = "admin"


def session_of(**values: object) -> Session:
    session = Session(MemorySessionStore(), None, new_id=lambda: "id")
    session.update(values)
    return session


@pytest.mark.parametrize("value", [None, True, 7, 10**9, 0.5, "", "a", b"", b"a", (), Role.ADMIN])
def test_values_of_which_there_is_one_object_say_nothing(value: object) -> None:
    http = HTTPConnection({"type": "http", "headers": [(b"cookie", b"a=a")], "query_string": b""})
    user = SimpleNamespace(of_the_user=value)
    found = Origins(set(), user, session_of(of_the_session=value), http)
    assert found.origin(value) is None


def test_any_other_object_is_found_where_it_came_from() -> None:
    scope = {"type": "http", "headers": [(b"cookie", b"theme=dark")], "query_string": b"q=text"}
    http, cart, name, roles = HTTPConnection(scope), ["tea"], "Ada Lovelace", (Role.ADMIN,)
    user, session = SimpleNamespace(name=name, roles=roles), session_of(cart=cart)
    found = Origins(set(), user, session, http)
    values = (user, name, roles, cart, http.cookies["theme"], http.query_params["q"])
    assert [found.origin(value) for value in values] == [
        "user",
        "user",
        "user",
        "session:cart",
        "cookie:theme",
        "query:q",
    ]
    assert found.origin(["tea"]) is None
