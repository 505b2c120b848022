"""What is kept of the files of a view, and when they are read again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asok.assets import Resource
from tet import asset_folder
from tet.asset_folder import AssetFolder


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose files were all changed long ago."""
    later = asset_folder.time.time_ns() + 3_600_000_000_000
    monkeypatch.setattr(asset_folder.time, "time_ns", lambda: later)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.css").write_bytes(b"a" * 1000)
    (tmp_path / "secret.css").write_bytes(b"s" * 1000)
    return tmp_path / "files"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read."""
    found: list[str] = []
    read: Callable[..., Resource] = asset_folder.disk_resource

    def counting(name: str, *args: object, **kw: object) -> Resource:
        found.append(name)
        return read(name, *args, **kw)

    monkeypatch.setattr(asset_folder, "disk_resource", counting)
    return found


def body(folder: AssetFolder, name: str) -> object:
    resource = folder.resource(name)
    return None if resource is None else resource.variants[0].body


def test_a_file_is_read_once_until_it_changes(files: Path, reads: list[str]) -> None:
    folder = AssetFolder(str(files))
    assert [body(folder, "a.css") for _ in range(3)] == [b"a" * 1000] * 3
    assert reads == ["a.css"]
    (files / "a.css").write_bytes(b"b" * 1000)
    assert [body(folder, "a.css") for _ in range(2)] == [b"b" * 1000] * 2
    # Another file of the same size and time.
    (files / "new").write_bytes(b"c" * 1000)
    status = (files / "a.css").stat()
    os.utime(files / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (files / "new").replace(files / "a.css")
    assert body(folder, "a.css") == b"c" * 1000
    (files / "a.css").unlink()
    assert folder.resource("a.css") is None
    assert len(reads) == 3


def test_a_kept_file_that_becomes_a_link_out_is_gone(files: Path) -> None:
    folder = AssetFolder(str(files))
    assert body(folder, "a.css") == b"a" * 1000
    (files / "a.css").unlink()
    (files / "a.css").symlink_to(files.parent / "secret.css")
    assert folder.resource("a.css") is None


def test_a_file_that_has_just_changed_is_not_kept(
    files: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice within one tick of the file system's clock, and both times would be the same."""
    changed = (files / "a.css").stat().st_mtime_ns
    monkeypatch.setattr(asset_folder.time, "time_ns", lambda: changed + 1_000_000_000)
    folder = AssetFolder(str(files))
    assert [body(folder, "a.css") for _ in range(2)] == [b"a" * 1000] * 2
    assert reads == ["a.css", "a.css"]


def test_a_new_compressed_form_is_seen(files: Path) -> None:
    folder = AssetFolder(str(files), ["gzip"])
    for count, compressed in ((1, None), (2, b"z"), (1, None)):
        if compressed:
            (files / "a.css.gz").write_bytes(compressed)
        else:
            (files / "a.css.gz").unlink(missing_ok=True)
        for _ in range(2):
            resource = folder.resource("a.css")
            assert resource is not None
            assert len(resource.variants) == count


def test_what_is_kept_is_bounded(
    files: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asset_folder, "_MEMORY", 10_000)
    for number in range(20):
        (files / f"{number}.css").write_bytes(b"x" * 1000)
    folder = AssetFolder(str(files))
    for _ in range(3):
        for number in range(20):
            assert body(folder, f"{number}.css") == b"x" * 1000
    assert len(folder._kept) < 10
    assert folder._bytes <= 10_000
    assert len(reads) == 60
    assert body(folder, "19.css") == b"x" * 1000
    assert len(reads) == 60
