"""Many visitors over several processes: one render, whoever dies; and nobody stops the others."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asok.holes import Holed
from asok.pages import DiskStore, Match, PageOptions, Regenerator, Rendered, Served

from .conftest import MakePage
from .test_regenerate import ISR, Clock, Source, match, text

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*multi-threaded.*fork:DeprecationWarning",
    "ignore:This process.*fork:DeprecationWarning",
)

WORKERS, VISITORS = 4, 50


class Crowd:
    """Processes that begin at the same moment, and a log of their renders."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "ssg_cache"
        self._log = folder / "renders"
        self._log.touch()

    def rendered(self) -> None:
        handle = os.open(self._log, os.O_WRONLY | os.O_APPEND)
        os.write(handle, b"%d\n" % os.getpid())
        os.close(handle)

    @property
    def renders(self) -> int:
        return len(self._log.read_text().split())

    def regenerator(self, render: Callable[[Match], Rendered]) -> Regenerator:
        return Regenerator(DiskStore(self.cache, fingerprint="f"), render, wait=60.0)

    def run(self, work: Callable[[], None]) -> list[int]:
        """Run `work` in every process; returns how each ended (0, or minus the signal)."""
        reader, writer = os.pipe()
        children: list[int] = []
        for _ in range(WORKERS):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    os.close(writer)
                    os.read(reader, 1)  # ends when the parent has closed its own
                    work()
                    status = 0
                finally:
                    os._exit(status)
            children.append(pid)
        os.close(reader)
        os.close(writer)
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


@pytest.fixture
def crowd(tmp_path: Path) -> Crowd:
    return Crowd(tmp_path)


def visit_in_threads(pages: Regenerator) -> list[Served]:
    found: list[Served] = []
    start = threading.Barrier(VISITORS)

    def ask() -> None:
        start.wait()
        found.append(pages.get(match("/about"), ISR))

    threads = [threading.Thread(target=ask) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def visit_in_tasks(pages: Regenerator) -> list[Served]:
    async def main() -> list[Served]:
        return await asyncio.gather(*(pages.aget(match("/about"), ISR) for _ in range(VISITORS)))

    return asyncio.run(main())


@pytest.mark.parametrize("visit", [visit_in_threads, visit_in_tasks])
@pytest.mark.parametrize("state", ["missing", "stale", "expired"])
def test_two_hundred_visitors_over_four_processes_make_one_render(
    crowd: Crowd, page: MakePage, visit: Callable[[Regenerator], list[Served]], state: str
) -> None:
    if state != "missing":
        expire = 600.0 if state == "expired" else None
        old = page(body=b"old", rendered_at=1.0, revalidate=60.0, expire=expire)
        DiskStore(crowd.cache, fingerprint="f").put(old)
    allowed = {b"old", b"made"} if state == "stale" else {b"made"}

    def render(match: Match) -> Rendered:
        crowd.rendered()
        time.sleep(0.2)
        return Rendered(200, [], Holed((b"made",)))

    def work() -> None:
        pages = crowd.regenerator(render)
        found = visit(pages)
        assert len(found) == VISITORS
        assert {text(served) for served in found} <= allowed
        assert pages.drain(60)

    assert crowd.run(work) == [0] * WORKERS
    assert crowd.renders == 1
    final = DiskStore(crowd.cache, fingerprint="f").get("/about")
    assert final is not None
    assert final.holed.body == b"made"


@pytest.mark.parametrize("state", ["missing", "stale"])
def test_when_the_leader_is_killed_exactly_one_other_renders(
    crowd: Crowd, page: MakePage, state: str
) -> None:
    if state == "stale":
        old = page(body=b"old", rendered_at=1.0, revalidate=60.0)
        DiskStore(crowd.cache, fingerprint="f").put(old)

    def render(match: Match) -> Rendered:
        crowd.rendered()
        if crowd.renders == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Rendered(200, [], Holed((b"made",)))

    def work() -> None:
        pages = crowd.regenerator(render)
        if state == "missing":
            assert {text(served) for served in visit_in_threads(pages)} == {b"made"}
            return
        while text(pages.get(match("/about"), ISR)) != b"made":
            time.sleep(0.005)
        assert pages.drain(60)

    ended = crowd.run(work)
    assert sorted(ended) == [-signal.SIGKILL, 0, 0, 0]
    assert crowd.renders == 2


def test_when_the_source_is_down_four_processes_try_once(crowd: Crowd) -> None:
    """Nobody has the page, all wait, the render fails: that is one failure, not four."""

    def render(match: Match) -> Rendered:
        crowd.rendered()
        while len(list(crowd.cache.glob("waiting-*"))) < WORKERS:
            time.sleep(0.005)
        time.sleep(0.5)  # from their mark to the lease
        raise ValueError("the source is down")

    def work() -> None:
        pages = crowd.regenerator(render)
        errors: list[Exception] = []

        def ask() -> None:
            try:
                pages.get(match("/about"), ISR)
            except Exception as error:  # noqa: BLE001
                errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(VISITORS)]
        for thread in threads:
            thread.start()
        (crowd.cache / f"waiting-{os.getpid()}").touch()
        for thread in threads:
            thread.join()
        assert len(errors) == VISITORS
        assert all("the source is down" in str(error) for error in errors)

    assert crowd.run(work) == [0] * WORKERS
    assert crowd.renders == 1


class Attacked:
    """A site whose made-up pages hang in their renders, and whose own pages don't."""

    def __init__(self, store: DiskStore, clock: Clock) -> None:
        self.source = Source()
        self.going = threading.Event()
        self.pages = Regenerator(store, self._render, clock=clock, wait=30.0)

    def _render(self, match: Match) -> Rendered:
        if match.path != "/about" and self.hanging:
            self.going.wait(60)
        return self.source.render(match)

    hanging = False


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[Attacked]:
    clock = Clock()
    store = DiskStore(tmp_path / "ssg_cache", fingerprint="f", max_pages=40, clock=clock)
    site = Attacked(store, clock)
    yield site
    site.going.set()
    site.pages.drain()
    site.pages.close()


def test_made_up_pages_that_hang_do_not_keep_listed_ones_from_regenerating(
    attacked: Attacked,
) -> None:
    pages, source, clock = attacked.pages, attacked.source, attacked.pages.clock
    assert isinstance(clock, Clock)
    assert text(pages.get(match("/about"), ISR)) == b"one"
    for number in range(200):  # five times what may be stored
        pages.get(match(f"/blog/{number}"), ISR)
    clock.now += 100
    attacked.hanging, source.text = True, b"two"
    for number in range(170, 200):
        assert pages.get(match(f"/blog/{number}"), ISR).cache == "STALE"
    assert pages.get(match("/about"), ISR).cache == "STALE"
    end = time.monotonic() + 20
    while text(pages.get(match("/about"), ISR)) != b"two" and time.monotonic() < end:
        time.sleep(0.005)
    assert text(pages.get(match("/about"), ISR)) == b"two"


def test_made_up_misses_that_hang_do_not_keep_listed_ones_from_being_made(
    attacked: Attacked,
) -> None:
    pages = attacked.pages
    attacked.hanging = True

    async def main() -> bytes:
        hanging = [
            asyncio.ensure_future(pages.aget(match(f"/blog/{number}"), ISR))
            for number in range(100)
        ]
        await asyncio.sleep(0.05)
        made = await asyncio.wait_for(pages.aget(match("/about"), ISR), 20)
        attacked.going.set()
        await asyncio.gather(*hanging)
        return text(made)

    assert asyncio.run(main()) == b"one"


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_random_addresses_leave_disk_inodes_and_memory_bounded(
    tmp_path: Path, page: MakePage, count: int
) -> None:
    folder, clock, source = tmp_path / "ssg_cache", Clock(), Source()
    most, most_bytes, memory = 200, 1_000_000, 500_000
    store = DiskStore(
        folder, fingerprint="f", clock=clock, max_pages=most, max_bytes=most_bytes, memory=memory
    )
    pages = Regenerator(store, source.render, clock=clock, gone_limit=500)
    options = PageOptions(ssg=True, revalidate=1e9)
    assert text(pages.get(match("/about"), options)) == b"one"
    source.text, half = b"x" * 3000, 0
    for number in range(count):
        clock.now += 0.001
        source.status = (200, 404, 500)[number % 3]
        pages.get(match(f"/blog/{number}-{number * 7919 % 1_000_003}"), options)
        if number == count // 2:
            half = resident()
        if number % (count // 10) == 0:
            assert pages.get(match("/about"), options).cache == "HIT"
            made = list(os.scandir(folder / "overlay/f/unlisted"))
            assert len(made) <= 2 * most + 2
            assert sum(entry.stat().st_blocks * 512 for entry in made) <= most_bytes + 8192
    assert list((folder / "overlay/f/notes").iterdir()) == []
    assert len(list((folder / "overlay/f/locks").iterdir())) <= 4096
    assert store._front.bytes <= memory  # pyright: ignore[reportPrivateUsage]
    assert len(pages._gone) <= 500  # pyright: ignore[reportPrivateUsage]
    assert resident() - half < 20_000_000
    assert source.calls.count("/about") == 1
