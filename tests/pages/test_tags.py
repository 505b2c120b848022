"""Invalidation by tag: what it reaches, what it outruns, and what it leaves alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from asok.pages import (
    DiskStore,
    Mark,
    Note,
    ReleaseDraft,
    StoredPage,
    Ticket,
    decide,
    page_tags,
    path_tag,
    route_tag,
)
from asok.pages.journal import TagJournal

from .conftest import MakePage


class Clock:
    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ssg_cache"


@pytest.fixture
def store(folder: Path, clock: Clock) -> DiskStore:
    return DiskStore(folder, fingerprint="f1", clock=clock)


def tagged(page: StoredPage, *tags: str, pattern: str | None = None) -> StoredPage:
    return dataclasses.replace(page, tags=tags, pattern=pattern or page.pattern)


def put(store: DiskStore, page: StoredPage) -> bool:
    ticket = store.begin(page.path)
    return store.put(dataclasses.replace(page, moment=ticket.moment), ticket=ticket)


def note(store: DiskStore, key: str = "/about") -> Note:
    return store.look(key)[1]


def test_a_page_has_its_own_tags_and_those_of_its_path_and_pattern(page: MakePage) -> None:
    made = tagged(page("/blog/a\0page=2"), "posts", pattern="/blog/[slug]")
    assert page_tags(made) == ("posts", "\0path:/blog/a", "\0route:/blog/[slug]")
    assert path_tag("/blog/a") == path_tag("/blog/a\0page=2")


@pytest.mark.parametrize("tag", ["posts", path_tag("/about"), route_tag("/about")])
@pytest.mark.parametrize(("block", "how"), [(False, "stale"), (True, "block")])
def test_every_worker_and_every_release_sees_an_invalidation(
    folder: Path, store: DiskStore, clock: Clock, page: MakePage, tag: str, block: bool, how: str
) -> None:
    other = DiskStore(folder, fingerprint="f1", clock=clock)
    newer = DiskStore(folder, fingerprint="f2", clock=clock)
    for each in (store, newer):
        put(each, tagged(page(), "posts"))
    put(store, tagged(page("/other"), "authors"))
    assert all(note(each).quiet for each in (store, other, newer))
    kept, before = other.get("/about"), other.version()
    clock.now += 5
    store.invalidate_tag(tag, clock.now, block=block)
    assert other.version() != before
    for each in (store, other, newer, DiskStore(folder, fingerprint="f1")):
        assert note(each).invalidated == how
        assert each.tag_moment(tag) == clock.now
        assert each.tag_moment("authors") == 0.0
        assert each.tag_moment("authors", tag) == clock.now
    assert other.get("/about") is kept, "the same object: nothing of it was written"
    assert note(other, "/other").quiet


def test_a_page_made_after_the_invalidation_is_fresh(
    store: DiskStore, clock: Clock, page: MakePage
) -> None:
    put(store, tagged(page(body=b"old"), "posts"))
    store.invalidate_tag("posts", clock.now, block=True)
    assert note(store).invalidated == "block"
    assert put(store, tagged(page(body=b"new"), "posts"))
    assert note(store).quiet


def test_an_invalidation_of_a_tag_during_a_render_wins(
    folder: Path, store: DiskStore, page: MakePage, clock: Clock
) -> None:
    put(store, tagged(page(body=b"old"), "posts"))
    ticket = store.begin("/about")
    # In the same instant by the clock, and by another process.
    DiskStore(folder, fingerprint="f2", clock=clock).invalidate_tag("posts", 1.0, block=False)
    assert not store.put(tagged(page(body=b"meanwhile"), "posts"), ticket=ticket)
    assert store.put(tagged(page(body=b"other tag"), "authors"), ticket=ticket)
    assert not store.put(
        tagged(page(body=b"both"), "authors", "posts"), ticket=Ticket(0, ticket.moment)
    )
    assert put(store, tagged(page(body=b"after"), "posts"))


def test_the_stricter_of_two_invalidations_counts(store: DiskStore, page: MakePage) -> None:
    put(store, tagged(page(), "a", "b"))
    store.invalidate_tag("a", 0.0, block=True)
    store.invalidate_tag("b", 0.0, block=False)
    assert note(store).invalidated == "block"
    put(store, tagged(page(), "a", "b"))
    store.invalidate_tag("a", 0.0, block=False)
    assert note(store).invalidated == "stale"
    store.invalidate("/about", 1.0, block=True)
    assert note(store).invalidated == "block"


def test_pages_of_the_release_are_reached_too(folder: Path, clock: Clock, page: MakePage) -> None:
    with ReleaseDraft(folder, fingerprint="f1", now=clock.now) as draft:
        draft.add_page(tagged(page(rendered_at=clock.now), "posts"))
        draft.publish()
    store = DiskStore(folder, clock=clock)
    clock.now += 5
    store.invalidate_tag("posts", clock.now, block=False)
    assert note(store).invalidated == "stale"
    clock.now += 5
    with ReleaseDraft(folder, fingerprint="f1", now=clock.now) as draft:
        draft.add_page(tagged(page(rendered_at=clock.now), "posts"))
        draft.publish()
    assert note(DiskStore(folder, clock=clock)).quiet


def test_failures_from_before_are_forgotten_and_counted_anew(
    store: DiskStore, clock: Clock, page: MakePage
) -> None:
    put(store, tagged(page(), "posts"))
    for _ in range(4):
        store.fail("/about", clock.now, revalidate=60.0, error="down")
    assert note(store).failures == 4
    clock.now += 5
    store.invalidate_tag("posts", clock.now, block=False)
    assert (note(store).failures, note(store).retry_at, note(store).error) == (0, 0.0, "")
    clock.now -= 1  # even if the clock went back
    store.fail("/about", clock.now, revalidate=60.0, error="down again")
    failed = note(store)
    assert (failed.failures, failed.error, failed.invalidated) == (1, "down again", "stale")
    assert failed.retry_at == clock.now + 30
    store.fail("/about", clock.now, revalidate=60.0, error="down again")
    assert note(store).failures == 2


def test_a_clock_that_goes_back_loses_no_invalidation(
    folder: Path, store: DiskStore, clock: Clock, page: MakePage
) -> None:
    put(store, tagged(page(), "posts"))
    other = DiskStore(folder, fingerprint="f2", clock=lambda: clock.now - 30)
    other.invalidate_tag("posts", 0.0, block=False)
    assert note(store).invalidated == "stale"
    assert put(other, tagged(page(), "posts"))
    assert note(other).quiet
    other.invalidate_tag("posts", 0.0, block=False)
    assert note(other).invalidated == "stale"


def test_a_clock_that_was_far_ahead_does_not_hold_up_later_pages(
    folder: Path, store: DiskStore, clock: Clock, page: MakePage
) -> None:
    ahead = DiskStore(folder, fingerprint="f2", clock=lambda: clock.now + 10**9)
    ahead.begin("/about")
    put(store, tagged(page(), "posts"))
    store.invalidate_tag("posts", clock.now, block=False)
    assert store.tag_moment("posts") < clock.now + 60
    ahead.invalidate_tag("posts", clock.now, block=False)
    assert note(store).invalidated == "stale"
    assert put(store, tagged(page(), "posts"))
    assert note(store).quiet


def test_an_old_record_counts_from_when_it_was_rendered(page: MakePage) -> None:
    assert page(rendered_at=7.0).moment == 7.0
    assert dataclasses.replace(page(rendered_at=7.0), moment=9.0).moment == 9.0


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("posts", 'its tag "posts" was invalidated'),
        (path_tag("/about"), "its path was invalidated"),
        (route_tag("/about"), "every page of /about was invalidated"),
    ],
)
def test_the_reason_is_said(store: DiskStore, page: MakePage, tag: str, reason: str) -> None:
    put(store, tagged(page(), "authors", "posts"))
    store.invalidate_tag(tag, 0.0, block=False)
    found, seen = store.look("/about")
    assert decide(found, 10_000.0, note=seen).reason == reason
    store.fail("/about", 10_001.0, revalidate=None, error="down")
    found, seen = store.look("/about")
    assert decide(found, 10_001.0, note=seen).reason == f"{reason}; 1 failed, next try in 3 s"


def test_what_is_no_longer_remembered_is_said_too(
    folder: Path, clock: Clock, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TagJournal.__init__, "__kwdefaults__", {"max_tags": 5})
    store = DiskStore(folder, fingerprint="f1", clock=clock)
    put(store, tagged(page(), "posts"))
    for number in range(6):
        clock.now += 1
        store.invalidate_tag(f"tag:{number}", 0.0, block=False)
    found, seen = store.look("/about")
    assert "too long ago" in decide(found, clock.now, note=seen).reason


def test_marks_of_several_tags_are_joined() -> None:
    assert Mark(5.0, 1.0).later(Mark(3.0, 2.0)) == Mark(5.0, 2.0)


def test_a_store_that_can_not_be_written_says_so_and_goes_on(
    tmp_path: Path, page: MakePage, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    store = DiskStore(tmp_path / "file" / "ssg_cache", fingerprint="f1")
    store.invalidate_tag("posts", 1.0, block=True)
    assert "can't invalidate the tag posts" in caplog.text
    assert put(store, tagged(page(), "posts"))
    assert note(store).quiet
