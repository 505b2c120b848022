"""What is noted while something renders, and by whom."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asok import dependencies
from asok.dependencies import Seen, digest, noting, watch

# Coverage sees an audit hook only where the hook says that it may be traced (PEP 578).
dependencies._hear.__cantrace__ = True  # type: ignore[attr-defined]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("data/a.txt", "data/b.txt", ".env", ".asok/x", "code.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.fixture
def seen(root: Path) -> Iterator[Seen]:
    with watch(root) as found:
        yield found


def test_nothing_is_noted_outside_a_build(root: Path) -> None:
    dependencies.data()
    dependencies.template(None, "a.html", None)
    assert dependencies.asset("a.css", "/static/a.css") == "/static/a.css"
    (root / "data/a.txt").read_text()
    assert dependencies.current is None


@pytest.mark.parametrize(
    ("read", "noted"),
    [
        (lambda root: (root / "data/a.txt").read_text(), "data/a.txt"),
        (lambda root: open(os.fsencode(root / "data/a.txt")).close(), "data/a.txt"),
        (lambda root: os.close(os.open(root / "data/a.txt", os.O_RDONLY)), "data/a.txt"),
        (lambda root: os.listdir(root / "data"), "data/"),
        (lambda root: list((root / "data").glob("*.txt")), "data/"),
    ],
)
def test_what_code_reads_is_noted_with_its_digest(
    root: Path, seen: Seen, read: Callable[[Path], object], noted: str
) -> None:
    read(root)
    path = f"{root}/{noted}"
    assert seen.files == {path: digest(path)}
    assert seen.files[path] != dependencies.ABSENT
    assert not seen.data


def test_a_file_that_is_not_there_is_noted_as_absent(root: Path, seen: Seen) -> None:
    with pytest.raises(FileNotFoundError):
        (root / "data/none.txt").read_text()
    assert seen.files == {f"{root}/data/none.txt": dependencies.ABSENT}


def test_code_and_what_asok_keeps_is_not_noted(root: Path, seen: Seen) -> None:
    for name in ("code.py", ".env", ".asok/x"):
        (root / name).read_text()
    (root / "data/new.txt").write_text("written")
    Path(os.__file__).with_name("LICENSE.txt").exists()
    digest(f"{root}/data/a.txt")  # Asok's own reading
    assert seen.files == {}


def test_a_thread_reads_for_the_page_that_renders(root: Path, seen: Seen) -> None:
    with noting(Seen()) as page:
        thread = threading.Thread(target=(root / "data/a.txt").read_text)
        thread.start()
        thread.join()
    assert list(page.files) == [f"{root}/data/a.txt"]
    assert seen.files == {}


@pytest.mark.parametrize(
    "opened",
    [
        lambda: socket.socket().connect_ex(("127.0.0.1", 9)),
        lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ways_to_data_that_can_not_be_seen(seen: Seen, opened: Callable[[], object]) -> None:
    opened()
    assert seen.data
    assert seen.open


def test_a_fragment_is_made_once_and_its_use_is_each_page_s(root: Path, seen: Seen) -> None:
    calls: list[int] = []

    def render() -> str:
        calls.append(1)
        dependencies.data()
        dependencies.asset("a.css", "/a.css")
        return "text"

    for _ in range(2):
        with noting(Seen()) as page:
            assert dependencies.fragment("key", render) == "text"
        assert page.data
        assert page.assets == {"a.css": "/a.css"}
    assert calls == [1]
    assert not seen.data
    with watch(root), noting(Seen()):
        dependencies.fragment("key", render)
    assert calls == [1, 1]


def test_templates_are_noted_with_where_they_were_looked_for(root: Path, seen: Seen) -> None:
    file = f"{root}/data/a.txt"
    dependencies.template(root, "a.html", file)
    dependencies.template(None, "b.html", None)
    assert seen.lookups == {
        (str(root), "a.html"): (file, digest(file)),
        ("", "b.html"): ("", dependencies.ABSENT),
    }


def test_a_folder_s_digest_is_of_its_names(root: Path) -> None:
    before = digest(f"{root}/data/")
    (root / "data/a.txt").write_text("other")
    assert digest(f"{root}/data/") == before
    (root / "data/c.txt").write_text("")
    assert digest(f"{root}/data/") != before
    assert digest(f"{root}/none/") == dependencies.ABSENT


def test_a_site_in_a_folder_of_the_system_is_a_site(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "_SYSTEM", (f"{root.parent}/", f"{root}/data/venv/"))
    (root / "data/venv").mkdir()
    (root / "data/venv/c.txt").write_text("")
    code = compile("open(name).close()", str(root / "code.py"), "exec")
    with watch(root) as seen:
        for name in ("data/a.txt", "data/venv/c.txt"):
            exec(code, {"name": f"{root}/{name}"})
        open(root.parent / "outside.txt", "w").close()
        open(root.parent / "outside.txt").close()
    assert list(seen.files) == [f"{root}/data/a.txt"]
