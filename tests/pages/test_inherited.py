"""What earlier code left: the page rendered last, and nothing that is damaged."""

from __future__ import annotations

import os
from pathlib import Path

from asok.pages import DiskStore
from asok.pages.inherited import FileInheritance, Nothing, last_write

from .conftest import MakePage


def leave(folder: Path, name: str, page: MakePage, body: bytes, at: float) -> Path:
    DiskStore(folder, fingerprint=name).put(page("/made", body, listed=False, rendered_at=at))
    overlay = folder / "overlay" / name
    for part in ("listed", "unlisted"):
        os.utime(overlay / part, (at, at))
    return overlay


def test_the_page_rendered_last_counts(tmp_path: Path, page: MakePage) -> None:
    leave(tmp_path, "one", page, b"one", 10.0)
    leave(tmp_path, "two", page, b"two", 30.0)
    leave(tmp_path, "own", page, b"own", 40.0)
    left = FileInheritance(tmp_path, "own")
    found = left.get("/made")
    assert found is not None
    assert found.holed.body == b"two"
    assert set(left.paths()) == {"/made"}
    assert left.get("/other") is None


def test_only_the_last_three_codes_are_asked(tmp_path: Path, page: MakePage) -> None:
    for number in range(5):
        store = DiskStore(tmp_path, fingerprint=f"f{number}")
        store.put(page(f"/{number}", listed=False))
        for part in ("listed", "unlisted"):
            os.utime(store.folder / "overlay" / f"f{number}" / part, (number, number))
    assert set(FileInheritance(tmp_path, "f9").paths()) == {"/2", "/3", "/4"}
    assert set(FileInheritance(tmp_path, "f4").paths()) == {"/1", "/2", "/3"}


def test_damaged_pages_are_passed_over(tmp_path: Path, page: MakePage) -> None:
    leave(tmp_path, "one", page, b"one", 10.0)
    for body in (leave(tmp_path, "two", page, b"two", 20.0) / "unlisted").glob("*.html"):
        body.write_bytes(b"tw")
    found = FileInheritance(tmp_path, "own").get("/made")
    assert found is not None
    assert found.holed.body == b"one"


def test_no_folder_is_no_inheritance(tmp_path: Path) -> None:
    left = FileInheritance(tmp_path / "none", "own")
    assert left.get("/made") is None
    assert list(left.paths()) == []
    assert last_write(tmp_path / "none") == 0.0
    assert (Nothing().get("/made"), list(Nothing().paths())) == (None, [])
