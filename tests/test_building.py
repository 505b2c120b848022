"""Builds that take pages over: the same bytes as a full build, and no page more than needed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.build_site import EDITS, Builder, contents
from tests.site import environment

from asok import dependencies, site_modules
from asok.errors import FreezeError
from asok.pages import DiskStore, PageReport, Release, ReleaseDraft, Report


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Builder]:
    # Edits within one second would not make Python compile a file again.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    # A test edits what was written just now.
    monkeypatch.setattr("asok.contents._COARSE", -60_000_000_000)
    # Whoever works on Asok itself meanwhile would make every build a full one.
    monkeypatch.setattr("asok.grounds._asok", lambda: ["asok"])
    yield Builder(tmp_path / "site")
    site_modules.uninstall()


@pytest.fixture
def quiet(site: Builder) -> Builder:
    """The same without modules that keep what they read."""
    for name in ("lib/memo.py", "lib/eager.py", "pages/eager/page.py"):
        (site.root / "src" / name).unlink()
    page = site.root / "src/pages/menu/[n:int]/page.py"
    text = page.read_text().replace("from src.lib.memo import menu", "menu = str")
    page.write_text(text)
    return site


def rendered(pages: tuple[PageReport, ...]) -> dict[str, str]:
    return {page.path: page.reason for page in pages if page.reason is not None}


ALWAYS = {"/notes": "it read data and has no tags"}


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 40))]
)
def test_after_any_edit_a_build_gives_what_a_full_one_does(
    site: Builder, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    site.build()
    names = random.sample(sorted(EDITS), len(EDITS))
    for number, name in enumerate(names):
        EDITS[name](site, random)
        report, release = site.build()
        _, whole = site.build(full=True, folder=tmp_path / f"whole-{number}")
        assert contents(release) == contents(whole), name
        assert report.full is None or "changed" in report.full, name


def test_two_full_builds_are_the_same_but_for_their_times(site: Builder, tmp_path: Path) -> None:
    _, first = site.build(full=True, folder=tmp_path / "first")
    _, second = site.build(full=True, folder=tmp_path / "second")
    assert contents(first) == contents(second)
    assert sorted(os.listdir(first.bodies)) == sorted(os.listdir(second.bodies))


def test_the_first_build_renders_everything(site: Builder) -> None:
    report, _ = site.build()
    assert (report.full, report.reused) == ("this is the first build", 0)
    assert report.reasons == {"this is the first build": len(report.pages)}


@pytest.mark.parametrize(
    ("edit", "paths", "reason"),
    [
        (
            "a page's template",
            {"/blog/a", "/blog/b", "/blog/c"},
            "the template src/pages/blog/[slug]/post.html changed",
        ),
        (
            "a template beside the page",
            {"/blog/a", "/blog/b", "/blog/c"},
            "the template nav.html is found elsewhere now",
        ),
        ("a component's template", {"/parts"}, "the template src/components/badge.html changed"),
        ("a macro", {"/"}, "the template src/partials/html/macros.html changed"),
        ("a cached fragment", {"/"}, "the template src/partials/html/side.html changed"),
        ("an asset", {"/"}, "the asset css/base.css changed"),
        ("another asset", {"/parts"}, "the asset css/post.css changed"),
        (
            "a page's module",
            {"/menu/0", "/menu/1", "/menu/2"},
            "src/pages/menu/[n:int]/page.py changed",
        ),
        ("a row", {"/tagged"}, "the tag 'notes' was invalidated"),
        ("a new page", {"/blog/d"}, "it is new"),
        ("nothing", set[str](), ""),
    ],
)
def test_only_the_pages_that_show_it_are_rendered(
    quiet: Builder, edit: str, paths: set[str], reason: str
) -> None:
    quiet.build()
    EDITS[edit](quiet, Random(0))
    report, _ = quiet.build()
    found = rendered(report.pages)
    assert found == {**dict.fromkeys(paths, reason), **ALWAYS}
    assert report.full is None


def test_a_file_that_a_page_reads_concerns_that_page(quiet: Builder) -> None:
    quiet.build()
    quiet.write("content/b.md", "another text")
    report, release = quiet.build()
    assert rendered(report.pages) == {"/blog/b": "content/b.md changed", **ALWAYS}
    page = release.read("/blog/b")
    assert page is not None
    assert b"another text" in page.holed.body


@pytest.mark.parametrize(
    ("edit", "full"),
    [
        ("a shared module", "src/lib/words.py changed"),
        ("a component's class", "src/components/Badge.py changed"),
    ],
)
def test_shared_code_concerns_every_page(site: Builder, edit: str, full: str) -> None:
    site.build()
    EDITS[edit](site, Random(0))
    report, _ = site.build()
    assert (report.full, report.reused) == (full, 0)


def test_a_file_that_modules_keep_concerns_every_page(site: Builder) -> None:
    site.build()
    for name in ("data/menu.txt", "data/eager.txt"):
        site.write(name, "changed")
        report, _ = site.build()
        assert set(rendered(report.pages)) >= {"/eager", "/menu/0", "/menu/1", "/menu/2", "/"}
        assert rendered(report.pages)["/menu/2"] == f"{name} changed"


def test_a_page_older_than_its_revalidate_is_rendered(
    quiet: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.build()
    later = time.time() + 3601
    monkeypatch.setattr("asok.pages.draft.time.time", lambda: later)
    report, _ = quiet.build()
    assert rendered(report.pages) == {"/parts": "it is older than its REVALIDATE", **ALWAYS}


def test_an_invalidated_path_is_rendered(quiet: Builder) -> None:
    quiet.build()
    quiet.app().revalidate_path("/parts")
    report, _ = quiet.build()
    assert rendered(report.pages) == {"/parts": "it was invalidated", **ALWAYS}


def test_a_setting_a_package_or_the_place_of_the_site_concerns_every_page(
    quiet: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.build()
    report, _ = quiet.build(base_url="https://example.org")
    assert report.full == "the settings changed"
    monkeypatch.setattr("asok.grounds._packages", lambda: ["jinja2-99"])
    report, _ = quiet.build(base_url="https://example.org")
    assert report.full == "the installed packages changed"
    quiet.root = quiet.root.rename(quiet.root.with_name("moved"))
    report, _ = quiet.build(base_url="https://example.org")
    assert report.full is not None
    assert "the site was in" in report.full


def test_all_can_be_asked_for(quiet: Builder) -> None:
    quiet.build()
    report, _ = quiet.build(full=True)
    assert (report.full, report.reused) == ("all of it was asked for", 0)


def test_a_build_that_was_not_watched_renders_everything(quiet: Builder) -> None:
    quiet.build()
    app = quiet.app()
    report, release = app.freeze(workers=1)
    assert report.full == "its making was not watched"
    assert not (release.folder / "traces.json").exists()
    report, _ = quiet.build()
    assert report.full == "the last build noted nothing"


@pytest.mark.parametrize(
    ("name", "text", "full"),
    [
        (
            "traces.json",
            "{",
            "the notes of the last build can't be read (Input data was truncated)",
        ),
        ("manifest.json", "{", "the last release can't be read"),
    ],
)
def test_a_damaged_release_gives_nothing(quiet: Builder, name: str, text: str, full: str) -> None:
    _, release = quiet.build()
    (release.folder / name).write_text(text)
    report, again = quiet.build()
    assert report.full == full
    _, whole = quiet.build(full=True)
    assert contents(again) == contents(whole)


def test_notes_of_another_format_are_not_used(quiet: Builder) -> None:
    _, release = quiet.build()
    notes = release.folder / "traces.json"
    notes.write_text(notes.read_text().replace('"format":1', '"format":0', 1))
    report, _ = quiet.build()
    assert report.full == "the notes of the last build can't be read (format 0, expected 1)"


def test_a_body_that_is_cut_or_gone_is_rendered(quiet: Builder) -> None:
    _, release = quiet.build()
    bodies = Path(release.bodies)
    (bodies / release.records["/"].body).unlink()
    (bodies / release.records["/parts"].body).write_bytes(b"<!doc")
    report, again = quiet.build()
    reason = "its stored body is damaged"
    assert rendered(report.pages) == {"/": reason, "/parts": reason, **ALWAYS}
    assert again.read("/") is not None
    assert again.read("/parts") is not None


def test_a_taken_page_is_the_same_file_and_keeps_its_time(quiet: Builder) -> None:
    _, first = quiet.build()
    _, second = quiet.build()
    old, new = (release.records["/parts"] for release in (first, second))
    assert old == new
    assert first.bodies == second.bodies


def test_a_release_of_the_first_layout_is_read_and_taken_over(quiet: Builder) -> None:
    _, first = quiet.build()
    move_bodies_into(first)
    worker = DiskStore(quiet.root / ".asok/ssg_cache")
    assert worker.release is not None
    before = contents(worker.release)
    (Path(worker.release.bodies) / worker.release.records["/blog/a"].body).write_bytes(b"<!doc")
    report, second = quiet.build()
    assert rendered(report.pages) == {"/blog/a": "its stored body is damaged", **ALWAYS}
    assert second.bodies != worker.release.bodies
    assert contents(second) == before
    for _ in range(3):
        quiet.build()
    page = worker.get("/parts")
    assert page is not None, "a worker of the old layout keeps its bodies"
    assert worker.get("/blog/a") is None
    worker.release.close()
    first.close()
    gc.collect()  # the sites of the builds before hold it too
    quiet.build()
    assert not first.folder.exists()


def move_bodies_into(release: Release) -> None:
    """Make it what builds wrote before bodies were shared."""
    own = release.folder / "pages"
    own.mkdir()
    for record in release.records.values():
        Path(release.bodies, record.body).rename(own / record.body)


def test_a_failing_page_keeps_the_old_site_when_others_are_taken_over(quiet: Builder) -> None:
    _, release = quiet.build()
    before = contents(release)
    quiet.write("src/components/badge.html", "{{ nothing }}")
    with pytest.raises(FreezeError, match="/parts"):
        quiet.build()
    current = Release.current(quiet.root / ".asok/ssg_cache")
    assert current is not None
    assert current.folder == release.folder
    assert contents(current) == before
    assert len(list((quiet.root / ".asok/ssg_cache/releases").iterdir())) == 1
    quiet.write("src/components/badge.html", "<i>mended</i>")
    report, _ = quiet.build()
    assert set(rendered(report.pages)) == {"/parts", *ALWAYS}


def test_a_page_that_is_no_longer_listed_is_not_taken_over(quiet: Builder) -> None:
    quiet.build()
    (quiet.root / "content/c.md").unlink()
    _, release = quiet.build()
    assert "/blog/c" not in release.records
    assert DiskStore(quiet.root / ".asok/ssg_cache").get("/blog/c") is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_processes_note_what_one_does(quiet: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asok.pages.share.threading.active_count", lambda: 1)
    report, shared = quiet.build(full=True, workers=2)
    assert report.workers == 2
    notes = (shared.folder / "traces.json").read_bytes()
    _, alone = quiet.build(full=True)
    assert len(notes) == len((alone.folder / "traces.json").read_bytes())
    assert contents(shared) == contents(alone)
    report, _ = quiet.build()
    assert set(rendered(report.pages)) == {*ALWAYS}


def test_what_another_page_kept_in_another_process_is_shared(
    site: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.share.threading.active_count", lambda: 1)
    site.build(full=True, workers=2)
    site.write("data/menu.txt", "changed")
    report, release = site.build()
    assert set(rendered(report.pages)) >= {"/menu/0", "/menu/1", "/menu/2"}
    _, whole = site.build(full=True)
    assert contents(release) == contents(whole)


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nWAY = socket.socket()\ntry: WAY.connect(('127.0.0.1', 9))\n"
        "except OSError: pass\nWAY.close()\n",
        "import sqlite3\nWAY = sqlite3.connect(':memory:')\nWAY.close()\n",
        "import subprocess\nWAY = subprocess.run(['true'])\n",
        "from asok.cache import Cache\nWAY = Cache().get('x')\n",
        "from models import Note\nWAY = Note.query().count()\n",
    ],
)
def test_data_read_while_the_site_is_imported_concerns_every_page_without_tags(
    quiet: Builder, code: str
) -> None:
    quiet.write("src/lib/way.py", code)
    quiet.write("wsgi.py", "from asok import Asok\napp = Asok()\n")
    quiet.write("src/pages/way/page.py", "import src.lib.way\nSSG = True\ndef get(r): return ''\n")
    quiet.build()
    report, _ = quiet.build()
    reused = {page.path for page in report.pages if page.reused}
    assert reused == {"/tagged"}


def test_a_page_module_that_others_import_concerns_every_page(quiet: Builder) -> None:
    quiet.write("src/lib/pages_of.py", "from src.pages.parts.page import SSG\n")
    quiet.build()
    quiet.write("src/pages/parts/page.py", "SSG = True\nREVALIDATE = 7200\n")
    report, _ = quiet.build()
    assert report.full == "src/pages/parts/page.py changed"


def test_a_page_that_another_route_answers_now_is_rendered(quiet: Builder) -> None:
    quiet.build()
    quiet.write("src/pages/blog/a/page.py", "SSG = True\ndef get(request): return 'own'\n")
    (quiet.root / "content/a.md").unlink()
    report, release = quiet.build()
    assert rendered(report.pages) == {"/blog/a": "/blog/[slug] made it before", **ALWAYS}
    assert release.records["/blog/a"].pattern == "/blog/a"


def test_an_asset_that_is_gone_is_the_render_s_to_report(quiet: Builder) -> None:
    quiet.build()
    (quiet.root / "src/partials/css/post.css").unlink()
    report, _ = quiet.build()
    assert rendered(report.pages) == {"/parts": "the asset css/post.css changed", **ALWAYS}


def test_what_planning_leaves_in_a_module_concerns_every_page(quiet: Builder) -> None:
    quiet.write("data/menu.txt", "first")
    quiet.write(
        "src/pages/menu/[n:int]/page.py",
        "from pathlib import Path\nTEXTS = []\nMENU = Path(__file__).parents[4] / 'data/menu.txt'\n"
        "def get_static_paths():\n"
        "    TEXTS.append(MENU.read_text())\n    return [{'n': n} for n in range(2)]\n"
        "def get(request):\n    return TEXTS[-1]\n",
    )
    quiet.build()
    quiet.write("data/menu.txt", "second")
    report, release = quiet.build()
    assert rendered(report.pages)["/menu/1"] == "data/menu.txt changed"
    page = release.read("/menu/1")
    assert page is not None
    assert page.holed.body == b"second"


def test_of_two_builds_at_once_one_wins_whole(quiet: Builder) -> None:
    quiet.build()
    EDITS["a base template"](quiet, Random(0))

    def second(done: int, _all: int, _page: PageReport) -> None:
        if done == 1:
            other = subprocess.run(
                [sys.executable, "-m", "asok", "build"],
                cwd=quiet.root,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            assert other.returncode == 1
            assert "another build is writing" in other.stderr

    with dependencies.watch(quiet.root):
        _, release = quiet.app().freeze(workers=1, progress=second)
    current = Release.current(quiet.root / ".asok/ssg_cache")
    assert current is not None
    assert current.folder == release.folder
    assert len(current.records) == len(release.records)


def test_a_check_fails_the_build_and_the_old_site_stays(quiet: Builder) -> None:
    _, release = quiet.build()

    def refuse(draft: ReleaseDraft, report: Report) -> None:
        assert set(draft.records) == {page.path for page in report.pages}
        assert draft.body(draft.records["/parts"]).startswith(b"<!doctype html>")
        raise FreezeError("not like this.")

    with pytest.raises(FreezeError, match="not like this"):
        quiet.app().freeze(workers=1, checks=[refuse])
    current = Release.current(quiet.root / ".asok/ssg_cache")
    assert current is not None
    assert current.folder == release.folder
