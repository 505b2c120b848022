"""Builds: one at a time, published whole, kept while somebody reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asok.errors import FreezeError
from asok.pages import DiskStore, Release, ReleaseDraft
from asok.pages.pruning import KEPT_RELEASES

from .conftest import MakePage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ssg_cache"


def build(folder: Path, page: MakePage, body: bytes, *, now: float, fingerprint: str = "f") -> None:
    with ReleaseDraft(folder, fingerprint=fingerprint, now=now) as draft:
        draft.add_page(page(body=body, rendered_at=now))
        draft.publish()


def releases(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "releases").iterdir())


def test_a_published_draft_is_the_current_release(folder: Path, page: MakePage) -> None:
    with ReleaseDraft(folder, fingerprint="f", now=1000.0) as draft:
        draft.add_page(page())
        draft.add_file("bytecode/about.bin", b"code")
        release = draft.publish()
    again = Release.current(folder)
    assert again is not None
    assert again.folder == release.folder
    assert (again.fingerprint, again.created, list(again.paths())) == ("f", 1000.0, ["/about"])
    assert (again.folder / "bytecode/about.bin").read_bytes() == b"code"
    assert again.read("/nothing") is None


def test_a_draft_that_is_not_published_leaves_nothing(folder: Path, page: MakePage) -> None:
    with ReleaseDraft(folder, fingerprint="f") as draft:
        draft.add_page(page())
    assert releases(folder) == []
    assert Release.current(folder) is None


def test_a_second_build_at_the_same_time_is_refused_and_may_follow(
    folder: Path, page: MakePage
) -> None:
    with ReleaseDraft(folder, fingerprint="f") as draft:
        with pytest.raises(FreezeError, match="another build"):
            ReleaseDraft(folder, fingerprint="f")
        draft.add_page(page())
        draft.publish()
    build(folder, page, b"second", now=5000.0)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "", "."])
def test_a_file_stays_inside_the_release(folder: Path, name: str) -> None:
    with ReleaseDraft(folder, fingerprint="f") as draft, pytest.raises(ValueError, match="out of"):
        draft.add_file(name, b"")


def test_old_releases_leave_and_workers_keep_theirs(folder: Path, page: MakePage) -> None:
    build(folder, page, b"first", now=1000.0)
    worker = DiskStore(folder)
    for number in range(2, 6):
        build(folder, page, b"%d" % number, now=number * 1000.0)
    assert len(releases(folder)) == KEPT_RELEASES + 1
    found = worker.get("/about")
    assert found is not None
    assert found.holed.body == b"first"
    assert worker.release is not None
    worker.release.close()
    build(folder, page, b"6", now=6000.0)
    assert len(releases(folder)) == KEPT_RELEASES


def bodies(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (folder / "pages").iterdir())


def test_bodies_stay_as_long_as_a_release_that_is_kept_or_read_names_them(
    folder: Path, page: MakePage
) -> None:
    build(folder, page, b"first", now=1000.0)
    worker = DiskStore(folder)
    for number in range(2, 6):
        build(folder, page, b"%d" % number, now=number * 1000.0)
    assert bodies(folder) == [b"3", b"4", b"5", b"first"]
    assert worker.release is not None
    worker.release.close()
    build(folder, page, b"6", now=6000.0)
    assert bodies(folder) == [b"4", b"5", b"6"]
    build(folder, page, b"4", now=7000.0)
    build(folder, page, b"4", now=8000.0)
    assert bodies(folder) == [b"4", b"6"]


def test_a_draft_that_is_not_published_leaves_no_bodies(folder: Path, page: MakePage) -> None:
    build(folder, page, b"old", now=1000.0)
    with ReleaseDraft(folder, fingerprint="f") as draft:
        draft.add_page(page(body=b"new"))
        draft.add_page(page(body=b"old"))
        assert bodies(folder) == [b"new", b"old"]
    assert bodies(folder) == [b"old"]


def test_a_torn_body_is_never_taken_for_whole(folder: Path, page: MakePage) -> None:
    build(folder, page, b"whole", now=1000.0)
    worker = DiskStore(folder)
    (file,) = (folder / "pages").iterdir()
    (folder / "pages" / ".tmp-1").write_bytes(b"left by a writer that was killed")
    with file.open("rb") as reader:  # as a worker may
        file.unlink()
        file.write_bytes(b"\0" * 5)
        with ReleaseDraft(folder, fingerprint="f", now=2000.0) as draft:
            draft.add_page(page(body=b"whole", rendered_at=2000.0))
            draft.publish()
        assert reader.read() == b"whole"
    assert bodies(folder) == [b"whole"]
    found = worker.get("/about")
    assert found is not None
    assert found.holed.body == b"whole"


def test_where_a_kept_release_can_not_be_read_no_body_is_removed(
    folder: Path, page: MakePage, caplog: pytest.LogCaptureFixture
) -> None:
    build(folder, page, b"1", now=1000.0)
    build(folder, page, b"2", now=2000.0)
    (folder / "releases" / releases(folder)[0] / "manifest.json").write_text("{")
    build(folder, page, b"3", now=3000.0)
    build(folder, page, b"4", now=4000.0)
    assert bodies(folder) == [b"2", b"3", b"4"]
    (folder / "releases" / releases(folder)[0] / "manifest.json").write_text("{")
    with ReleaseDraft(folder, fingerprint="f") as draft:
        draft.add_page(page(body=b"5"))
    assert bodies(folder) == [b"2", b"3", b"4", b"5"]
    assert "bodies that no page needs stay" in caplog.text


def test_overlays_of_code_that_is_gone_leave(folder: Path, page: MakePage) -> None:
    build(folder, page, b"1", now=1000.0, fingerprint="one")
    DiskStore(folder).put(page("/made", rendered_at=1500.0))
    for number in range(2, 5):
        build(folder, page, b"x", now=number * 1000.0, fingerprint=f"code{number}")
    assert not (folder / "overlay" / "one").exists()


def test_what_a_killed_build_left_is_removed_by_the_next(folder: Path, page: MakePage) -> None:
    left = folder / "releases" / ".tmp-20200101T000000-00"
    left.mkdir(parents=True)
    (left / "page.html").touch()
    broken = folder / "releases" / "20200101T000000-00000000"
    broken.mkdir()
    for number in range(1, 4):
        build(folder, page, b"x", now=number * 1000.0)
    assert not left.exists()


def test_a_release_without_its_lock_file_can_be_removed(folder: Path, page: MakePage) -> None:
    build(folder, page, b"1", now=1000.0)
    (folder / "releases" / releases(folder)[0] / ".in-use").unlink()
    assert Release.current(folder) is not None
    for number in range(2, 5):
        build(folder, page, b"x", now=number * 1000.0)
    assert len(releases(folder)) == KEPT_RELEASES


def test_the_same_pages_make_the_same_release(folder: Path, page: MakePage) -> None:
    made: list[dict[str, bytes]] = []
    for order in (1, -1):
        with ReleaseDraft(folder, fingerprint="f", now=1000.0) as draft:
            for path in ["/a", "/b", "/é"][::order]:
                draft.add_page(page(path, path.encode()))
            release = draft.publish()
        made.append(
            {
                str(file.relative_to(release.folder)): file.read_bytes()
                for file in release.folder.rglob("*")
                if file.is_file()
            }
        )
    assert made[0] == made[1]
    assert len(json.loads(made[0]["manifest.json"])["pages"]) == 3


def test_a_release_that_can_not_be_synced_is_not_published(
    folder: Path, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(folder, page, b"old", now=1000.0)

    class Library:
        def syncfs(self, handle: int) -> int:
            return -1

    def library(*_: object, **__: object) -> Library:
        return Library()

    monkeypatch.setattr("asok.pages.draft.ctypes.CDLL", library)
    with pytest.raises(OSError):
        build(folder, page, b"new", now=2000.0)
    found = DiskStore(folder).get("/about")
    assert found is not None
    assert found.holed.body == b"old"


def test_what_was_added_can_be_looked_at_before_it_is_published(
    folder: Path, page: MakePage
) -> None:
    with ReleaseDraft(folder, fingerprint="f") as draft:
        draft.add_page(page("/about", b"About"))
        assert list(draft.records) == ["/about"]
        assert draft.body(draft.records["/about"]) == b"About"
