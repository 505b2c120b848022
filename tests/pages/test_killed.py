"""A writer that is killed at any of its system calls leaves the old page or the new one, whole.

The tests of the normal run kill before every call that the os module makes; the soak test has
the kernel do it by strace, at every write, rename, fsync and unlink of the whole process.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from asok.pages import DiskStore, Release, ReleaseDraft, StoredPage
from asok.pages.release import Manifest

from .conftest import MakePage
from .killed import run_killed_at

OLD, NEW = b"<p>old</p>" * 50, b"<p>new, and longer</p>" * 80


@pytest.fixture(autouse=True)
def forks_are_meant() -> None:
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)


def kill_everywhere(
    tmp_path: Path,
    prepare: Callable[[Path], None],
    work: Callable[[Path], None],
    check: Callable[[Path], str],
) -> list[str]:
    """Kill `work` at each of its calls, on a fresh copy each time; returns what was found."""
    found: list[str] = []
    base = tmp_path / "base"
    prepare(base)
    for number in range(500):
        folder = tmp_path / f"case-{number}"
        if base.exists():
            shutil.copytree(base, folder)
        killed = run_killed_at(number, lambda folder=folder: work(folder))
        found.append(check(folder))
        shutil.rmtree(folder, ignore_errors=True)
        if not killed:
            return found
    raise AssertionError("the work never ended")


def state(folder: Path, path: str = "/about") -> str:
    page = DiskStore(folder, fingerprint="f").get(path)
    if page is None:
        return "missing"
    return {OLD: "old", NEW: "new"}[page.holed.body]


def test_a_page_that_is_replaced(tmp_path: Path, page: MakePage) -> None:
    def check(folder: Path) -> str:
        found = state(folder)
        # Whatever was left, the next writer is not hindered by it.
        DiskStore(folder, fingerprint="f").put(page(body=NEW))
        assert state(folder) == "new"
        return found

    found = kill_everywhere(
        tmp_path,
        lambda folder: assert_put(folder, page(body=OLD)),
        lambda folder: assert_put(folder, page(body=NEW)),
        check,
    )
    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True), "once new, it stays new"


def assert_put(folder: Path, page: StoredPage) -> None:
    store = DiskStore(folder, fingerprint="f", max_pages=3)
    assert store.put(page, ticket=store.begin(page.path))


def test_a_page_made_on_demand_while_others_are_evicted(tmp_path: Path, page: MakePage) -> None:
    def prepare(folder: Path) -> None:
        store = DiskStore(folder, fingerprint="f", max_pages=10)
        for number in range(6):
            store.put(page(f"/{number}", OLD, listed=False))
        store.put(page(body=OLD))

    def check(folder: Path) -> str:
        for number in range(6):
            assert state(folder, f"/{number}") in ("old", "missing")
        assert state(folder) == "old"
        return state(folder, "/made")

    found = kill_everywhere(
        tmp_path,
        prepare,
        lambda folder: assert_put(folder, page("/made", NEW, listed=False)),
        check,
    )
    assert set(found) == {"missing", "new"}


def test_an_invalidated_page_that_is_regenerated(tmp_path: Path, page: MakePage) -> None:
    def prepare(folder: Path) -> None:
        assert_put(folder, page(body=OLD))
        DiskStore(folder, fingerprint="f").invalidate("/about", 2000.0, block=True)

    def check(folder: Path) -> str:
        stored, note = DiskStore(folder, fingerprint="f").look("/about")
        assert stored is not None
        # The old page may not be taken for a valid one.
        assert note.invalidated == "block" or stored.holed.body == NEW
        assert note.generation == 1
        return state(folder)

    found = kill_everywhere(
        tmp_path, prepare, lambda folder: assert_put(folder, page(body=NEW)), check
    )
    assert set(found) == {"old", "new"}


@pytest.mark.parametrize("spare", [0, 1000], ids=["written anew", "appended"])
def test_a_tag_that_is_invalidated(
    tmp_path: Path, page: MakePage, monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    monkeypatch.setattr("asok.pages.journal._SPARE", spare)

    def tagged(body: bytes) -> StoredPage:
        return dataclasses.replace(page(body=body), tags=("posts",))

    def prepare(folder: Path) -> None:
        store = DiskStore(folder, fingerprint="f")
        for tag in ("authors", "comments", "authors"):
            store.invalidate_tag(tag, 0.0, block=True)
        made = dataclasses.replace(tagged(OLD), moment=store.begin("/about").moment)
        assert store.put(made)

    def check(folder: Path) -> str:
        store = DiskStore(folder, fingerprint="f")
        stored, note = store.look("/about")
        assert stored is not None
        assert stored.holed.body == OLD
        assert 0 < store.tag_moment("authors") < stored.moment
        assert 0 < store.tag_moment("comments") < stored.moment
        found = note.invalidated or "fresh"
        # Half a line is nobody's, and the next invalidation is whole.
        ticket = store.begin("/about")
        DiskStore(folder, fingerprint="other").invalidate_tag("posts", 0.0, block=False)
        assert store.look("/about")[1].invalidated
        assert not store.put(tagged(NEW), ticket=ticket)
        assert store.put(tagged(NEW), ticket=store.begin("/about"))
        return found

    def work(folder: Path) -> None:
        DiskStore(folder, fingerprint="f").invalidate_tag("posts", 0.0, block=True)

    found = kill_everywhere(tmp_path, prepare, work, check)
    assert set(found) == {"fresh", "block"}
    assert found == sorted(found, reverse=True), "once invalidated, it stays so"


def test_a_deploy_over_pages_of_earlier_code(tmp_path: Path, page: MakePage) -> None:
    def prepare(folder: Path) -> None:
        build(folder, page, OLD, 1000.0, fingerprint="old")
        store = DiskStore(folder)
        store.put(page("/made", OLD, listed=False))
        store.put(page("/about", OLD, rendered_at=1500.0))

    def check(folder: Path) -> str:
        store = DiskStore(folder)
        made, note = store.look("/made")
        assert made is not None, "never cold"
        assert made.holed.body == OLD
        assert note.invalidated == ("" if store.fingerprint == "old" else "stale")
        about = store.get("/about")
        assert about is not None
        assert about.holed.body == (OLD if store.fingerprint == "old" else NEW)
        return store.fingerprint

    found = kill_everywhere(
        tmp_path,
        prepare,
        lambda folder: build(folder, page, NEW, 2000.0, fingerprint="new"),
        check,
    )
    assert set(found) == {"old", "new"}


def build(folder: Path, page: MakePage, body: bytes, now: float, fingerprint: str = "f") -> None:
    with ReleaseDraft(folder, fingerprint=fingerprint, now=now) as draft:
        for path in ("/about", "/other", "/third"):
            draft.add_page(page(path, body, rendered_at=now))
        draft.add_file("bytecode/x", body)
        draft.publish()


def read_all(folder: Path) -> list[list[StoredPage | None]]:
    """Every page of every release that a worker may have open."""
    found: list[list[StoredPage | None]] = []
    for manifest in (folder / "releases").glob("[!.]*/manifest.json"):
        known = msgspec.json.decode(manifest.read_bytes(), type=Manifest)
        release = Release(manifest.parent, known)
        found.append([release.read(path) for path in release.paths()])
        release.close()
    return found


def test_a_build_is_the_old_site_or_the_new_one(tmp_path: Path, page: MakePage) -> None:
    def prepare(folder: Path) -> None:
        for number, body in enumerate((b"pruned", OLD, OLD)):
            build(folder, page, body, 1000.0 + number)

    def check(folder: Path) -> str:
        release = Release.current(folder)
        assert release is not None
        pages = [release.read(path) for path in ("/about", "/other", "/third")]
        bodies = {found.holed.body for found in pages if found is not None}
        assert len(bodies) == 1
        assert None not in pages
        assert {(release.folder / "bytecode" / "x").read_bytes()} == bodies
        assert all(None not in kept for kept in read_all(folder))
        release.close()
        build(folder, page, NEW, 9000.0)
        assert state(folder) == "new"
        assert len(list((folder / "releases").iterdir())) <= 3
        assert {path.read_bytes() for path in (folder / "pages").iterdir()} <= {OLD, NEW}
        return "old" if bodies == {OLD} else "new"

    found = kill_everywhere(
        tmp_path, prepare, lambda folder: build(folder, page, NEW, 2000.0), check
    )
    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True)


WRITER = """
import dataclasses
import sys
from pathlib import Path
from asok.holes import Holed
from asok.pages import DiskStore, Rendered, ReleaseDraft, StoredPage
folder, kind, body = Path(sys.argv[1]), sys.argv[2], sys.argv[3].encode()
now = float(sys.argv[4])
page = StoredPage.make(Rendered(200, [], Holed((body * 100,))), path="/about", pattern="/about",
                       params={}, rendered_at=now)
store = DiskStore(folder, fingerprint="f")
if kind == "put":
    store.put(page)
elif kind == "tag":
    if body == b"old":
        store.put(page)
    for number in range(3):
        store.invalidate_tag(f"tag:{number}", now, block=True)
elif kind == "made":
    store.put(dataclasses.replace(page, listed=False))
    store.fail("/about", now, revalidate=None, error="x")
    store.invalidate("/about", now, block=False)
else:
    with ReleaseDraft(folder, fingerprint="f", now=now) as draft:
        draft.add_page(page)
        draft.publish()
"""


def assert_journal_is_whole(folder: Path) -> None:
    """Every line but a half one at the end is a tag, and the next one is written after it."""
    store = DiskStore(folder, fingerprint="f")
    store.invalidate_tag("another", 0.0, block=False)
    assert DiskStore(folder, fingerprint="f").tag_moment("another") > 0
    lines = (folder / "tags").read_bytes().splitlines()
    broken = [line for line in lines if not line.endswith(b"]")]
    assert len(broken) <= 1


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["put", "build", "tag", "made"])
@pytest.mark.parametrize(
    "call", ["write", "rename", "fsync", "unlink", "unlinkat", "openat", "mkdir", "ftruncate",
             "syncfs", "flock", "close"]
)  # fmt: skip
def test_killed_by_the_kernel_at_every_call(tmp_path: Path, kind: str, call: str) -> None:
    def run(folder: Path, body: str, now: int, *before: str) -> int:
        command = [*before, sys.executable, "-B", "-c", WRITER, str(folder), kind, body, str(now)]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode

    if shutil.which("strace") is None:
        pytest.fail("this test needs strace: apt-get install strace")
    base = tmp_path / "base"
    assert run(base, "old", 1000) == 0
    # Python itself opens some hundred files before the writer's first call; they are the same
    # in each run, so every second one of those is enough.
    step = 7 if call in ("openat", "close") else 1
    for number in range(1, 4000, step):
        folder = tmp_path / f"case-{number}"
        shutil.copytree(base, folder)
        inject = f"inject={call}:signal=KILL:when={number}"
        code = run(folder, "new", 2000, "strace", "-f", "-o", "/dev/null", "-e", inject)
        found = DiskStore(folder, fingerprint="f").get("/about")
        assert found is not None, f"{call} {number}: no page"
        assert found.holed.body in (b"old" * 100, b"new" * 100), f"{call} {number}: a torn page"
        assert_journal_is_whole(folder)
        shutil.rmtree(folder)
        if code == 0:
            return
    raise AssertionError("the writer never ended")
