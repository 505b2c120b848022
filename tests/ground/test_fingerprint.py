"""The fingerprint changes with what pages are made from, and with nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from asok.fingerprint import fingerprint


def test_it_follows_names_and_contents_but_no_times(tmp_path: Path) -> None:
    page = tmp_path / "pages" / "page.py"
    page.parent.mkdir()
    page.write_text("a")
    first = fingerprint(tmp_path)
    os.utime(page, (1, 1))
    (tmp_path / "picture.png").write_bytes(b"x")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.py").write_text("")
    assert fingerprint(tmp_path) == first
    assert len(first) == 32
    page.write_text("b")
    assert fingerprint(tmp_path) != first
    page.write_text("a")
    page.rename(tmp_path / "pages" / "other.py")
    assert fingerprint(tmp_path) != first


def test_further_texts_are_told_apart(tmp_path: Path) -> None:
    assert fingerprint(tmp_path, "ab", "c") != fingerprint(tmp_path, "a", "bc")


def test_it_is_the_same_in_another_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.html").write_text("x")
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")
