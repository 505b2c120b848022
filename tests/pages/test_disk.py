"""The store on the disk: what comes back, what heals, what wins, what is bounded."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asok.errors import ConfigurationError
from asok.pages import DiskStore, ReleaseDraft, StoredPage, Ticket
from asok.pages.file_overlay import FileOverlay
from asok.pages.names import page_name

from .conftest import MakePage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ssg_cache"


@pytest.fixture
def store(folder: Path) -> DiskStore:
    return DiskStore(folder, fingerprint="f1")


def build(folder: Path, *pages: StoredPage, fingerprint: str = "f1", now: float = 1000.0) -> None:
    with ReleaseDraft(folder, fingerprint=fingerprint, now=now) as draft:
        for page in pages:
            draft.add_page(page)
        draft.publish()


def body(store: DiskStore, path: str) -> bytes | None:
    page = store.get(path)
    return page.holed.body if page else None


def files(folder: Path, pattern: str = "**/*") -> Iterator[Path]:
    return (file for file in folder.glob(pattern) if file.is_file())


def test_a_page_comes_back_and_stays_the_same_object(store: DiskStore, page: MakePage) -> None:
    assert store.get("/about") is None
    assert store.put(page())
    assert body(store, "/about") == b"<h1>About</h1>"
    assert store.get("/about") is store.get("/about")
    assert list(store.paths()) == ["/about"]
    assert store.listed("/about") is None


def test_a_stored_body_is_readable_html_under_a_readable_name(
    folder: Path, store: DiskStore, page: MakePage
) -> None:
    store.put(page("/blog/hello", b"<h1>Hi</h1>"))
    (file,) = files(folder, "**/*.html")
    assert file.name.startswith("blog-hello.")
    assert file.read_bytes() == b"<h1>Hi</h1>"


def test_another_workers_write_is_noticed(folder: Path, store: DiskStore, page: MakePage) -> None:
    store.put(page(body=b"one"))
    assert body(store, "/about") == b"one"
    other, before = DiskStore(folder, fingerprint="f1"), store.version()
    other.put(page(body=b"two"))
    assert store.version() != before
    assert body(store, "/about") == b"two"
    other.remove("/about", 5.0)
    assert store.get("/about") is None
    other.put(page(body=b"three"))
    other.clear()
    assert store.get("/about") is None
    assert list(store.paths()) == []


def test_an_unrelated_write_keeps_what_was_read(
    folder: Path, store: DiskStore, page: MakePage
) -> None:
    store.put(page())
    kept = store.get("/about")
    DiskStore(folder, fingerprint="f1").put(page("/other"))
    assert store.get("/about") is kept


def test_a_write_replaces_the_body_and_leaves_no_other_file(
    folder: Path, store: DiskStore, page: MakePage
) -> None:
    for number in range(5):
        store.put(page(body=b"%d" % number))
    store.put(page(body=b"4"))
    assert body(store, "/about") == b"4"
    assert len(list(files(folder, "**/listed/*"))) == 2


def look(store: DiskStore, key: str) -> tuple[bytes | None, str]:
    found, note = store.look(key)
    return (found.holed.body if found else None, note.invalidated)


def test_what_earlier_code_made_is_stale_until_this_code_made_its_own(
    folder: Path, page: MakePage
) -> None:
    old = DiskStore(folder, fingerprint="f1")
    old.put(page("/made", b"first", listed=False, rendered_at=5.0))
    older = DiskStore(folder, fingerprint="f0")
    older.put(page("/made", b"zeroth", listed=False, rendered_at=4.0))
    store = DiskStore(folder, fingerprint="f2")
    assert look(store, "/made") == (b"first", "stale")
    assert "/made" in list(store.paths())
    # A failure is counted for this code, and keeps the page.
    store.fail("/made", 100.0, revalidate=None, error="down")
    assert look(store, "/made") == (b"first", "stale")
    assert store.look("/made")[1].retry_at == 103.0
    assert old.look("/made")[1].quiet
    store.put(page("/made", b"second", listed=False, rendered_at=6.0))
    assert look(store, "/made") == (b"second", "")
    assert look(old, "/made") == (b"first", ""), "its workers may still run"


def test_an_inherited_page_that_answers_404_is_gone(folder: Path, page: MakePage) -> None:
    DiskStore(folder, fingerprint="f1").put(page("/made", listed=False))
    store = DiskStore(folder, fingerprint="f2")
    store.remove("/made", 5.0)
    assert look(store, "/made") == (None, "")
    assert look(DiskStore(folder, fingerprint="f2"), "/made") == (None, "")
    store.put(page("/made", b"back", listed=False))
    assert look(store, "/made") == (b"back", "")


def test_an_invalidated_tag_reaches_inherited_pages(folder: Path, page: MakePage) -> None:
    DiskStore(folder, fingerprint="f1").put(page("/made", listed=False))
    store = DiskStore(folder, fingerprint="f2")
    store.invalidate_tag("\0path:/made", 5.0, block=True)
    assert look(store, "/made") == (b"<h1>About</h1>", "block")


def test_a_new_build_is_never_shadowed_by_what_earlier_code_made(
    folder: Path, page: MakePage
) -> None:
    build(folder, page("/listed", b"built"), page("/delisted", b"built"))
    old = DiskStore(folder)
    for path in ("/listed", "/delisted"):
        old.put(page(path, b"regenerated", rendered_at=9000.0))
    old.put(page("/made", b"made", rendered_at=9000.0, listed=False))
    old.put(page("/now-listed", b"made", rendered_at=9000.0, listed=False))
    build(
        folder,
        page("/listed", b"built anew", rendered_at=8000.0),
        page("/now-listed", b"built anew", rendered_at=8000.0),
        fingerprint="f2",
        now=8000.0,
    )
    store = DiskStore(folder)
    assert look(store, "/listed") == (b"built anew", "")
    assert look(store, "/now-listed") == (b"built anew", "")
    assert look(store, "/delisted") == (None, "")
    assert look(store, "/made") == (b"made", "stale")


def test_without_builds_every_page_is_inherited(folder: Path, page: MakePage) -> None:
    DiskStore(folder, fingerprint="f1").put(page())
    assert look(DiskStore(folder, fingerprint="f2"), "/about") == (b"<h1>About</h1>", "stale")


def test_only_code_whose_release_is_kept_leaves_something(folder: Path, page: MakePage) -> None:
    for number in range(5):
        build(folder, page("/listed"), fingerprint=f"f{number}", now=1000.0 + number)
        DiskStore(folder).put(page(f"/made/{number}", listed=False))
    left = {path for path in DiskStore(folder).paths() if path.startswith("/made/")}
    assert left == {"/made/2", "/made/3", "/made/4"}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"format": 1', b"\xff\x00" * 50])
@pytest.mark.parametrize("suffix", [".json", ".html"])
def test_a_damaged_file_is_a_miss_and_heals(
    folder: Path, store: DiskStore, page: MakePage, data: bytes, suffix: str
) -> None:
    store.put(page())
    (file,) = files(folder, f"**/listed/*{suffix}")
    file.write_bytes(data)
    fresh = DiskStore(folder, fingerprint="f1")
    assert fresh.get("/about") is None
    assert fresh.put(page())
    assert body(fresh, "/about") == b"<h1>About</h1>"
    assert body(DiskStore(folder, fingerprint="f1"), "/about") == b"<h1>About</h1>"


def test_a_record_of_another_path_or_with_a_path_in_it_is_a_miss(
    folder: Path, store: DiskStore, page: MakePage
) -> None:
    store.put(page("/a"))
    (record,) = files(folder, "**/listed/*.json")
    foreign = record.with_name(page_name("/b") + ".json")
    foreign.write_bytes(record.read_bytes())
    fresh = DiskStore(folder, fingerprint="f1")
    assert fresh.get("/b") is None
    secret = folder / "secret"
    secret.write_bytes(b"<h1>About</h1>")
    record.write_bytes(record.read_bytes().replace(b'"body":"', b'"body":"../../../secret?'))
    assert fresh.get("/a") is None
    fresh.put(page("/a"))
    assert secret.exists()


def test_a_damaged_note_is_an_empty_one(folder: Path, store: DiskStore) -> None:
    store.invalidate("/a", 5.0, block=True)
    (note,) = files(folder, "**/notes/*")
    note.write_bytes(b"{")
    assert DiskStore(folder, fingerprint="f1").look("/a")[1].quiet


def test_an_invalidation_during_a_render_wins(store: DiskStore, page: MakePage) -> None:
    store.put(page(body=b"old"))
    ticket = store.begin("/about")
    store.invalidate("/about", 5.0, block=True)
    assert not store.put(page(body=b"made meanwhile"), ticket=ticket)
    stored, note = store.look("/about")
    assert stored is not None
    assert (stored.holed.body, note.invalidated) == (b"old", "block")
    assert store.put(page(body=b"new"), ticket=store.begin("/about"))
    stored, note = store.look("/about")
    assert stored is not None
    assert (stored.holed.body, note.quiet, note.generation) == (b"new", True, 1)


def test_a_failure_is_known_to_every_worker_until_the_next_success(
    folder: Path, store: DiskStore, page: MakePage
) -> None:
    store.put(page())
    other = DiskStore(folder, fingerprint="f1")
    assert other.look("/about")[1].quiet
    store.fail("/about", 10.0, revalidate=5.0, error="ValueError: x")
    note = other.look("/about")[1]
    assert (note.failures, note.retry_at, note.error) == (1, 15.0, "ValueError: x")
    other.put(page())
    assert store.look("/about")[1].quiet


def test_the_release_is_served_and_the_newer_of_two_wins(folder: Path, page: MakePage) -> None:
    build(folder, page(body=b"built", rendered_at=1000.0), page("/gone", rendered_at=1000.0))
    store = DiskStore(folder)
    assert store.fingerprint == "f1"
    assert body(store, "/about") == b"built"
    assert store.listed("/about") is True
    assert store.listed("/other") is False
    assert sorted(store.paths()) == ["/about", "/gone"]
    store.put(page(body=b"regenerated", rendered_at=2000.0))
    assert body(store, "/about") == b"regenerated"
    # A new build of the same code, later: the preserved overlay must not hide it.
    build(folder, page(body=b"built again", rendered_at=3000.0), now=3000.0)
    assert body(store, "/about") == b"regenerated"
    newer = DiskStore(folder)
    assert body(newer, "/about") == b"built again"
    assert newer.get("/gone") is None


def test_a_delisted_page_is_gone_and_one_made_on_demand_stays(folder: Path, page: MakePage) -> None:
    build(folder, page("/listed"))
    store = DiskStore(folder)
    store.put(page("/listed", b"again", rendered_at=2000.0))
    store.put(page("/demand", b"made", rendered_at=2000.0, listed=False))
    build(folder, page("/other", rendered_at=3000.0), now=3000.0)
    newer = DiskStore(folder)
    assert newer.get("/listed") is None
    assert body(newer, "/demand") == b"made"


def test_a_page_of_the_release_that_answers_404_is_hidden_until_it_is_back(
    folder: Path, page: MakePage
) -> None:
    build(folder, page(body=b"built", rendered_at=1000.0))
    store = DiskStore(folder)
    store.remove("/about", 2000.0)
    assert store.get("/about") is None
    store.put(page(body=b"back", rendered_at=2500.0))
    assert body(store, "/about") == b"back"
    store.remove("/about", 3000.0)
    build(folder, page(body=b"built again", rendered_at=4000.0), now=4000.0)
    assert body(DiskStore(folder), "/about") == b"built again"


def test_an_invalidation_older_than_the_build_is_done_with(folder: Path, page: MakePage) -> None:
    build(folder, page(rendered_at=1000.0))
    DiskStore(folder).invalidate("/about", 2000.0, block=True)
    assert DiskStore(folder).look("/about")[1].invalidated == "block"
    build(folder, page(rendered_at=3000.0), now=3000.0)
    assert DiskStore(folder).look("/about")[1].quiet


def test_a_damaged_page_of_the_release_is_a_miss(
    folder: Path, page: MakePage, caplog: pytest.LogCaptureFixture
) -> None:
    build(folder, page())
    (file,) = files(folder, "pages/*.html")
    file.write_bytes(b"<h1>Ab")
    store = DiskStore(folder)
    assert store.get("/about") is None
    assert "/about counts as missing" in caplog.text
    store.put(page(rendered_at=2000.0))
    assert body(store, "/about") == b"<h1>About</h1>"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"format": 99, "fingerprint": "f", "created": 1, "pages": []}']
)
def test_a_damaged_manifest_is_no_release_and_is_logged(
    folder: Path, page: MakePage, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    build(folder, page())
    (file,) = files(folder, "releases/*/manifest.json")
    file.write_bytes(damage)
    assert DiskStore(folder).release is None
    assert "asok build" in caplog.text


@pytest.mark.parametrize("pointer", ["", "../elsewhere", ".tmp-x", "nothing-here"])
def test_a_pointer_to_nothing_is_no_release(
    folder: Path, pointer: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir()
    (folder / "current").write_text(pointer)
    assert DiskStore(folder).release is None
    assert "can't be read" in caplog.text


def test_code_without_its_own_build_stores_pages_that_the_old_build_does_not_know(
    folder: Path, page: MakePage
) -> None:
    build(folder, page(body=b"built"))
    store = DiskStore(folder, fingerprint="f2")
    assert (store.listed("/about"), store.listed("/new")) == (True, None)
    store.put(page("/new", rendered_at=2000.0))
    assert look(store, "/new") == (b"<h1>About</h1>", "")
    build(folder, page(body=b"built"), fingerprint="f2", now=3000.0)
    assert DiskStore(folder).get("/new") is None, "its own build doesn't list it"


def test_clearing_leaves_nothing_to_inherit(folder: Path, page: MakePage) -> None:
    for name in ("f1", "f2"):
        DiskStore(folder, fingerprint=name).put(page("/made", listed=False))
    other = DiskStore(folder, fingerprint="f1")
    assert other.get("/made") is not None
    DiskStore(folder, fingerprint="f2").clear()
    assert DiskStore(folder, fingerprint="f3").get("/made") is None
    assert other.get("/made") is None


def test_code_without_its_own_build_is_told(folder: Path, page: MakePage) -> None:
    build(folder, page())
    assert not DiskStore(folder).outdated
    store = DiskStore(folder, fingerprint="f2")
    assert store.outdated
    assert body(store, "/about") == b"<h1>About</h1>"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\0b"])
def test_a_fingerprint_is_a_file_name(folder: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="fingerprint"):
        DiskStore(folder, fingerprint=name)


@pytest.mark.parametrize("bound", ["max_pages", "max_bytes", "memory"])
def test_a_bound_is_at_least_one(folder: Path, bound: str) -> None:
    with pytest.raises(ConfigurationError, match=bound):
        DiskStore(folder, **{bound: 0})  # type: ignore[arg-type]


def fail_writes(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("asok.pages.page_folder.atomic.write", refuse)


@pytest.mark.parametrize("code", [28, 13, 5, 30])
def test_a_full_or_broken_disk_still_serves_and_keeps_the_old_file(
    folder: Path,
    store: DiskStore,
    page: MakePage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    store.put(page(body=b"old"))
    with monkeypatch.context() as patch:
        fail_writes(patch, code)
        assert store.put(page(body=b"new"))
        assert store.put(page("/other", b"other", listed=False))
        assert (body(store, "/about"), body(store, "/other")) == (b"new", b"other")
        note = store.fail("/about", 10.0, revalidate=None, error="x")
        assert store.look("/about")[1] == note
        assert store.invalidate("/nothing", 10.0, block=True).generation == 1
        ticket = Ticket(note.generation + 1, 0.0)
        assert not store.put(page(), ticket=ticket)
    assert len([entry for entry in caplog.records if entry.levelno == logging.ERROR]) == 1
    assert body(DiskStore(folder, fingerprint="f1"), "/about") == b"old"


def test_a_folder_that_can_not_be_made_still_serves(
    tmp_path: Path, page: MakePage, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    store = DiskStore(tmp_path / "file" / "ssg_cache", fingerprint="f1")
    assert store.put(page())
    assert body(store, "/about") == b"<h1>About</h1>"
    with store.lease("/about", 0) as held:
        assert held
    store.remove("/about", 5.0)
    assert store.get("/about") is None
    assert "served from memory" in caplog.text


class Failing:
    """An overlay whose medium can fail: everything but the version and the pages in memory."""

    def __init__(self, overlay: FileOverlay) -> None:
        self._overlay = overlay
        self.remote = False
        self.down = False
        self.version = overlay.version

    def __getattr__(self, name: str) -> Any:
        if self.down:
            raise ConnectionError(f"{name}: nobody answers")
        return getattr(self._overlay, name)


def test_an_overlay_that_can_not_be_reached_leaves_what_is_known(
    folder: Path, page: MakePage, caplog: pytest.LogCaptureFixture
) -> None:
    build(folder, page(body=b"built"), page("/other", b"built"))
    overlay: Any = Failing(FileOverlay(folder, "f1", max_pages=10, max_bytes=10**6))
    store = DiskStore(folder, overlay=overlay)
    store.put(page(body=b"again", rendered_at=2000.0))
    store.put(page("/made", b"made", rendered_at=2000.0, listed=False))
    assert body(store, "/about") == b"again"
    overlay.down = True
    # Another process writes meanwhile, so the version changes.
    DiskStore(folder).put(page("/elsewhere", listed=False))
    assert body(store, "/about") == b"again"
    assert body(store, "/other") == b"built"
    assert store.get("/made") is None
    assert sorted(store.paths()) == ["/about", "/other"]
    store.invalidate_tag("posts", 1.0, block=True)
    assert store.tag_moment("posts") == 0.0
    ticket = store.begin("/about")
    assert ticket == (0, 0.0)
    assert store.fail("/about", 10.0, revalidate=None, error="x").failures == 1
    assert store.look("/about")[1].failures == 1
    assert store.put(page(body=b"from memory", rendered_at=3000.0), ticket=ticket)
    assert body(store, "/about") == b"from memory"
    with store.lease("/about", 0) as held:
        assert held
    store.remove("/made", 5.0)
    assert len([entry for entry in caplog.records if entry.levelno == logging.ERROR]) == 1
    overlay.down = False
    assert body(store, "/made") == b"made"
    assert body(DiskStore(folder), "/about") == b"again"


def test_a_page_in_memory_is_not_replaced_by_an_overtaken_one(
    folder: Path, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DiskStore(folder, fingerprint="f1")
    ticket = store.begin("/about")
    store.invalidate_tag("\0path:/about", 0.0, block=True)
    fail_writes(monkeypatch, 28)
    late = dataclasses.replace(page(), moment=ticket.moment)
    assert not store.put(late, ticket=ticket)
    assert store.get("/about") is None


def test_pages_made_on_demand_are_bounded_in_number(folder: Path, page: MakePage) -> None:
    store = DiskStore(folder, fingerprint="f1", max_pages=20)
    store.put(page("/listed"))
    for number in range(100):
        store.put(page(f"/made/{number}", b"x", listed=False))
        assert len(list(files(folder, "**/unlisted/*.json"))) <= 20
    assert len(list(files(folder, "**/unlisted/*"))) <= 40
    assert store.get("/listed") is not None
    assert store.get("/made/99") is not None


def test_pages_made_on_demand_are_bounded_in_bytes(folder: Path, page: MakePage) -> None:
    store = DiskStore(folder, fingerprint="f1", max_bytes=400_000)
    for number in range(40):
        store.put(page(f"/made/{number}", b"%05d" % number * 6000, listed=False))
    left = list(files(folder, "**/unlisted/*"))
    assert sum(file.stat().st_size for file in left) <= 400_000
    assert body(store, "/made/39") == b"00039" * 6000


def test_the_least_recently_used_leave_first(folder: Path, page: MakePage) -> None:
    store = DiskStore(folder, fingerprint="f1", max_pages=10)
    for number in range(10):
        store.put(page(f"/{number}", listed=False))
        record = next(files(folder, f"**/unlisted/{page_name(f'/{number}')}.json"))
        os.utime(record, ns=(number * 10**9, record.stat().st_mtime_ns))
    store._overlay.touch("/0")  # pyright: ignore[reportPrivateUsage]
    store.put(page("/new", listed=False))
    assert store.get("/0") is not None
    assert store.get("/new") is not None
    assert store.get("/1") is None
    assert store.get("/9") is not None


def test_serving_a_page_made_on_demand_marks_it_as_used(
    folder: Path, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.disk._TOUCH_EVERY", -1.0)
    store = DiskStore(folder, fingerprint="f1")
    store.put(page("/a", listed=False))
    (record,) = files(folder, "**/unlisted/*.json")
    os.utime(record, ns=(10**9, record.stat().st_mtime_ns))
    kept, before = store.get("/a"), record.stat()
    assert store.get("/a") is kept
    assert record.stat().st_atime_ns > before.st_atime_ns
    assert record.stat().st_mtime_ns == before.st_mtime_ns
    DiskStore(folder, fingerprint="f1").put(page("/b"))
    assert store.get("/a") is kept


def test_a_page_that_gets_listed_leaves_the_unlisted(
    folder: Path, store: DiskStore, page: MakePage
) -> None:
    store.put(page(body=b"demand", listed=False))
    store.put(page(body=b"listed"))
    assert not list(files(folder, "**/unlisted/*"))
    assert body(store, "/about") == b"listed"
    store.remove("/about", 5.0)
    assert not list(files(folder, "**/*.html"))


def test_an_eviction_removes_what_killed_writers_left(folder: Path, page: MakePage) -> None:
    store = DiskStore(folder, fingerprint="f1", max_pages=4)
    store.put(page("/keep", b"now", listed=False))
    unlisted = folder / "overlay" / "f1" / "unlisted"
    (unlisted / ".tmp-0123").write_bytes(b"half")
    (unlisted / "orphan.aa.bb.html").write_bytes(b"no record")
    (unlisted / f"{page_name('/keep')}.0000.html").write_bytes(b"an older body")
    old = folder / "overlay" / "f1" / "notes"
    store.invalidate("/quiet", 1.0, block=True)
    store.put(page("/quiet"))
    store.invalidate("/loud", 1.0, block=True)
    for note in old.iterdir():
        os.utime(note, (1, 1))
    for number in range(4):
        store.put(page(f"/{number}", listed=False))
    names = {file.name for file in unlisted.iterdir()}
    assert not any(name.startswith((".tmp", "orphan")) for name in names)
    assert all(name.endswith((".json", ".html")) for name in names)
    assert len([name for name in names if name.endswith(".html")]) == len(
        [name for name in names if name.endswith(".json")]
    )
    assert [note.name.split(".")[0] for note in old.iterdir()] == ["loud"]


def test_what_is_noted_of_pages_that_leave_leaves_with_them(folder: Path, page: MakePage) -> None:
    """Made-up addresses whose regeneration fails must not fill the disk with notes."""
    store = DiskStore(folder, fingerprint="f1", max_pages=10)
    for number in range(100):
        store.put(page(f"/made/{number}", listed=False))
        store.fail(f"/made/{number}", 10.0, revalidate=None, error="down")
    assert len(list(files(folder, "**/notes/*"))) <= 10
    store.remove("/made/99", 20.0)
    assert store.look("/made/99")[1].quiet


def test_delisted_pages_leave_the_disk_at_the_next_build(folder: Path, page: MakePage) -> None:
    build(folder, page("/kept"), page("/delisted"))
    store = DiskStore(folder)
    for path in ("/kept", "/delisted"):
        store.put(page(path, b"again", rendered_at=2000.0))
    store.put(page("/made", listed=False))
    build(folder, page("/kept", rendered_at=1500.0), now=1500.0)
    names = {file.name.split(".")[0] for file in files(folder, "overlay/**/*.json")}
    assert names == {"kept", "made"}
    assert body(DiskStore(folder), "/kept") == b"again"
    assert DiskStore(folder).get("/delisted") is None


def test_the_first_build_keeps_what_was_made_without_one(folder: Path, page: MakePage) -> None:
    for number, name in enumerate(("older", "last")):
        DiskStore(folder, fingerprint=name).put(page(f"/{name}", listed=False))
        for part in ("listed", "unlisted"):
            os.utime(folder / "overlay" / name / part, (number, number))
    build(folder, page("/listed"), fingerprint="f2")
    store = DiskStore(folder)
    assert look(store, "/last") == (b"<h1>About</h1>", "stale")
    assert look(store, "/older") == (None, "")


def test_a_lease_is_held_by_one(folder: Path, store: DiskStore) -> None:
    other = DiskStore(folder, fingerprint="f1")
    with store.lease("/a", 0) as first, other.lease("/a", 0.05) as second:
        assert first
        assert not second
    with other.lease("/a", 0) as again:
        assert again


def test_a_lease_passes_on_to_who_waits(folder: Path, store: DiskStore) -> None:
    other, got, holding = DiskStore(folder, fingerprint="f1"), list[bool](), threading.Event()

    def wait() -> None:
        holding.wait()
        with other.lease("/a", 30) as held:
            got.append(held)

    thread = threading.Thread(target=wait)
    thread.start()
    with store.lease("/a", 0):
        holding.set()
    thread.join()
    assert got == [True]


def test_writers_and_readers_at_once_see_whole_pages(folder: Path, page: MakePage) -> None:
    errors: list[str] = []
    stop = threading.Event()

    def write(mark: bytes) -> None:
        store = DiskStore(folder, fingerprint="f1")
        for number in range(60):
            store.put(page(body=mark * (2000 + number), listed=number % 2 == 0))
        stop.set()

    def read() -> None:
        store = DiskStore(folder, fingerprint="f1")
        while not stop.is_set():
            found = body(store, "/about")
            if found is None or len(set(found)) != 1:
                errors.append(repr(found and found[:20]))

    DiskStore(folder, fingerprint="f1").put(page(body=b"0"))
    threads = [threading.Thread(target=write, args=(mark,)) for mark in (b"a", b"b")]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
