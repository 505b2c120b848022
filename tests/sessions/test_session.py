"""A session is read when touched, written when changed, and never revived."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asok.errors import ConfigurationError, SessionError
from asok.sessions import (
    MemorySessionStore,
    RedisSessionStore,
    Session,
    SessionIds,
    SessionStore,
    SqliteSessionStore,
)
from asok.signing import Keys


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionStore]:
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        redis = RedisSessionStore(url, prefix=f"{tmp_path}:", idle=100, absolute=1000)
        yield redis
        redis.close()
        return
    if request.param == "memory":
        yield MemorySessionStore(idle=100, absolute=1000)
        return
    sqlite = SqliteSessionStore(tmp_path / "folder" / "s.sqlite3", idle=100, absolute=1000)
    yield sqlite
    sqlite.close()


IDS = SessionIds(Keys(["k" * 32]))


def opened(
    store: SessionStore,
    session_id: str | None,
    revoked: Callable[[str, str | None], None] | None = None,
) -> Session:
    return Session(store, session_id, new_id=IDS.new, revoked=revoked)


def saved(store: SessionStore, **data: Any) -> str:
    session = opened(store, None)
    session.update(data)
    assert session.save()
    assert session.id is not None
    return session.id


def test_what_was_saved_is_there_for_the_next_request(store: SessionStore) -> None:
    session_id = saved(store, a=1, b=[1, {"c": None}])
    assert IDS.valid(session_id)
    again = opened(store, session_id)
    assert not again.touched
    assert dict(again) == {"a": 1, "b": [1, {"c": None}]}
    assert again.touched
    assert "2 keys" in repr(again)


def test_a_session_that_nothing_was_written_to_costs_no_write(store: SessionStore) -> None:
    session = opened(store, None)
    assert session.get("x") is None
    assert session.save() is False
    assert session.id is None


def test_a_change_inside_a_value_is_saved_when_modified_is_set(store: SessionStore) -> None:
    session_id = saved(store, cart=[1])
    first = opened(store, session_id)
    first["cart"].append(2)
    first.save()
    assert opened(store, session_id)["cart"] == [1]
    second = opened(store, session_id)
    second["cart"].append(2)
    second.modified = True
    assert second.save() is False
    assert opened(store, session_id)["cart"] == [1, 2]


def test_two_writers_of_different_keys_do_not_undo_each_other(store: SessionStore) -> None:
    session_id = saved(store, a=1, b=1, c=1)
    first, second = opened(store, session_id), opened(store, session_id)
    first["a"] = 2
    second["b"] = 2
    del second["c"]
    first.save()
    second.save()
    assert dict(opened(store, session_id)) == {"a": 2, "b": 2}


def test_a_visitors_id_becomes_the_sessions(store: SessionStore) -> None:
    visitor = IDS.new()
    session = opened(store, visitor)
    session["a"] = 1
    assert session.save() is False
    assert session.id == visitor
    assert dict(opened(store, visitor)) == {"a": 1}


@pytest.mark.parametrize(
    "text",
    ["", "A" * 65, "A" * 43, IDS.new()[:-1] + "é", IDS.new()[1:] + "A"],
    ids=["nothing", "as long", "shorter", "no ASCII", "shifted"],
)
def test_an_id_that_was_not_made_here_is_not_accepted(text: str) -> None:
    assert not IDS.valid(text)


def test_ids_survive_the_rotation_of_keys() -> None:
    old = IDS.new()
    assert SessionIds(Keys(["k" * 32, "n" * 32])).valid(old)
    assert not SessionIds(Keys(["n" * 32])).valid(old)
    assert len({IDS.new() for _ in range(1000)}) == 1000


def test_login_takes_a_new_id_and_keeps_the_data(store: SessionStore) -> None:
    ended: list[tuple[str, str | None]] = []
    old = saved(store, cart=[1])
    session = opened(store, old, lambda *ids: ended.append(ids))
    session.login(user=7)
    assert session.save()
    assert session.id not in (None, old)
    assert store.load(old) is None
    assert ended == [(old, session.id)]
    assert dict(opened(store, session.id)) == {"cart": [1], "user": 7}


def test_a_logout_leaves_nothing_to_whoever_comes_after_it(store: SessionStore) -> None:
    ended: list[tuple[str, str | None]] = []
    old = saved(store, cart=[1])
    session = opened(store, old, lambda *ids: ended.append(ids))
    session.login(user=7)
    between = session.id
    session.logout()
    session.login(user=8)
    last = session.id
    assert session.save()
    assert [one for one, _ in ended][:1] == [old]
    assert (between, None) in ended
    assert {successor for _, successor in ended} == {None}

    session.login(user=9)
    session.save()
    assert ended[-1] == (last, session.id)


def test_a_login_without_any_cookie_gets_one(store: SessionStore) -> None:
    session = opened(store, None)
    session.login(user=7)
    assert session.save()
    assert dict(opened(store, session.id)) == {"user": 7}


def test_a_login_that_can_not_be_saved_ends_nothing(store: SessionStore) -> None:
    ended: list[tuple[str, str | None]] = []
    old = saved(store, cart=[1])
    session = opened(store, old, lambda *ids: ended.append(ids))
    session.login(photo="x" * 70_000)
    with pytest.raises(SessionError, match="'photo'"):
        session.save()
    assert ended == []
    assert dict(opened(store, old)) == {"cart": [1]}


def test_changes_that_were_dropped_are_not_saved(store: SessionStore) -> None:
    old = saved(store, cart=[1])
    session = opened(store, old)
    session.login(photo=object())
    session.drop()
    assert session.id == old
    assert session.save() is False
    assert dict(opened(store, old)) == {"cart": [1]}


def test_two_first_writers_do_not_undo_each_other(store: SessionStore) -> None:
    visitor = IDS.new()
    first, second = opened(store, visitor), opened(store, visitor)
    first["a"] = 1
    second["b"] = 1
    first.save()
    second.save()
    assert dict(opened(store, visitor)) == {"a": 1, "b": 1}


def test_logout_forgets_everything_and_nothing_revives_it(store: SessionStore) -> None:
    session_id = saved(store, user=7)
    late = opened(store, session_id)
    late["clicks"] = 1
    session = opened(store, session_id)
    session.logout()
    assert session.save()
    late.save()
    assert store.load(session_id) is None
    assert dict(opened(store, session_id)) == {}


def test_a_session_ends_when_it_is_idle_or_too_old(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(store, RedisSessionStore):
        ends = store.load(saved(store, a=1))
        assert ends is not None
        assert ends.expires == pytest.approx(ends.created + 100, abs=1)  # Redis's own clock
        return
    now = time.time()
    session_id = saved(store, a=1)
    for passed in range(0, 950, 90):
        monkeypatch.setattr(time, "time", lambda passed=passed: now + passed)
        session = opened(store, session_id)
        assert session["a"] == 1
        session.save()
    monkeypatch.setattr(time, "time", lambda: now + 1001)
    assert store.load(session_id) is None
    assert not store.merge(session_id, {"a": 2}, ())
    monkeypatch.setattr(time, "time", lambda: now + 2000)
    other = saved(store, b=1)
    monkeypatch.setattr(time, "time", lambda: now + 2101)
    assert store.load(other) is None


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"x"])
def test_a_value_that_is_not_json_is_refused_by_name(store: SessionStore, value: object) -> None:
    session = opened(store, None)
    session["thing"] = value
    with pytest.raises(SessionError, match="'thing'"):
        session.save()


def test_a_session_that_is_too_large_is_refused(store: SessionStore) -> None:
    session = opened(store, None)
    session["big"] = "x" * 70_000
    with pytest.raises(SessionError, match="largest key is 'big'"):
        session.save()


def test_a_key_that_is_no_text_is_refused(store: SessionStore) -> None:
    with pytest.raises(SessionError, match="expected text"):
        opened(store, None)[1] = 2  # type: ignore[index]


def test_sqlite_serves_threads_and_forks(tmp_path: Path) -> None:
    store = SqliteSessionStore(tmp_path / "s.sqlite3")
    session_id = saved(store, n=0)

    def write(name: str) -> None:
        for number in range(20):
            store.merge(session_id, {f"{name}{number}": number}, ())

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child == 0:
        store.merge(session_id, {"child": 1}, ())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    found = store.load(session_id)
    assert found is not None
    assert len(found.data) == 82
    assert oct((tmp_path / "s.sqlite3").stat().st_mode)[-3:] == "600"
    store.close()


def test_what_expired_is_deleted_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteSessionStore(tmp_path / "s.sqlite3", idle=100, absolute=1000)
    visitor = IDS.new()
    store.create(visitor, {"a": 1})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 50)
    store.create("other", {"b": 1})
    monkeypatch.setattr(time, "time", lambda: now + 101)
    store.create(visitor, {"c": 1})
    found = store.load(visitor)
    assert found is not None
    assert found.data == {"c": 1}
    monkeypatch.setattr(time, "time", lambda: now + 300)
    store.create("new", {})
    count = store._file.connection().execute("SELECT count(*) FROM session").fetchone()
    assert count == (1,)
    store.close()


def test_a_value_that_no_file_can_hold_leaves_the_store_usable(tmp_path: Path) -> None:
    store = SqliteSessionStore(tmp_path / "s.sqlite3")
    store.create("x", {"a": 1})
    with pytest.raises(TypeError):
        store.merge("x", {"b": object()}, ())
    assert store.merge("x", {"b": 2}, ())
    store.close()


def test_memory_forgets_what_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemorySessionStore(idle=100, absolute=1000)
    store.create("x", {"a": 1})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 101)
    store.create("y", {})
    assert list(store._sessions) == ["y"]
    store.close()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"asok\[redis\]"):
        RedisSessionStore("redis://localhost:1/0")
