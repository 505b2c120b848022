"""Views that note what a render reads of its visitor."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers, QueryParams

from asok.asgi import flashes
from asok.asgi.field import Field
from asok.asgi.watched import Watched, WatchedSession, watched
from asok.sessions import MemorySessionStore, Session
from asok.sharing import NO_TOKEN, Sharing, covers, current, note, part, share


def test_names_are_noted_whether_they_are_there_or_not() -> None:
    seen: list[str] = []
    query = Watched(QueryParams("a=1&a=2&B=3"), seen.append, "query")
    assert (query["a"], query.get("b"), query.get("B"), "c" in query) == ("2", None, "3", False)
    assert query.getlist("a") == ["1", "2"]
    assert seen == ["query:a", "query:b", "query:B", "query:c", "query:a"]
    headers = Watched(Headers({"Origin": "x"}), seen.append, "header", fold=True)
    assert headers["ORIGIN"] == "x"
    assert seen[-1] == "header:origin"


@pytest.mark.parametrize(
    "look",
    [dict, len, str, repr, list, bool, lambda one: one.multi_items(), lambda one: one.keys()],
)
def test_whatever_asks_for_more_notes_everything(look: Any) -> None:
    seen: list[str] = []
    view = Watched(QueryParams("a=1"), seen.append, "query")
    look(look(view) if look is list else view)
    if not seen:  # a view of the keys looks when it is read
        list(look(view))
    assert "query:*" in seen


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = Watched({}, lambda _: None, "cookie").nothing


def test_a_session_can_be_changed_and_that_is_noted() -> None:
    seen = Sharing()
    real = Session(MemorySessionStore(), None, new_id=lambda: "id")
    session = watched(real, seen, "session", like=WatchedSession)
    assert session.get("lang") is None
    assert seen.reads == {"session:lang"}
    session["lang"] = "fi"
    session["b"] = 1
    del session["b"]
    session.modified = True
    assert "session:*" in seen.reads
    assert dict(real) == {"lang": "fi"}
    flashes.keep(session, "saved", "info")
    assert flashes.take(session) == [("info", "saved")]
    assert flashes.take(session) == ()
    assert watched(real, None, "session") is real


def test_a_field_is_written_either_way() -> None:
    assert Field("<i>")() == Field("<i>") == "<i>"


def test_renders_in_renders_tell_the_outer_ones() -> None:
    note("nobody hears it")
    refused: list[str] = []
    outer = Sharing()
    with share(outer):
        inner = Sharing(refused.append, allowed={"cookie:a", "session:*"}, part="p")
        with share(inner):
            assert part() == "p"
            assert Sharing().part == "p"
            for what in ("cookie:a", "cookie:b", "session:x", "user"):
                note(what)
            inner.tag(["a"])
            inner.tag(["a", "b"])
    assert current.get() is None
    assert part() == ""
    assert outer.reads == inner.reads == {"cookie:a", "cookie:b", "session:x", "user"}
    assert refused == ["cookie:b", "user"]
    outer.inherit({"a": "first"}, 5.0)
    outer.inherit(inner.tags, 7.0)
    assert (outer.tags, outer.until) == ({"a": "first", "b": NO_TOKEN}, 5.0)
    assert covers({"user"}, "user")
    assert not covers({"cookie:a"}, "cookie:*")
