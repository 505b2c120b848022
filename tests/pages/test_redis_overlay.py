"""Pages in Redis: what is bounded, what expires, what survives a server that forgets."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from asok.errors import ConfigurationError, PagesUnavailable
from asok.pages import DiskStore, Ticket, path_tag
from asok.pages.names import page_name
from asok.pages.redis_overlay import RedisOverlay

from ..services import free_port
from .places import RedisPlace, wait_for
from .store_contract import body, render, stored

# pyright: reportPrivateUsage=false


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Generator[RedisPlace]:
    made = RedisPlace(tmp_path, redis_url)
    yield made
    made.close()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        RedisOverlay(url, "f1", max_pages=1, max_bytes=1)


def test_a_known_page_costs_no_question(place: RedisPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.open()
    assert render(store, tags=("a",))
    kept = store.get("/about")
    overlay = place.overlays[-1]
    overlay._watch.stop()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Redis was asked")

    monkeypatch.setattr(overlay._link, "run", refuse)
    for _ in range(3):
        page, note = store.look("/about")
        assert page is kept
        assert note.quiet


def test_unrelated_writes_of_others_cost_no_question(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = place.open(), place.open()
    assert render(store)
    kept = store.get("/about")
    seen: list[str] = []
    overlay, before = place.overlays[0], store.version()
    monkeypatch.setattr(overlay, "see", lambda key: seen.append(key))
    render(other, "/other")
    wait_for(lambda: store.version() != before, what="the notice of a write")
    assert store.get("/about") is kept
    assert seen == []


# Bounds


def test_the_least_recently_used_leave_first(place: RedisPlace) -> None:
    store = place.open(max_pages=10)
    for number in range(10):
        assert render(store, f"/{number}", listed=False)
    overlay = place.overlays[-1]
    overlay.touch("/0")
    assert place.open(max_pages=10).get("/1") is not None  # read by another worker: used too
    for one in place.overlays:
        one._tick()
    assert render(store, "/new", listed=False)
    assert render(store, "/newer", listed=False)
    left = sorted(place.open().paths())
    assert left == sorted(
        ["/0", "/1", *(f"/{number}" for number in range(4, 10)), "/new", "/newer"]
    )


def test_a_page_larger_than_all_is_not_kept(place: RedisPlace) -> None:
    store = place.open(max_bytes=10_000)
    assert store.put(stored("/small", listed=False))
    assert store.put(stored("/large", b"x" * 20_000, listed=False))
    assert body(place.open(), "/large") is None
    assert place.client.hget(f"{place.space}:f1:meta", "bytes") == b"0"


def test_notes_are_bounded_and_what_they_said_is_not_lost(place: RedisPlace) -> None:
    place.build(stored(), now=time.time())
    store = place.open(max_pages=10)
    store.invalidate("/about", time.time(), block=False)
    for number in range(50):
        store.invalidate(f"/{number}", time.time(), block=True)
    assert place.client.zcard(f"{place.space}:f1:notes") == 10
    assert len(place.keys_like("f1:p:*")) == 10
    page, note = place.open().look("/about")
    assert page is not None
    assert (note.generation, note.invalidated) == (0, "stale")
    ticket = store.begin("/49")
    assert store.put(stored("/49", ticket=ticket, listed=False), ticket=ticket)
    assert store.look("/49")[1].quiet


def test_the_books_are_right_after_everything(place: RedisPlace) -> None:
    store = place.open(max_pages=30)
    for number in range(60):
        render(store, f"/{number}", b"x" * number * 10, listed=number % 3 == 0)
        if number % 4 == 0:
            store.remove(f"/{number - 4}", time.time())
        if number % 5 == 0:
            store.fail(f"/{number}", time.time(), revalidate=None, error="x" * number)
            store.invalidate(f"/note/{number}", time.time(), block=False)
    space = f"{place.space}:f1:"
    sizes = {name: int(size) for name, size in place.client.hgetall(space + "sizes").items()}
    bounded = set(place.client.zrange(space + "unlisted", 0, -1))
    bounded |= set(place.client.zrange(space + "notes", 0, -1))
    assert set(sizes) == bounded
    assert int(place.client.hget(space + "meta", "bytes")) == sum(sizes.values())
    listed = set(place.client.zrange(space + "listed", 0, -1))
    assert not listed & bounded
    names = {key.removeprefix("f1:p:").encode() for key in place.keys_like("f1:p:*")}
    assert names == listed | bounded


@pytest.mark.parametrize("wrong", [10**15, -(10**15)])
@pytest.mark.parametrize("lost", ["sizes", "unlisted"])
def test_books_that_went_wrong_are_counted_anew(place: RedisPlace, wrong: int, lost: str) -> None:
    store = place.open()
    assert render(store, "/one", listed=False)
    place.client.hset(f"{place.space}:f1:meta", "bytes", wrong)
    # As a server may do that is short of memory.
    place.client.delete(f"{place.space}:f1:{lost}")
    if lost == "unlisted":
        place.client.hset(f"{place.space}:f1:sizes", "left", abs(wrong))
    for number in range(5):
        assert render(store, f"/{number}", listed=False)
    sizes = place.client.hvals(f"{place.space}:f1:sizes")
    assert int(place.client.hget(f"{place.space}:f1:meta", "bytes")) == sum(map(int, sizes))
    assert {f"/{number}" for number in range(1, 5)} <= set(place.open().paths())


def test_a_body_that_would_hold_everybody_up_stays_in_memory(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.redis_overlay._BODY_LIMIT", 1000)
    store = place.open()
    assert store.put(stored(body=b"x" * 2000))
    assert body(store) == b"x" * 2000
    assert place.keys_like("f1:p:*") == []


def test_of_more_tags_than_are_remembered_the_oldest_leave_a_floor(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.redis_tags.MAX_TAGS", 20)
    store = place.open()
    assert render(store, "/old", tags=("first",))
    for number in range(10):
        store.invalidate_tag(f"tag-{number}", time.time(), block=number == 0)
    assert render(store, "/new")
    for number in range(10, 22):
        store.invalidate_tag(f"tag-{number}", time.time(), block=False)
    assert place.client.zcard(f"{place.space}:tags:at") <= 20
    other = place.open()
    assert other.look("/old")[1].invalidated == "block", "the floor blocks, as the first tag did"
    assert other.look("/new")[1].quiet
    assert other.tag_moment("tag-21") > other.tag_moment("nothing") > 0


# What was lost


def test_a_server_that_lost_everything_gets_its_tags_back(place: RedisPlace) -> None:
    place.build(stored(tags=("posts",)), stored("/other"), now=time.time())
    store = place.open()
    store.invalidate_tag("posts", time.time(), block=True)
    assert render(store, "/made")
    for number in range(1200):  # more than are given back in one step
        place.overlays[-1]._watch._tags[f"tag-{number}"] = place.overlays[-1].marks(["posts"])
    wait_for(lambda: place.overlays[-1]._watch._tags_state, what="the first look at the tags")
    for key in place.keys_like():
        place.client.delete(f"{place.space}:{key}")
    wait_for(lambda: body(store, "/made") is None, what="the notice of the loss")
    wait_for(lambda: place.keys_like("tags:at"), what="the return of the tags")
    wait_for(lambda: place.open().tag_moment("tag-1199") > 0, what="the return of every tag")
    assert place.open().look("/about")[1].invalidated == "block"
    assert place.open().look("/other")[1].quiet
    assert render(store, "/made")
    assert render(store, tags=("posts",))
    assert place.open().look("/about")[1].quiet


def test_a_server_that_is_behind_has_everything_read_again(place: RedisPlace) -> None:
    store = place.open()
    for number in range(5):
        assert render(store, f"/{number}")
    overlay = place.overlays[-1]
    overlay._watch.ask()
    kept = store.get("/1")
    place.client.hset(f"{place.space}:f1:meta", "version", 3)  # a replica that lagged behind
    overlay._watch.ask()
    found = store.get("/1")
    assert found is not None
    assert found is not kept


def test_more_changes_than_the_log_holds_have_everything_read_again(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = place.open(), place.open()
    assert render(store, text=b"old")
    assert body(store) == b"old"
    watch = place.overlays[0]._watch
    watch.stop()
    watch.ask()
    assert render(other, text=b"new")
    space = f"{place.space}:f1:"
    place.client.delete(space + "log")
    version = int(place.client.hget(space + "meta", "version"))
    place.client.hset(space + "meta", mapping={"floor": version, "version": version + 1})
    watch.ask()
    assert body(store) == b"new"
    monkeypatch.setattr("asok.pages.redis_watch._CHANGES", 3)
    for number in range(10):
        assert render(store, f"/{number}")
    assert len(watch._changes) <= 3
    assert body(store) == b"new"


def test_the_log_is_bounded(place: RedisPlace) -> None:
    store = place.open()
    assert render(store)
    space = f"{place.space}:f1:"
    place.client.zadd(space + "log", {f"x{number}": -number for number in range(1, 10_001)})
    assert render(store)
    assert place.client.zcard(space + "log") == 9_001
    assert float(place.client.hget(space + "meta", "floor")) < 0


def test_a_clock_that_is_set_back_changes_no_order(place: RedisPlace) -> None:
    store = place.open()
    assert render(store, tags=("a",))
    ahead = int(time.time() * 1_000_000) + 10**9
    place.client.hset(f"{place.space}:tags:meta", "clock", ahead)  # as if it had been later before
    ticket = store.begin("/about")
    store.invalidate_tag("a", time.time(), block=False)
    assert not store.put(stored(tags=("a",), ticket=ticket), ticket=ticket)
    assert render(store, tags=("a",))
    assert place.open().look("/about")[1].quiet


# What nobody uses


def test_everything_of_a_fingerprint_expires_unless_it_is_used(place: RedisPlace) -> None:
    store = place.open(max_pages=3)
    for number in range(5):
        render(store, f"/{number}", listed=number == 0)
    store.invalidate("/note", 5.0, block=True)
    store.remove("/4", 5.0)
    overlay = place.overlays[-1]
    with store.lease("/a", 0):
        overlay._tick()
        for key in place.keys_like("f1:*"):
            assert place.client.pttl(f"{place.space}:{key}") > 0, key
    place.client.delete(f"{place.space}:f1:keeper")
    for key in place.keys_like("f1:*"):
        place.client.pexpire(f"{place.space}:{key}", 60_000)
    overlay._kept = 0.0
    overlay._tick()
    for key in place.keys_like("f1:*"):
        if not key.endswith("keeper"):
            assert place.client.pttl(f"{place.space}:{key}") > 86_400_000, key
    # Another worker leaves it to the one that has just done it.
    place.client.pexpire(f"{place.space}:f1:meta", 60_000)
    place.overlay()._tick()
    assert place.client.pttl(f"{place.space}:f1:meta") <= 60_000


def test_a_store_that_nobody_has_any_more_takes_its_thread_along(place: RedisPlace) -> None:
    store = place.open()
    watch = place.overlays[-1]._watch
    watch.interval = 0.01
    store.get("/about")
    thread = watch._thread
    assert thread is not None
    assert thread.is_alive()
    place.stores.clear()
    place.overlays.clear()
    del store, watch
    gc.collect()
    wait_for(lambda: not thread.is_alive(), what="the end of the thread")


def test_closing_ends_the_threads(place: RedisPlace) -> None:
    overlay = place.overlay()
    overlay.see("/a")
    with overlay.lease("/a", 0):
        threads = [one for one in threading.enumerate() if one.name.startswith("asok-")]
    assert threads
    overlay.close()
    overlay.close()
    assert overlay._watch._thread is not None
    assert not overlay._watch._thread.is_alive()


# Who came later


def test_a_render_that_lost_its_lease_does_not_replace_a_newer_page(place: RedisPlace) -> None:
    store, other = place.open(), place.open()
    ticket = store.begin("/about")
    assert render(other, text=b"newer")
    assert store.put(stored(body=b"older", ticket=ticket), ticket=ticket)
    assert body(store) == b"newer"


def test_a_render_that_began_while_redis_was_away_is_not_stored(place: RedisPlace) -> None:
    store = place.open()
    assert not store.put(stored(), ticket=Ticket(0, 0.0))
    assert store.get("/about") is None


def test_a_long_render_keeps_its_lease(place: RedisPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asok.redis_link.lease.LEASE_SECONDS", 0.2)
    store, other = place.open(), place.open()
    place.overlays[0]._leases.renewer.interval = 0.05
    with store.lease("/about", 0) as held:
        assert held
        time.sleep(0.5)
        with other.lease("/about", 0.05) as again:
            assert not again
        # A holder that was stopped for too long: another has it now, and keeps it.
        name = f"{place.space}:f1:l:{page_name('/about')}"
        place.client.set(name, "another")
    assert place.client.get(name) == b"another"


def test_a_note_that_changes_all_the_time_is_given_up(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.redis_overlay._ATTEMPTS", 3)
    overlay, other = place.overlay(), place.overlay()

    def change(note: Any) -> Any:
        other.update("/about", lambda seen: seen.after_invalidation(5.0, block=True))
        return note.after_invalidation(5.0, block=False)

    with pytest.raises(PagesUnavailable, match="changed 3 times"):
        overlay.update("/about", change)


# Foreign hands


def test_what_is_no_page_is_a_miss_and_heals(place: RedisPlace) -> None:
    store = place.open()
    key = f"{place.space}:f1:p:{page_name('/about')}"
    place.client.set(key, "text")
    assert store.look("/about")[0] is None
    assert render(store)
    place.client.delete(key)
    place.client.hset(key, mapping={"r": b"\xff", "b": b"", "n": b"{", "g": "many"})
    page, note = place.open().look("/about")
    assert page is None
    assert (note.generation, note.quiet) == (0, True)
    place.client.hset(key, "n", b'{"path":"/other","failures":3}')
    assert place.open().look("/about")[1].failures == 0
    assert list(place.open().paths()) == []


def test_a_page_of_another_path_is_a_miss(place: RedisPlace) -> None:
    store = place.open()
    assert render(store, "/a")
    record = place.client.hgetall(f"{place.space}:f1:p:{page_name('/a')}")
    place.client.hset(f"{place.space}:f1:p:{page_name('/b')}", mapping=record)
    assert place.open().get("/b") is None


def test_numbers_that_are_none_do_not_end_the_watch(
    place: RedisPlace, caplog: pytest.LogCaptureFixture
) -> None:
    store, other = place.open(), place.open()
    assert render(store, text=b"old")
    assert body(other) == b"old"
    watch = place.overlays[1]._watch
    place.client.hset(f"{place.space}:f1:meta", "version", "many")
    watch.tick()
    watch.tick()
    assert len([one for one in caplog.records if "can't be understood" in one.message]) == 1
    place.client.hset(f"{place.space}:f1:meta", "version", "7")
    assert render(store, text=b"new")
    wait_for(lambda: body(other) == b"new", what="the notice of the new page")


def test_many_pages_are_listed_in_steps(place: RedisPlace) -> None:
    store = place.open()
    for number in range(700):
        store.put(stored(f"/{number}", listed=number % 2 == 0))
    assert len(set(store.paths())) == 700
    store.clear()
    assert list(store.paths()) == []
    assert place.keys_like("f1:p:*") == []
    assert place.client.hget(f"{place.space}:f1:meta", "bytes") == b"0"


def test_pages_of_two_sites_over_one_server_share_their_tags_only(
    place: RedisPlace,
) -> None:
    one, two = place.open(fingerprint="f1"), place.open(fingerprint="f2")
    assert render(one, text=b"one")
    assert render(two, text=b"two")
    one.invalidate_tag(path_tag("/about"), time.time(), block=False)
    assert isinstance(place.stores[0], DiskStore)
    assert [body(place.open(fingerprint=name)) for name in ("f1", "f2")] == [b"one", b"two"]
    assert place.open(fingerprint="f2").look("/about")[1].invalidated == "stale"


def test_a_worker_remembers_a_bounded_number_of_tags(
    place: RedisPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.redis_watch._CHANGES", 20)
    monkeypatch.setattr("asok.pages.redis_tags.MAX_TAGS", 10)
    store, other = place.open(), place.open()
    assert render(store, tags=("tag-0",))
    assert other.look("/about")[1].quiet
    for number in range(100):
        store.invalidate_tag(f"tag-{number}", time.time(), block=False)
        if number % 10 == 0:
            place.overlays[1]._watch.ask()
    place.overlays[1]._watch.ask()
    assert len(place.overlays[1]._watch._tags) <= 20
    assert other.look("/about")[1].invalidated == "stale"
    assert store.look("/about")[1].invalidated == "stale"


def test_what_was_inherited_is_nothing_while_redis_is_away(tmp_path: Path) -> None:
    overlay = RedisOverlay(
        f"redis://127.0.0.1:{free_port()}/0", "f1", max_pages=10, max_bytes=10_000
    )
    assert overlay.inherited.get("/about") is None
    assert list(overlay.inherited.paths()) == []
    overlay.close()
