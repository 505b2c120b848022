"""Pages ready to be sent: one look-up while they are fresh, nothing else when not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asok.pages import DiskStore, Note, Prepared, Shelf, StoredPage, prepare

from .conftest import MakePage


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


@pytest.fixture
def clock() -> Clock:
    CLOCK.now = 1000.0
    return CLOCK


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "ssg_cache", fingerprint="f")


@pytest.fixture
def shelf(store: DiskStore, clock: Clock) -> Shelf:
    return Shelf(store, prepare, clock=clock)


def keep(store: DiskStore, shelf: Shelf, page: StoredPage) -> Prepared:
    store.put(page)
    stored = store.get(page.path)
    assert stored is not None
    return shelf.put(stored)


def test_a_fresh_page_is_found_and_prepared_once(
    store: DiskStore, shelf: Shelf, page: MakePage
) -> None:
    assert shelf.get("/about", CLOCK.now) is None
    prepared = keep(store, shelf, page())
    assert shelf.get("/about", CLOCK.now) is prepared
    assert shelf.put(prepared.page) is prepared


def test_a_page_leaves_when_it_gets_stale(
    store: DiskStore, shelf: Shelf, page: MakePage, clock: Clock
) -> None:
    keep(store, shelf, page(revalidate=60.0))
    clock.now += 59
    assert shelf.get("/about", CLOCK.now) is not None
    clock.now += 8
    assert shelf.get("/about", CLOCK.now) is None


def test_a_page_leaves_when_it_expires(
    store: DiskStore, shelf: Shelf, page: MakePage, clock: Clock
) -> None:
    keep(store, shelf, page(revalidate=600.0, expire=601.0))
    clock.now += 601
    assert shelf.get("/about", CLOCK.now) is None


CHANGES: list[Callable[[DiskStore, MakePage], object]] = [
    lambda store, page: store.put(page(body=b"new")),
    lambda store, page: store.remove("/about", 2000.0),
    lambda store, page: store.invalidate("/about", 2000.0, block=False),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_leaves_when_another_worker_changes_it(
    store: DiskStore,
    shelf: Shelf,
    page: MakePage,
    change: Callable[[DiskStore, MakePage], object],
) -> None:
    keep(store, shelf, page())
    assert shelf.get("/about", CLOCK.now) is not None
    change(DiskStore(store.folder, fingerprint="f"), page)
    assert shelf.get("/about", CLOCK.now) is None


def test_a_change_of_another_page_does_not_matter(
    store: DiskStore, shelf: Shelf, page: MakePage
) -> None:
    prepared = keep(store, shelf, page())
    DiskStore(store.folder, fingerprint="f").put(page("/other"))
    assert shelf.get("/about", CLOCK.now) is prepared


def test_a_page_that_was_only_invalidated_leaves_too(
    store: DiskStore, shelf: Shelf, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may keep the page's object and change its note alone."""
    prepared = keep(store, shelf, page())
    assert [shelf.get("/about", CLOCK.now) for _ in range(2)] == [prepared] * 2

    def look(path: str) -> tuple[StoredPage, Note]:
        return prepared.page, Note(path=path, invalidated="block")

    store.put(page("/other"))
    monkeypatch.setattr(store, "look", look)
    assert shelf.get("/about", CLOCK.now) is None
