"""Get or make: who renders, who waits, what is stored, and what never is."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asok.errors import ConfigurationError, FreezeError
from asok.holes import Holed
from asok.pages import (
    DiskStore,
    Match,
    PageOptions,
    Regenerator,
    ReleaseDraft,
    Rendered,
    Router,
    Served,
    State,
    Ticket,
    path_tag,
    route_tag,
)

from .conftest import MakePage
from .test_router import routes

ISR = PageOptions(ssg=True, revalidate=60.0)
SSG = PageOptions(ssg=True)
ROUTER = Router(routes("/about", "/blog/[slug]"))


class Source:
    """What the pages show, and how often it was asked."""

    def __init__(self) -> None:
        self.text = b"one"
        self.status = 200
        self.headers: list[tuple[str, str]] = []
        self.tags: tuple[str, ...] = ()
        self.error: Exception | None = None
        self.calls: list[str] = []
        self.during: Callable[[], None] = lambda: None

    def render(self, match: Match) -> Rendered:
        self.calls.append(match.path)
        text, error = self.text, self.error
        self.during()
        if error is not None:
            raise error
        return Rendered(self.status, list(self.headers), Holed((text,)), self.tags)


class Clock:
    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "ssg_cache", fingerprint="f")


@pytest.fixture
def pages(store: DiskStore, source: Source, clock: Clock) -> Iterator[Regenerator]:
    made = Regenerator(store, source.render, clock=clock, wait=20.0)
    yield made
    made.close()


def until(event: threading.Event) -> Callable[[], None]:
    def wait() -> None:
        event.wait(20)

    return wait


def match(path: str) -> Match:
    found = ROUTER.match(path)
    assert found is not None
    return found


def text(served: Served) -> bytes:
    if served.page is not None:
        return served.page.holed.body
    return served.rendered.holed.body if served.rendered else b""


def see(pages: Regenerator, path: str = "/about", options: PageOptions = ISR) -> tuple[str, bytes]:
    served = pages.get(match(path), options)
    return served.cache, text(served)


def test_a_miss_is_made_once_and_then_served(pages: Regenerator, source: Source) -> None:
    assert see(pages) == ("MISS", b"one")
    source.text = b"two"
    assert see(pages) == ("HIT", b"one")
    assert source.calls == ["/about"]


def test_a_stale_page_is_served_and_renewed_behind_it(
    pages: Regenerator, source: Source, clock: Clock
) -> None:
    see(pages)
    source.text, clock.now = b"two", clock.now + 100
    assert see(pages) == ("STALE", b"one")
    assert pages.drain()
    assert see(pages) == ("HIT", b"two")
    assert len(source.calls) == 2


def test_a_page_without_revalidate_stays(pages: Regenerator, source: Source, clock: Clock) -> None:
    see(pages, options=SSG)
    clock.now += 10**9
    assert see(pages, options=SSG) == ("HIT", b"one")
    assert len(source.calls) == 1


def test_two_hundred_stale_hits_make_one_render(
    pages: Regenerator, source: Source, clock: Clock
) -> None:
    see(pages)
    clock.now += 100
    going, go = threading.Event(), threading.Event()

    def wait() -> None:
        going.set()
        go.wait(20)

    source.during = wait
    assert see(pages) == ("STALE", b"one")
    assert going.wait(20)
    assert {see(pages) for _ in range(200)} == {("STALE", b"one")}
    go.set()
    assert pages.drain()
    assert len(source.calls) == 2


def test_misses_of_threads_share_one_render(pages: Regenerator, source: Source) -> None:
    found: list[bytes] = []
    start = threading.Barrier(20)
    source.during = lambda: time.sleep(0.05)

    def ask() -> None:
        start.wait()
        found.append(see(pages)[1])

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"one"] * 20
    assert len(source.calls) == 1


def test_misses_of_tasks_share_one_render_and_the_loop_goes_on(
    pages: Regenerator, source: Source
) -> None:
    go = threading.Event()
    source.during = until(go)

    async def main() -> list[Served]:
        tasks = [asyncio.ensure_future(pages.aget(match("/about"), ISR)) for _ in range(200)]
        while not source.calls:
            await asyncio.sleep(0.001)
        go.set()
        return await asyncio.gather(*tasks)

    served = asyncio.run(main())
    assert {text(one) for one in served} == {b"one"}
    assert len(source.calls) == 1
    assert asyncio.run(pages.aget(match("/about"), ISR)).cache == "HIT"


def test_a_cancelled_visitor_does_not_cancel_the_others(pages: Regenerator, source: Source) -> None:
    go = threading.Event()
    source.during = until(go)

    async def main() -> bytes:
        first = asyncio.ensure_future(pages.aget(match("/about"), ISR))
        while not source.calls:
            await asyncio.sleep(0.001)
        second = asyncio.ensure_future(pages.aget(match("/about"), ISR))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0.01)
        go.set()
        return text(await second)

    assert asyncio.run(main()) == b"one"
    assert len(source.calls) == 1


def processes(count: int, work: Callable[[int], None]) -> list[int]:
    children: list[int] = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work(number)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in children]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("known", [False, True])
def test_processes_share_one_render(tmp_path: Path, page: MakePage, known: bool) -> None:
    """200 misses, or 200 stale hits, over 4 processes."""
    folder, log = tmp_path / "ssg_cache", tmp_path / "renders"
    log.touch()
    if known:
        DiskStore(folder, fingerprint="f").put(page(body=b"old", rendered_at=1.0, revalidate=60.0))

    def render(match: Match) -> Rendered:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.1)
        return Rendered(200, [], Holed((b"made",)))

    def work(number: int) -> None:
        pages = Regenerator(DiskStore(folder, fingerprint="f"), render, wait=20.0)
        allowed = {b"old", b"made"} if known else {b"made"}
        found: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: found.extend(see(pages)[1] for _ in range(5)))
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert pages.drain()
        assert len(found) == 50
        assert set(found) <= allowed

    assert processes(4, work) == [0] * 4
    assert len(log.read_text().split()) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_killed_regeneration_passes_on(tmp_path: Path, source: Source, page: MakePage) -> None:
    folder = tmp_path / "ssg_cache"
    DiskStore(folder, fingerprint="f").put(page(body=b"old", rendered_at=1.0, revalidate=60.0))

    def render(match: Match) -> Rendered:
        os.kill(os.getpid(), 9)
        raise AssertionError

    def work(number: int) -> None:
        pages = Regenerator(DiskStore(folder, fingerprint="f"), render)
        see(pages)
        pages.drain()

    assert processes(1, work) == [9]
    pages = Regenerator(DiskStore(folder, fingerprint="f"), source.render)
    assert see(pages) == ("STALE", b"old")
    assert pages.drain()
    assert see(pages) == ("HIT", b"one")


def test_who_waited_too_long_renders_for_itself(store: DiskStore, source: Source) -> None:
    pages = Regenerator(store, source.render, wait=0.05)
    with store.lease("/about", 0):
        assert see(pages) == ("MISS", b"one")


def test_who_waited_for_another_process_gets_its_page(
    store: DiskStore, source: Source, page: MakePage, clock: Clock
) -> None:
    pages = Regenerator(store, source.render, clock=clock, wait=20.0)
    found: list[Served] = []
    thread = threading.Thread(target=lambda: found.append(pages.get(match("/about"), ISR)))
    with store.lease("/about", 0):
        thread.start()
        time.sleep(0.05)
        store.put(page(body=b"theirs", rendered_at=clock.now))
    thread.join()
    assert (found[0].cache, text(found[0]), found[0].collapsed) == ("HIT", b"theirs", True)
    assert source.calls == []


def test_a_background_regeneration_leaves_it_to_another_process(
    pages: Regenerator, source: Source, clock: Clock, store: DiskStore
) -> None:
    see(pages)
    clock.now += 100
    with store.lease("/about", 0):
        assert see(pages) == ("STALE", b"one")
        assert pages.drain()
    assert len(source.calls) == 1


def test_a_failing_regeneration_keeps_the_page_and_backs_off(
    pages: Regenerator, source: Source, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    see(pages)
    source.error, clock.now = ValueError("the source is down"), clock.now + 100
    tries: list[float] = []
    for _ in range(600):
        before = len(source.calls)
        assert see(pages) == ("STALE", b"one")
        assert pages.drain()
        if len(source.calls) > before:
            tries.append(clock.now)
        clock.now += 1
    assert [b - a for a, b in itertools.pairwise(tries)][:3] == [30, 60, 60]
    assert "ValueError: the source is down" in pages.store.look("/about")[1].error
    assert "the last good page stays" in caplog.text
    source.error, source.text = None, b"two"
    clock.now += 60
    see(pages)
    pages.drain()
    assert see(pages) == ("HIT", b"two")
    assert pages.store.look("/about")[1].quiet


@pytest.mark.parametrize(
    ("status", "headers"),
    [(500, []), (503, []), (302, [("location", "/x")]), (200, [("Set-Cookie", "a=b")]), (403, [])],
)
def test_what_may_not_be_stored_never_replaces_a_page(
    pages: Regenerator,
    source: Source,
    clock: Clock,
    status: int,
    headers: list[tuple[str, str]],
) -> None:
    see(pages)
    source.status, source.headers, source.text = status, headers, b"bad"
    clock.now += 100
    assert see(pages) == ("STALE", b"one")
    pages.drain()
    assert see(pages) == ("STALE", b"one")
    assert pages.store.look("/about")[1].failures == 1
    # The same on a miss: this visitor gets it, nobody else does.
    assert see(pages, "/blog/x") == ("MISS", b"bad")
    assert pages.store.get("/blog/x") is None


def test_a_redirect_is_stored_as_one(pages: Regenerator, source: Source) -> None:
    source.status, source.headers = 308, [("Location", "/new")]
    see(pages)
    served = pages.get(match("/about"), ISR)
    assert served.page is not None
    assert (served.cache, served.page.status) == ("HIT", 308)
    assert ("location", "/new") in served.page.headers


def test_a_failing_miss_reaches_everybody_who_waits_and_is_tried_again(
    pages: Regenerator, source: Source
) -> None:
    source.error = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        see(pages)
    source.error = None
    assert see(pages) == ("MISS", b"one")


def test_an_expired_page_waits_for_the_new_one(
    pages: Regenerator, source: Source, clock: Clock
) -> None:
    options = PageOptions(ssg=True, revalidate=60.0, expire=600.0)
    see(pages, options=options)
    source.text, clock.now = b"two", clock.now + 601
    assert see(pages, options=options) == ("MISS", b"two")
    # …and is better than an error.
    source.error, clock.now = ValueError("down"), clock.now + 601
    assert see(pages, options=options) == ("STALE", b"two")
    calls = len(source.calls)
    assert see(pages, options=options) == ("STALE", b"two")
    assert len(source.calls) == calls, "not before the delay is over"


def test_a_page_that_is_gone_is_removed_and_remembered_shortly(
    pages: Regenerator, source: Source, clock: Clock
) -> None:
    see(pages)
    source.status, clock.now = 404, clock.now + 100
    see(pages)
    pages.drain()
    assert pages.store.get("/about") is None
    served = pages.get(match("/about"), ISR)
    assert served.decision.state is State.GONE
    assert (served.page, served.rendered) == (None, None)
    assert len(source.calls) == 2
    source.status, clock.now = 200, clock.now + 61
    assert see(pages) == ("MISS", b"one")


def test_a_404_writes_nothing_and_a_published_page_is_seen_at_once(
    pages: Regenerator, source: Source, store: DiskStore
) -> None:
    source.status = 404
    served = pages.get(match("/blog/new"), ISR)
    assert served.rendered is not None
    assert served.rendered.status == 404
    for _ in range(3):
        assert pages.get(match("/blog/new"), ISR).decision.state is State.GONE
    assert len(source.calls) == 1
    assert not [file for file in store.folder.rglob("*.json") if file.is_file()]
    source.status = 200
    # Published in another process: its invalidation ends this one's memory.
    DiskStore(store.folder, fingerprint="f").invalidate("/blog/new", 1.0, block=True)
    assert see(pages, "/blog/new") == ("MISS", b"one")


@pytest.mark.parametrize(
    "tag", [path_tag("/blog/new"), route_tag("/blog/[slug]"), "posts", "post:new"]
)
def test_an_invalidated_tag_of_a_404_ends_its_memory_in_every_process(
    pages: Regenerator, source: Source, store: DiskStore, tag: str
) -> None:
    options = PageOptions(ssg=True, tags=("posts",))
    source.status, source.tags = 404, ("post:new",)
    others = DiskStore(store.folder, fingerprint="f")
    others.invalidate_tag(tag, 1.0, block=False)  # before: of no account
    pages.get(match("/blog/new"), options)
    others.invalidate_tag("post:other", 1.0, block=False)
    assert pages.get(match("/blog/new"), options).decision.state is State.GONE
    source.status = 200
    others.invalidate_tag(tag, 1.0, block=False)
    assert see(pages, "/blog/new", options) == ("MISS", b"one")


def test_memory_of_missing_pages_is_bounded(store: DiskStore, source: Source) -> None:
    source.status = 404
    pages = Regenerator(store, source.render, gone_limit=10)
    for number in range(50):
        pages.get(match(f"/blog/{number}"), ISR)
    assert len(pages._gone) == 10  # pyright: ignore[reportPrivateUsage]


def test_revalidate_path_makes_the_next_visitor_wait_for_the_new_page(
    pages: Regenerator, source: Source
) -> None:
    see(pages, options=SSG)
    source.text = b"two"
    pages.revalidate_path("/about")
    assert see(pages, options=SSG) == ("MISS", b"two")
    source.text = b"three"
    pages.revalidate_path("/about", block=False)
    assert see(pages, options=SSG) == ("STALE", b"two")
    pages.drain()
    assert see(pages, options=SSG) == ("HIT", b"three")


def test_an_invalidation_during_a_render_makes_it_render_again(
    pages: Regenerator, source: Source
) -> None:
    def publish() -> None:
        if len(source.calls) == 1:
            source.text = b"two"
            pages.revalidate_path("/about")

    source.during = publish
    assert see(pages) == ("MISS", b"two")
    assert see(pages) == ("HIT", b"two")
    assert len(source.calls) == 2


def test_endless_invalidations_end_in_a_page_that_is_not_stored_and_say_why(
    pages: Regenerator, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    source.during = lambda: pages.revalidate_path("/about")
    served = pages.get(match("/about"), ISR)
    assert served.page is None
    assert text(served) == b"one"
    assert len(source.calls) == 3
    assert pages.store.get("/about") is None
    assert "/about was invalidated during each of 3 renders" in caplog.text


def test_a_render_sees_nothing_of_who_triggered_it(store: DiskStore) -> None:
    visitor: contextvars.ContextVar[str] = contextvars.ContextVar("visitor", default="nobody")

    def render(match: Match) -> Rendered:
        return Rendered(200, [], Holed((visitor.get().encode(),)))

    visitor.set("alice")
    pages = Regenerator(store, render)
    assert see(pages) == ("MISS", b"nobody")
    assert text(asyncio.run(pages.aget(match("/blog/x"), ISR))) == b"nobody"
    pages.close()


def build(folder: Path, page: MakePage, *paths: str) -> None:
    with ReleaseDraft(folder, fingerprint="f", now=1.0) as draft:
        for path in paths:
            found = match(path)
            pattern = found.route.pattern
            draft.add_page(page(path, b"built", pattern=pattern, rendered_at=1.0))
        draft.publish()


def test_unlisted_paths_are_made_or_refused(tmp_path: Path, page: MakePage, source: Source) -> None:
    folder = tmp_path / "cache"
    build(folder, page, "/about", "/blog/listed")
    pages = Regenerator(DiskStore(folder), source.render)
    closed = PageOptions(ssg=True, fallback="404")
    assert see(pages, "/blog/listed", closed) == ("HIT", b"built")
    refused = pages.get(match("/blog/other"), closed)
    assert (refused.page, refused.rendered, source.calls) == (None, None, [])
    # A listed page that was invalidated is still listed.
    pages.revalidate_path("/blog/listed")
    assert see(pages, "/blog/listed", closed) == ("MISS", b"one")
    assert see(pages, "/blog/other", ISR) == ("MISS", b"one")
    stored = pages.store.get("/blog/other")
    assert stored is not None
    assert not stored.listed
    listed = pages.store.get("/blog/listed")
    assert listed is not None
    assert listed.listed


class Lister:
    """A `get_static_paths` that counts how often it is asked."""

    def __init__(self, *slugs: str) -> None:
        self.slugs = slugs
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self) -> list[dict[str, str]]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return [{"slug": slug} for slug in self.slugs]

    def options(self) -> PageOptions:
        return PageOptions(ssg=True, fallback="404", get_static_paths=self)


def refused(served: Served) -> bool:
    return (served.page, served.rendered) == (None, None)


def test_without_a_build_the_page_is_asked_once_which_paths_it_has(
    pages: Regenerator, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    lister, now = Lister("first", "second"), [100.0]
    monkeypatch.setattr(pages._maker.listing, "_clock", lambda: now[0])  # pyright: ignore[reportPrivateUsage]
    assert see(pages, "/blog/first", lister.options()) == ("MISS", b"one")
    for _ in range(20):
        assert refused(pages.get(match("/blog/other"), lister.options()))
        assert refused(asyncio.run(pages.aget(match("/blog/more"), lister.options())))
        assert see(pages, "/blog/second", lister.options())[1] == b"one"
    assert (lister.calls, source.calls) == (1, ["/blog/first", "/blog/second"])
    # What is published meanwhile is found within a minute.
    lister.slugs, now[0] = ("first", "other"), 159.0
    assert refused(pages.get(match("/blog/other"), lister.options()))
    now[0] = 160.0
    assert see(pages, "/blog/other", lister.options()) == ("MISS", b"one")
    assert lister.calls == 2
    # What it no longer lists is refused, though it is stored.
    assert refused(pages.get(match("/blog/second"), lister.options()))


def test_a_list_that_fails_is_not_asked_for_by_every_request(
    pages: Regenerator, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    lister, now = Lister("first"), [100.0]
    lister.error = ValueError("the database is down")
    monkeypatch.setattr(pages._maker.listing, "_clock", lambda: now[0])  # pyright: ignore[reportPrivateUsage]
    for _ in range(5):
        with pytest.raises(FreezeError, match="the database is down"):
            pages.get(match("/blog/first"), lister.options())
    assert (lister.calls, source.calls) == (1, [])
    lister.error, now[0] = None, 160.0
    assert see(pages, "/blog/first", lister.options()) == ("MISS", b"one")
    lister.error, now[0] = ValueError("down again"), 300.0
    with pytest.raises(FreezeError):
        pages.get(match("/blog/other"), lister.options())
    assert see(pages, "/blog/first", lister.options()) == ("HIT", b"one")
    assert lister.calls == 3


def test_a_page_that_other_code_stored_for_the_path_is_not_served(
    pages: Regenerator, store: DiskStore, page: MakePage
) -> None:
    store.put(page("/blog/a", b"of another page", pattern="/[...rest]", rendered_at=10_000.0))
    assert see(pages, "/blog/a", SSG) == ("MISS", b"one")
    assert see(pages, "/blog/a", SSG) == ("HIT", b"one")


def test_a_page_made_on_demand_is_refused_when_only_listed_ones_are_wanted(
    tmp_path: Path, page: MakePage, source: Source
) -> None:
    folder = tmp_path / "cache"
    build(folder, page, "/blog/listed")
    pages = Regenerator(DiskStore(folder), source.render)
    assert see(pages, "/blog/made", SSG) == ("MISS", b"one")
    assert refused(pages.get(match("/blog/made"), PageOptions(ssg=True, fallback="404")))
    assert see(pages, "/blog/made", SSG) == ("HIT", b"one")


def test_a_page_of_the_release_that_is_gone_stays_away(
    tmp_path: Path, page: MakePage, source: Source, clock: Clock
) -> None:
    folder = tmp_path / "cache"
    build(folder, page, "/blog/listed")
    pages = Regenerator(DiskStore(folder), source.render, clock=clock)
    source.status = 410
    pages.revalidate_path("/blog/listed")
    assert pages.get(match("/blog/listed"), ISR).rendered is not None
    clock.now += 61
    assert pages.get(match("/blog/listed"), ISR).rendered is not None
    assert pages.store.get("/blog/listed") is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_starts_its_own_threads(pages: Regenerator, source: Source, clock: Clock) -> None:
    asyncio.run(pages.aget(match("/about"), ISR))
    clock.now += 100
    see(pages)
    pages.drain()

    def work(number: int) -> None:
        clock.now += 100
        source.text = b"child"
        assert see(pages) == ("STALE", b"one")
        assert pages.drain()
        assert see(pages) == ("HIT", b"child")
        asyncio.run(pages.aget(match("/blog/child"), ISR))

    assert processes(1, work) == [0]


@pytest.mark.parametrize(
    "options", [{"wait": 0}, {"threads": 0}, {"renders": 0}, {"gone_seconds": 61.0}]
)
def test_wrong_bounds_are_refused(
    store: DiskStore, source: Source, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError):
        Regenerator(store, source.render, **options)


def test_who_waits_for_a_page_that_turns_out_to_be_missing_is_told_so(
    store: DiskStore, source: Source
) -> None:
    pages = Regenerator(store, source.render, wait=20.0)
    source.status = 404
    found: list[Served] = []
    with store.lease("/about", 0):
        thread = threading.Thread(target=lambda: found.append(pages.get(match("/about"), ISR)))
        thread.start()
        time.sleep(0.05)
        pages._gone.add("/about", time.time(), Ticket(0, 0.0))  # pyright: ignore[reportPrivateUsage]
    thread.join()
    assert (found[0].collapsed, found[0].decision.state) == (True, State.GONE)
    assert source.calls == []


def test_random_addresses_leave_disk_and_memory_bounded(tmp_path: Path, source: Source) -> None:
    folder = tmp_path / "cache"
    store = DiskStore(folder, fingerprint="f", max_pages=50, memory=100_000)
    pages = Regenerator(store, source.render, gone_limit=100)
    see(pages)
    for number in range(1000):
        source.status = 200 if number % 2 else 404
        pages.get(match(f"/blog/{number}"), ISR)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) < 50 * 2 + 1000  # leases are at most 4096, whatever is asked for
    assert len([file for file in files if file.suffix in (".html", ".json")]) <= 50 * 2 + 2
    assert see(pages) == ("HIT", b"one")


def test_a_404_that_was_overtaken_by_an_invalidation_is_not_believed(
    pages: Regenerator, source: Source
) -> None:
    """The article is published while its page is asked for."""
    source.status = 404

    def publish() -> None:
        if len(source.calls) == 1:
            pages.store.invalidate_tag("\0path:/blog/new", 0.0, block=False)
            source.during = lambda: None
            source.status = 200

    def answer(match: Match) -> Rendered:
        status = source.status
        made = source.render(match)
        return Rendered(status, made.headers, made.holed)

    source.during = publish
    pages = Regenerator(pages.store, answer, clock=pages.clock)
    assert see(pages, "/blog/new") == ("MISS", b"one")
    assert len(source.calls) == 2


def test_a_failure_that_was_overtaken_by_an_invalidation_is_tried_again(
    pages: Regenerator, source: Source
) -> None:
    source.error = ValueError("half of the data was written")

    def publish() -> None:
        pages.store.invalidate_tag("\0route:/about", 0.0, block=False)
        source.error, source.during = None, lambda: None

    source.during = publish
    assert see(pages) == ("MISS", b"one")
    assert len(source.calls) == 2


def test_who_waited_for_a_render_that_failed_gets_its_error(
    store: DiskStore, source: Source, clock: Clock
) -> None:
    """Another process was at it: each of those who waited would fail once more."""
    pages = Regenerator(store, source.render, clock=clock, wait=20.0)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            see(pages)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=ask)
    with store.lease("/about", 0):
        thread.start()
        while not len(pages._flight):  # pyright: ignore[reportPrivateUsage]
            time.sleep(0.001)
        time.sleep(0.05)
        store.fail("/about", clock.now + 1, revalidate=None, error="ValueError: down")
    thread.join()
    assert "ValueError: down" in str(errors[0])
    assert source.calls == []
    # Who comes later is not concerned.
    clock.now += 2
    assert see(pages) == ("MISS", b"one")
    assert store.look("/about")[1].quiet


def test_a_failing_miss_of_a_made_up_path_leaves_nothing_on_the_disk(
    store: DiskStore, source: Source, pages: Regenerator
) -> None:
    source.error = ValueError("down")
    for number in range(20):
        with pytest.raises(ValueError, match="down"):
            see(pages, f"/blog/{number}")
    assert not [file for file in store.folder.rglob("*.json") if file.is_file()]
    with pytest.raises(ValueError, match="down"):
        see(pages)
    assert store.look("/about")[1].failures == 1


def test_a_wrong_clock_does_not_keep_a_404_for_long(
    pages: Regenerator, source: Source, clock: Clock
) -> None:
    source.status, clock.now = 404, clock.now + 10**6
    pages.get(match("/blog/new"), ISR)
    clock.now -= 10**6
    source.status = 200
    assert see(pages, "/blog/new") == ("MISS", b"one")


def test_failures_are_counted_over_all_workers(
    tmp_path: Path, source: Source, clock: Clock, page: MakePage
) -> None:
    """The source is down for an hour: no error, and few tries, whoever is asked."""
    folder = tmp_path / "ssg_cache"
    workers = [
        Regenerator(DiskStore(folder, fingerprint="f", clock=clock), source.render, clock=clock)
        for _ in range(4)
    ]
    see(workers[0])
    source.error = OSError("the source is down")
    tries: list[float] = []
    clock.now += 100
    start = clock.now
    while clock.now < start + 3600:
        for worker in workers:
            before = len(source.calls)
            assert see(worker) == ("STALE", b"one")
            assert worker.drain()
            tries += [clock.now] * (len(source.calls) - before)
        clock.now += 5
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert min(gaps) >= 30
    assert len(tries) <= 3600 / 30
    assert len(tries) >= 3600 / 70, "it is tried, though"
    source.error, source.text = None, b"two"
    clock.now += 60
    see(workers[3])
    workers[3].drain()
    assert [see(worker) for worker in workers] == [("HIT", b"two")] * 4


@pytest.mark.parametrize("end", ["old", "gone", "failed"])
def test_a_render_that_hung_does_not_replace_the_page_of_a_later_one(
    store: DiskStore, source: Source, end: str
) -> None:
    hangs, go, found = threading.Event(), threading.Event(), list[tuple[str, bytes]]()

    def render(match: Match) -> Rendered:
        if hangs.is_set():
            return source.render(match)
        hangs.set()
        go.wait(20)
        if end == "failed":
            raise ValueError("in the end")
        return Rendered(404 if end == "gone" else 200, [], Holed((b"old",)))

    pages = Regenerator(store, render, wait=0.05)
    thread = threading.Thread(target=lambda: found.append(see(pages)))
    thread.start()
    assert hangs.wait(20)
    source.text = b"new"
    assert see(pages) == ("MISS", b"new")
    go.set()
    thread.join()
    assert found == [("HIT", b"new")]
    assert see(pages) == ("HIT", b"new")
    assert store.look("/about")[1].quiet
