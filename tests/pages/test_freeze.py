"""Builds of a whole site: what is listed, what fails, and how it is shared."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asok.errors import FreezeError, PageOptionError, TemplateSourceError
from asok.holes import Holed
from asok.pages import (
    DiskStore,
    Match,
    PageOptions,
    PageReport,
    Release,
    ReleaseDraft,
    Rendered,
    Report,
    Route,
    Router,
    freeze,
    plan,
)

from .test_router import routes

ROUTER = Router(routes("/", "/about", "/blog/[slug]", "/blog/new", "/shop/[id:int]"))


def render(match: Match) -> Rendered:
    return Rendered(
        200, [("Content-Type", "text/html")], Holed((f"<h1>{match.path}</h1>".encode(),))
    )


def slugs(*names: object) -> Callable[[], list[dict[str, object]]]:
    return lambda: [{"slug": name} for name in names]


def declare(**options: PageOptions) -> Callable[[Route], PageOptions]:
    return lambda route: options.get(route.pattern, PageOptions())


def paths_of(*names: object) -> Callable[[Route], PageOptions]:
    return declare(**{"/blog/[slug]": PageOptions(ssg=True, get_static_paths=slugs(*names))})


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[ReleaseDraft]:
    with ReleaseDraft(tmp_path / "ssg_cache", fingerprint="f", now=1000.0) as made:
        yield made


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests may have left an idle thread, which would keep a build from forking."""
    monkeypatch.setattr("asok.pages.share.threading.active_count", lambda: 1)


forks = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def test_every_static_page_is_built_and_told(draft: ReleaseDraft) -> None:
    options = declare(
        **{
            "/": PageOptions(ssg=True),
            "/blog/[slug]": PageOptions(
                ssg=True, revalidate=60.0, get_static_paths=slugs("b", "a", "b"), tags=("posts",)
            ),
        }
    )
    told: list[tuple[int, int, str]] = []

    def progress(done: int, count: int, page: PageReport) -> None:
        told.append((done, count, page.path))

    report = freeze(ROUTER, options, render, draft, progress=progress)
    assert [(page.path, page.mode, page.error) for page in report.pages] == [
        ("/", "static", None),
        ("/blog/a", "isr", None),
        ("/blog/b", "isr", None),
    ]
    assert told == [(1, 3, "/"), (2, 3, "/blog/b"), (3, 3, "/blog/a")]
    assert report.size == sum(page.size for page in report.pages) > 0
    assert report.failed == ()
    release = draft.publish()
    page = release.read("/blog/a")
    assert page is not None
    assert (page.params, page.revalidate, page.tags) == ({"slug": "a"}, 60.0, ("posts",))
    assert (page.rendered_at, page.listed) == (1000.0, True)


def test_paths_may_come_from_a_coroutine_or_a_generator(draft: ReleaseDraft) -> None:
    async def later() -> list[dict[str, str]]:
        return [{"slug": "async"}]

    def one_by_one() -> Iterator[dict[str, str]]:
        yield {"slug": "é"}

    for function, path in ((later, "/blog/async"), (one_by_one, "/blog/é")):
        options = PageOptions(ssg=True, get_static_paths=function)  # type: ignore[arg-type]
        (job,) = plan(ROUTER, declare(**{"/blog/[slug]": options}))
        assert job.match.path == path


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "expected a list of dicts"),
        ({"slug": "a"}, "expected a list of dicts"),
        ("a", "expected a list of dicts"),
        (["a"], "expected a dict"),
        ([{"slug": "a", "id": 1}], "not a parameter"),
        ([{}], "'slug' is missing"),
        ([{"slug": "a/b"}], "no slash"),
        ([{"slug": ""}], "not empty"),
        ([{"slug": "new"}], "answered by /blog/new/page.html"),
    ],
)
def test_paths_that_do_not_fit_are_refused_naming_the_file(returned: Any, message: str) -> None:
    options = PageOptions(ssg=True, get_static_paths=lambda: returned)
    with pytest.raises(PageOptionError, match=message) as caught:
        plan(ROUTER, declare(**{"/blog/[slug]": options}))
    assert caught.value.file == Path("/blog/[slug]/page.html")
    assert caught.value.fix


def test_a_static_page_with_parameters_has_to_say_which_pages_there_are() -> None:
    with pytest.raises(PageOptionError, match=r'return \[\{"slug": …\}\], or remove SSG'):
        plan(ROUTER, declare(**{"/blog/[slug]": PageOptions(ssg=True)}))


def test_get_static_paths_that_fails_fails_the_build_naming_the_file() -> None:
    def broken() -> list[dict[str, str]]:
        raise LookupError("no table posts")

    options = PageOptions(ssg=True, get_static_paths=broken)
    with pytest.raises(FreezeError, match="LookupError: no table posts") as caught:
        plan(ROUTER, declare(**{"/blog/[slug]": options}))
    assert caught.value.file == Path("/blog/[slug]/page.html")
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_failing_page_fails_the_build_and_the_old_site_stays(tmp_path: Path) -> None:
    folder = tmp_path / "ssg_cache"

    def build(broken: set[str]) -> None:
        def sometimes(match: Match) -> Rendered:
            if match.path in broken:
                raise ValueError(f"no {match.path}")
            return render(match)

        with ReleaseDraft(folder, fingerprint="f") as draft:
            freeze(ROUTER, paths_of("a", "b", "c"), sometimes, draft)
            draft.publish()

    build(set())
    before = Release.current(folder)
    with pytest.raises(FreezeError) as caught:
        build({"/blog/b", "/blog/c"})
    error = caught.value
    assert str(error.file) == "/blog/[slug]/page.html"
    assert "the page /blog/b" in error.message
    assert "ValueError: no /blog/b" in error.message
    assert "1 more failed:\n  /blog/c: ValueError: no /blog/c" in error.message
    assert "in sometimes" in "".join(error.__notes__)
    assert isinstance(error.report, Report)
    assert [page.path for page in error.report.failed] == ["/blog/b", "/blog/c"]
    after = Release.current(folder)
    assert before is not None
    assert after is not None
    assert after.folder == before.folder
    assert len(list((folder / "releases").iterdir())) == 1
    assert DiskStore(folder).get("/blog/b") is not None


def test_an_error_that_knows_its_own_line_keeps_it(draft: ReleaseDraft) -> None:
    def broken(match: Match) -> Rendered:
        raise TemplateSourceError("bad tag.", fix="Close it.", file="post.html", line=7)

    with pytest.raises(FreezeError, match=r"^post\.html:7: the page /blog/a .*Close it"):
        freeze(ROUTER, paths_of("a"), broken, draft)


def test_a_page_that_can_not_be_stored_fails_the_build(draft: ReleaseDraft) -> None:
    def missing(match: Match) -> Rendered:
        return Rendered(404, [], Holed((b"",)))

    with pytest.raises(FreezeError, match="can't be stored: status 404"):
        freeze(ROUTER, paths_of("a"), missing, draft)


def test_a_build_stops_after_ten_failures(draft: ReleaseDraft) -> None:
    calls: list[str] = []

    def broken(match: Match) -> Rendered:
        calls.append(match.path)
        raise ValueError(match.path)

    with pytest.raises(FreezeError, match="9 more failed"):
        freeze(ROUTER, paths_of(*range(50)), broken, draft)
    assert len(calls) == 10


def test_pages_are_built_in_an_empty_context(draft: ReleaseDraft) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("v", default="none")
    variable.set("the builder's")
    seen: list[str] = []

    def look(match: Match) -> Rendered:
        seen.append(variable.get())
        return render(match)

    freeze(ROUTER, paths_of("a"), look, draft)
    assert seen == ["none"]


@forks
@pytest.mark.usefixtures("alone")
def test_processes_build_the_same_release_as_one(tmp_path: Path) -> None:
    def build(name: str, workers: int) -> tuple[Report, dict[str, bytes]]:
        with ReleaseDraft(tmp_path / name, fingerprint="f", now=1000.0) as draft:
            report = freeze(ROUTER, paths_of(*range(100)), render, draft, workers=workers)
            release = draft.publish()
        files = (file for file in release.folder.rglob("*") if file.is_file())
        return report, {str(file.relative_to(release.folder)): file.read_bytes() for file in files}

    alone, shared = build("alone", 1), build("shared", 2)
    assert (alone[0].workers, shared[0].workers) == (1, 2)
    assert alone[1] == shared[1]
    assert [page.path for page in alone[0].pages] == [page.path for page in shared[0].pages]


@forks
@pytest.mark.usefixtures("alone")
def test_forked_processes_begin_with_the_hook(tmp_path: Path, draft: ReleaseDraft) -> None:
    log, parent = tmp_path / "log", os.getpid()

    def hook() -> None:
        assert os.getpid() != parent
        with log.open("a") as file:
            file.write("x")

    freeze(ROUTER, paths_of(*range(40)), render, draft, workers=2, after_fork=hook)
    assert log.read_text() == "xx"


@forks
@pytest.mark.usefixtures("alone")
def test_a_failing_page_in_another_process_fails_the_build(draft: ReleaseDraft) -> None:
    def broken(match: Match) -> Rendered:
        raise ValueError(f"no {match.path}")

    with pytest.raises(FreezeError, match="ValueError: no /blog/") as caught:
        freeze(ROUTER, paths_of(*range(100)), broken, draft, workers=2)
    assert "in broken" in "".join(caught.value.__notes__)


@forks
@pytest.mark.usefixtures("alone")
def test_a_process_that_dies_fails_the_build(draft: ReleaseDraft) -> None:
    parent = os.getpid()

    def die(match: Match) -> Rendered:
        if os.getpid() != parent:
            os.kill(os.getpid(), 9)
        return render(match)

    with pytest.raises(FreezeError, match=r"died \(exit code -9\)"):
        freeze(ROUTER, paths_of(*range(40)), die, draft, workers=2)


@forks
@pytest.mark.usefixtures("alone")
def test_the_first_pages_cost_decides(
    tmp_path: Path, draft: ReleaseDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asok.pages.share._cores", lambda: 2)
    assert freeze(ROUTER, paths_of(*range(100)), render, draft).workers == 1
    monkeypatch.setattr("asok.pages.share._WORTH", 1e9)
    assert freeze(ROUTER, paths_of(*range(400)), render, draft).workers == 1
    monkeypatch.setattr("asok.pages.share._WORTH", -1.0)
    assert freeze(ROUTER, paths_of(*range(400)), render, draft).workers == 2


def test_a_process_with_threads_never_forks(
    draft: ReleaseDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert freeze(ROUTER, paths_of(*range(40)), render, draft, workers=2).workers == 1
    finally:
        stop.set()
        thread.join()
