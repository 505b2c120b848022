"""What every store of pages keeps to, whatever it is made of: run by test_store.py."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from asok import atomic
from asok.holes import Holed
from asok.pages import (
    DiskStore,
    PageStore,
    Rendered,
    StoredPage,
    Ticket,
    path_tag,
    route_tag,
)

from .places import Place, wait_for

__all__ = ["StoreContract", "stored"]


def stored(
    key: str = "/about",
    body: bytes = b"<h1>About</h1>",
    *,
    pattern: str | None = None,
    params: Mapping[str, str] | None = None,
    rendered_at: float | None = None,
    ticket: Ticket | None = None,
    tags: Iterable[str] = (),
    listed: bool = True,
    holed: Holed | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    revalidate: float | None = None,
    expire: float | None = None,
    status: int = 200,
) -> StoredPage:
    """A page that was rendered just now, or with the `ticket` of its render."""
    return StoredPage.make(
        Rendered(status, list(headers), holed or Holed((body,))),
        path=key,
        pattern=pattern or key.partition("\0")[0],
        params=params or {},
        rendered_at=time.time() if rendered_at is None else rendered_at,
        revalidate=revalidate,
        expire=expire,
        tags=tags,
        listed=listed,
        moment=ticket.moment if ticket else 0.0,
    )


def body(store: PageStore, key: str = "/about") -> bytes | None:
    page = store.get(key)
    return page.holed.body if page else None


def render(store: PageStore, key: str = "/about", text: bytes = b"x", **known: Any) -> bool:
    """Render and store as the regenerator does; False where it was overtaken."""
    ticket = store.begin(key)
    return store.put(stored(key, text, ticket=ticket, **known), ticket=ticket)


#: One look at the store may never confuse two of these, nor fail for one.
HOSTILE = [
    "/",
    "/index",
    "/a",
    "/A",
    "/a.html",
    "/a ",
    "/a\0",
    "/a\0page=2",
    "/a\0page=2\n",
    "/a\n",
    "/a\r\nSET x 1",
    "/a/../b",
    "/b",
    "/a%2f..%2fb",
    "/*",
    "/?",
    "/[ab]",
    "/\\*",
    "/a:l:b",
    "/{a}",
    "/k",
    "/K",
    "/\u212a",
    "/k-",
    "/k45",
    "/\u00e9",
    "/e\u0301",
    "/\u00df",
    "/ss",
    "/\u0130",
    "/日本語",
    "/😀",
    "/\u202e",
    "/" + "x" * 300,
    "/" + "x" * 299 + "y",
    "/" + "日" * 100,
    "/" + "/".join("x" * 300 for _ in range(12)),
]


class StoreContract:
    """Tests with the fixture `place`."""

    # Pages

    def test_everything_of_a_page_comes_back(self, place: Place) -> None:
        page = stored(
            "/blog/a",
            pattern="/blog/[slug]",
            params={"slug": "a"},
            holed=Holed((b"<p>\xff", b"", b"</p>"), ("nonce", "csrf")),
            headers=(("content-type", "text/html; charset=utf-8"), ("x-a", "é")),
            tags=("posts", "post:a"),
            listed=False,
            revalidate=60.0,
            expire=600.5,
            status=203,
        )
        assert place.open().put(page)
        found = place.open().get("/blog/a")
        assert found is not None
        for name in StoredPage.__slots__:
            assert getattr(found, name) == getattr(page, name), name

    def test_a_page_is_the_same_object_until_it_is_written_anew(self, place: Place) -> None:
        store = place.open()
        assert store.get("/about") is None
        assert store.put(stored())
        kept = store.get("/about")
        assert kept is not None
        assert store.get("/about") is kept
        other = place.open()
        before = store.version()
        other.put(stored("/other"))
        wait_for(lambda: store.version() != before, what="the notice of a write")
        assert store.get("/about") is kept
        other.put(stored(body=b"new"))
        wait_for(lambda: body(store) == b"new", what="the notice of the new page")

    def test_another_workers_writes_are_noticed(self, place: Place) -> None:
        store, other = place.open(), place.open()
        assert body(store) is None
        other.put(stored(body=b"one"))
        wait_for(lambda: body(store) == b"one", what="the notice of a page")
        other.fail("/about", time.time(), revalidate=5.0, error="ValueError: x")
        wait_for(lambda: store.look("/about")[1].failures == 1, what="the notice of a failure")
        other.invalidate("/about", time.time(), block=True)
        wait_for(
            lambda: store.look("/about")[1].invalidated == "block",
            what="the notice of an invalidation",
        )
        other.remove("/about", time.time())
        wait_for(lambda: body(store) is None, what="the notice of a removal")

    def test_what_one_wrote_itself_is_there_at_once(self, place: Place) -> None:
        store = place.open()
        for number in range(20):
            before = store.version()
            store.put(stored(body=b"%d" % number))
            assert store.version() != before
            assert body(store) == b"%d" % number
        store.remove("/about", time.time())
        assert body(store) is None

    def test_paths_are_those_of_every_page(self, place: Place) -> None:
        place.build(stored("/built"))
        store = place.open()
        keys = [f"/{number}" for number in range(30)]
        for number, key in enumerate(keys):
            store.put(stored(key, listed=False))
            store.invalidate(f"/note/{number}", time.time(), block=False)
        store.remove("/7", time.time())
        assert sorted(store.paths()) == sorted(["/built", *keys[:7], *keys[8:]])

    def test_clearing_leaves_what_the_build_made(self, place: Place) -> None:
        place.build(stored("/built", b"built"))
        store, other = place.open(), place.open()
        for number in range(10):
            store.put(stored(f"/{number}", listed=False))
        store.put(stored("/built", b"regenerated"))
        assert (body(other, "/built"), body(other, "/3")) == (b"regenerated", b"<h1>About</h1>")
        store.clear()
        assert (body(store, "/built"), body(store, "/3")) == (b"built", None)
        wait_for(lambda: body(other, "/built") == b"built", what="the notice of the clearing")
        assert list(store.paths()) == ["/built"]

    def test_hostile_keys_are_kept_apart(self, place: Place) -> None:
        store = place.open()
        for number, key in enumerate(HOSTILE):
            assert render(store, key, b"%d" % number, listed=False), key
            store.fail(key, 5.0, revalidate=None, error=str(number))
        reader = place.open()
        for number, key in enumerate(HOSTILE):
            page, note = reader.look(key)
            assert page is not None, key
            assert (page.path, page.holed.body, note.error) == (key, b"%d" % number, str(number))
        assert sorted(reader.paths()) == sorted(HOSTILE)
        for key in HOSTILE:
            with store.lease(key, 0) as held, reader.lease(key, 0) as again:
                assert (held, again) == (True, False), key
        for at, key in enumerate(HOSTILE):
            store.remove(key, 5.0)
            assert store.get(key) is None
            if at + 1 < len(HOSTILE):
                assert store.get(HOSTILE[at + 1]) is not None

    @pytest.mark.parametrize("part", ["record", "body"])
    @pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff\x00" * 50, b'{"format":1'])
    def test_damage_is_a_miss_and_heals(self, place: Place, part: str, data: bytes) -> None:
        place.open().put(stored())
        place.damage("/about", part, data)
        store = place.open()
        assert body(store) is None
        assert store.put(stored(body=b"healed"))
        assert body(place.open()) == b"healed"

    def test_code_of_another_fingerprint_has_pages_and_notes_of_its_own(self, place: Place) -> None:
        store, other = place.open(), place.open(fingerprint="f2")
        store.put(stored())
        store.invalidate("/about", 5.0, block=True)
        assert other.look("/about")[1].generation == 0
        assert render(other, text=b"other")
        assert (body(store), body(place.open())) == (b"<h1>About</h1>",) * 2

    def test_what_earlier_code_made_on_demand_is_stale(self, place: Place) -> None:
        place.build(stored("/built"))
        earlier = place.open()
        assert render(earlier, "/made", b"made", listed=False)
        assert render(earlier, "/built", b"regenerated")
        assert render(earlier, "/listed", listed=True)
        earlier.fail("/made", time.time(), revalidate=None, error="x")
        place.build(stored("/built", b"built by f2"), fingerprint="f2", now=time.time())
        store = place.open(fingerprint="f2")
        page, note = store.look("/made")
        assert page is not None
        assert (page.holed.body, note.invalidated, note.failures) == (b"made", "stale", 0)
        assert body(store, "/built") == b"built by f2"
        assert body(store, "/listed") is None, "delisted"
        assert sorted(store.paths()) == ["/built", "/made"]
        assert render(store, "/made", b"made by f2", listed=False)
        assert body(store, "/made") == b"made by f2"
        assert store.look("/made")[1].quiet
        assert body(earlier, "/made") == b"made", "whose workers still serve"
        store.remove("/made", time.time())
        assert body(place.open(fingerprint="f2"), "/made") is None

    def test_clearing_leaves_nothing_to_inherit(self, place: Place) -> None:
        for name in ("f1", "f2"):
            assert render(place.open(fingerprint=name), "/made", listed=False)
        place.open(fingerprint="f2").clear()
        assert list(place.open(fingerprint="f3").paths()) == []
        assert body(place.open(fingerprint="f1"), "/made") is None

    # The build below

    def test_the_build_tells_what_is_listed(self, place: Place) -> None:
        assert place.open().listed("/built") is None
        place.build(stored("/built"))
        store = place.open()
        store.put(stored("/made", listed=False))
        assert [store.listed(key) for key in ("/built", "/made", "/x")] == [True, False, False]

    def test_the_newer_of_two_wins(self, place: Place) -> None:
        place.build(stored(body=b"built", rendered_at=1000.0), stored("/left", rendered_at=1000.0))
        store = place.open()
        assert body(store) == b"built"
        store.put(stored(body=b"regenerated", rendered_at=2000.0))
        store.put(stored("/left", rendered_at=2000.0))
        store.put(stored("/made", b"made", rendered_at=2000.0, listed=False))
        assert body(store) == b"regenerated"
        place.build(stored(body=b"built again", rendered_at=3000.0), now=3000.0)
        newer = place.open()
        assert body(newer) == b"built again"
        assert body(newer, "/left") is None, "no longer listed"
        assert body(newer, "/made") == b"made"

    def test_a_built_page_that_answers_404_is_hidden_until_it_is_back(self, place: Place) -> None:
        place.build(stored(body=b"built", rendered_at=1000.0))
        store = place.open()
        store.remove("/about", 2000.0)
        assert body(store) is None
        assert body(place.open()) is None
        store.put(stored(body=b"back", rendered_at=2500.0))
        assert body(place.open()) == b"back"

    def test_an_invalidation_before_the_build_is_done_with(self, place: Place) -> None:
        place.build(stored(rendered_at=1000.0))
        place.open().invalidate("/about", 2000.0, block=True)
        assert place.open().look("/about")[1].invalidated == "block"
        place.build(stored(rendered_at=3000.0), now=3000.0)
        assert place.open().look("/about")[1].quiet

    def test_a_tag_reaches_what_the_build_made(self, place: Place) -> None:
        place.build(stored(tags=("posts",)), stored("/other"), now=time.time())
        store, other = place.open(), place.open()
        assert other.look("/about")[1].quiet
        store.invalidate_tag("posts", time.time(), block=True)
        assert store.look("/about")[1].invalidated == "block"
        assert store.look("/other")[1].quiet
        wait_for(lambda: other.look("/about")[1].invalidated, what="the notice of the tag")

    # Notes

    def test_failures_are_counted_until_a_success(self, place: Place) -> None:
        store = place.open()
        store.put(stored(revalidate=5.0))
        first = store.fail("/about", 100.0, revalidate=5.0, error="ValueError: x")
        assert (first.failures, first.retry_at, first.error) == (1, 105.0, "ValueError: x")
        second = place.open().fail("/about", 200.0, revalidate=5.0, error="é" * 2000)
        assert (second.failures, second.retry_at, len(second.error)) == (2, 210.0, 500)
        page, note = place.open().look("/about")
        assert page is not None
        assert note == second
        assert render(store)
        assert place.open().look("/about")[1].quiet

    def test_an_invalidation_forgets_failures(self, place: Place) -> None:
        store = place.open()
        store.put(stored())
        store.fail("/about", 100.0, revalidate=None, error="x")
        note = store.invalidate("/about", 200.0, block=False)
        assert (note.failures, note.retry_at, note.generation) == (0, 0.0, 1)
        assert store.look("/about")[1] == note
        assert store.invalidate("/about", 300.0, block=True).generation == 2
        assert store.look("/about")[1].invalidated == "block"

    def test_notes_of_many_workers_are_all_counted(self, place: Place) -> None:
        stores = [place.open() for _ in range(4)]

        def invalidate(store: DiskStore) -> None:
            for _ in range(10):
                store.invalidate("/about", 5.0, block=False)

        threads = [threading.Thread(target=invalidate, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert place.open().look("/about")[1].generation == 40

    # Invalidated while it renders

    @pytest.mark.parametrize("by_another", [False, True])
    def test_an_invalidation_during_a_render_wins(self, place: Place, by_another: bool) -> None:
        store = place.open()
        store.put(stored(body=b"old"))
        ticket = store.begin("/about")
        (place.open() if by_another else store).invalidate("/about", time.time(), block=True)
        assert not store.put(stored(body=b"made meanwhile", ticket=ticket), ticket=ticket)
        page, note = place.open().look("/about")
        assert page is not None
        assert (page.holed.body, note.invalidated) == (b"old", "block")
        assert render(store, text=b"new")
        page, note = place.open().look("/about")
        assert page is not None
        assert (page.holed.body, note.quiet, note.generation) == (b"new", True, 1)

    @pytest.mark.parametrize("by_another", [False, True])
    @pytest.mark.parametrize(
        "tag", ["posts", "post:é\n*", path_tag("/blog/a"), route_tag("/blog/[slug]")]
    )
    def test_a_tag_during_a_render_wins(self, place: Place, tag: str, by_another: bool) -> None:
        store = place.open()
        known: dict[str, Any] = {"pattern": "/blog/[slug]", "tags": ("post:é\n*", "posts")}
        key = "/blog/a\0page=2"
        ticket, foreign = store.begin(key), store.begin("/blog/b")
        (place.open() if by_another else store).invalidate_tag(tag, time.time(), block=False)
        assert not store.put(stored(key, ticket=ticket, **known), ticket=ticket)
        assert store.get(key) is None
        assert store.put(stored("/blog/b", ticket=foreign), ticket=foreign)
        assert render(store, key, **known)
        assert place.open().look(key)[1].quiet

    def test_a_page_without_a_ticket_is_stored(self, place: Place) -> None:
        store = place.open()
        store.invalidate("/about", time.time(), block=True)
        assert store.put(stored())
        assert store.look("/about")[1].quiet

    # Tags

    @pytest.mark.parametrize("block", [False, True])
    def test_a_tag_invalidates_the_pages_that_have_it(self, place: Place, block: bool) -> None:
        store, other = place.open(), place.open()
        for key in ("/a", "/b", "/c"):
            assert render(store, key, tags=("posts", f"post:{key}") if key != "/c" else ())
            assert other.look(key)[1].quiet
        assert store.invalidate_tag("posts", time.time(), block=block)
        expected = ["block" if block else "stale"] * 2 + [""]
        assert [store.look(key)[1].invalidated for key in ("/a", "/b", "/c")] == expected
        wait_for(
            lambda: [other.look(key)[1].invalidated for key in ("/a", "/b", "/c")] == expected,
            what="the notice of the tag",
        )
        assert [place.open().look(key)[1].invalidated for key in ("/a", "/b", "/c")] == expected
        assert render(other, "/a", tags=("posts",))
        assert other.look("/a")[1].quiet
        wait_for(lambda: store.look("/a")[1].quiet, what="the notice of the new page")
        assert store.look("/b")[1].invalidated == expected[1]

    def test_to_block_is_stronger_than_to_serve_the_old_one(self, place: Place) -> None:
        store = place.open()
        assert render(store, tags=("a", "b"))
        for tag, block in (("a", False), ("b", True), ("a", False)):
            store.invalidate_tag(tag, time.time(), block=block)
        assert store.look("/about")[1].invalidated == "block"
        assert place.open().look("/about")[1].invalidated == "block"
        assert render(store, tags=("a", "b"))
        store.invalidate_tag("a", time.time(), block=False)
        assert place.open().look("/about")[1].invalidated == "stale"

    def test_a_path_takes_every_query_along_and_a_pattern_every_path(self, place: Place) -> None:
        store = place.open()
        keys = ["/blog/a", "/blog/a\0page=2", "/blog/b", "/blog/ab"]
        for key in keys:
            assert render(store, key, pattern="/blog/[slug]")
        store.invalidate_tag(path_tag("/blog/a"), time.time(), block=True)
        assert [store.look(key)[1].invalidated for key in keys] == ["block", "block", "", ""]
        store.invalidate_tag(route_tag("/blog/[slug]"), time.time(), block=False)
        assert [place.open().look(key)[1].invalidated for key in keys] == ["block"] * 2 + [
            "stale"
        ] * 2

    def test_failures_from_before_a_tag_are_forgotten(self, place: Place) -> None:
        store = place.open()
        assert render(store, tags=("a",))
        store.fail("/about", time.time(), revalidate=None, error="x")
        assert store.look("/about")[1].failures == 1
        store.invalidate_tag("a", time.time(), block=False)
        note = store.look("/about")[1]
        assert (note.failures, note.invalidated) == (0, "stale")
        store.fail("/about", time.time(), revalidate=None, error="y")
        note = place.open().look("/about")[1]
        assert (note.failures, note.error, note.invalidated) == (1, "y", "stale")

    def test_the_moment_of_a_tag_is_known_and_rises(self, place: Place) -> None:
        store, other = place.open(), place.open()
        assert store.tag_moment("a", "b") == 0.0
        moments: list[float] = []
        for number in range(5):
            began = store.begin("/about").moment
            (store if number % 2 else other).invalidate_tag("a", time.time(), block=False)
            moment = place.open().tag_moment("a", "b")
            assert began <= moment
            moments.append(moment)
        assert moments == sorted(set(moments))
        assert moments[-1] < store.begin("/about").moment
        assert place.open().tag_moment("b") == 0.0

    # Leases

    def test_a_lease_has_one_holder(self, place: Place) -> None:
        store, other = place.open(), place.open()
        with store.lease("/a", 0) as held:
            assert held
            with store.lease("/a", 0) as again:
                assert not again
            with other.lease("/a", 0.05) as again:
                assert not again
            with other.lease("/b", 0) as another:
                assert another
        with other.lease("/a", 0) as held:
            assert held

    def test_a_lease_is_given_back_by_who_fails(self, place: Place) -> None:
        store = place.open()
        with pytest.raises(ValueError, match="render"), store.lease("/a", 0):
            raise ValueError("render")
        with place.open().lease("/a", 0) as held:
            assert held

    def test_whoever_waited_for_a_lease_sees_what_was_stored(self, place: Place) -> None:
        store, other = place.open(), place.open()
        assert render(store, text=b"old")
        assert body(other) == b"old"
        seen: list[bytes | None] = []

        def wait() -> None:
            with other.lease("/about", 30) as held:
                assert held
                seen.append(body(other))

        with store.lease("/about", 0):
            thread = threading.Thread(target=wait)
            thread.start()
            time.sleep(0.05)
            assert render(store, text=b"new")
        thread.join()
        assert seen == [b"new"]

    def test_a_killed_holders_lease_passes_on(self, place: Place) -> None:
        holder = place.spawn(
            """
            with store.lease("/a", 0) as held:
                print(held, flush=True)
                time.sleep(600)
            """
        )
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "True\n"
            store = place.open()
            with store.lease("/a", 0) as held:
                assert not held
            os.kill(holder.pid, signal.SIGKILL)
            with store.lease("/a", 30) as held:
                assert held
        finally:
            holder.kill()
            holder.communicate()

    def test_of_many_processes_one_holds_the_lease(self, place: Place) -> None:
        workers = [
            place.spawn(
                """
                print("ready", flush=True)
                input()
                with store.lease("/a", 60):
                    if store.get("/a") is None:
                        print("rendered", flush=True)
                        time.sleep(0.1)
                        ticket = store.begin("/a")
                        assert store.put(stored("/a", ticket=ticket), ticket=ticket)
                """
            )
            for _ in range(4)
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        outputs = [worker.communicate()[0] for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * 4
        assert "".join(outputs).count("rendered") == 1

    # Bounds

    def test_pages_made_on_demand_are_bounded_in_number(self, place: Place) -> None:
        store = place.open(max_pages=20)
        store.put(stored("/listed"))
        for number in range(100):
            store.put(stored(f"/made/{number}", listed=False))
        made = [key for key in place.open().paths() if key != "/listed"]
        assert 10 <= len(made) <= 20
        assert "/made/99" in made
        assert body(place.open(), "/listed") is not None

    def test_pages_made_on_demand_are_bounded_in_bytes(self, place: Place) -> None:
        store = place.open(max_bytes=400_000)
        for number in range(40):
            store.put(stored(f"/made/{number}", b"%05d" % number * 6000, listed=False))
        sizes = [len(body(store, key) or b"") for key in place.open().paths()]
        assert 200_000 <= sum(sizes) <= 400_000
        assert body(place.open(), "/made/39") == b"00039" * 6000

    def test_a_page_that_gets_listed_is_no_longer_counted(self, place: Place) -> None:
        store = place.open(max_pages=5)
        store.put(stored(body=b"demand", listed=False))
        store.put(stored(body=b"listed"))
        for number in range(20):
            store.put(stored(f"/made/{number}", listed=False))
        assert body(place.open(), "/about") == b"listed"

    def test_the_same_page_again_and_again_takes_no_more_room(self, place: Place) -> None:
        store = place.open(max_bytes=100_000)
        for number in range(5):
            store.put(stored(f"/made/{number}", listed=False))
        for number in range(100):
            store.put(stored("/made/0", b"%05d" % number * 1000, listed=False))
        assert len(list(place.open().paths())) == 5

    # Several processes

    def test_readers_never_see_half_a_page(self, place: Place) -> None:
        bodies = {b"a" * 20_000, b"b" * 40_000}
        writers = [
            place.spawn(
                f"""
                for number in range(60):
                    store.put(stored(body={text!r}, listed=number % 3 > 0))
                """
            )
            for text in bodies
        ]
        seen: set[bytes | None] = set()
        while any(writer.poll() is None for writer in writers):
            seen.add(body(place.open() if len(place.stores) < 30 else place.stores[-1]))
        assert [writer.wait() for writer in writers] == [0, 0]
        for writer in writers:
            writer.communicate()
        assert seen <= {None, *bodies}
        assert body(place.open()) in bodies

    def test_nothing_from_before_an_invalidation_is_ever_fresh(self, place: Place) -> None:
        """Renders read a number that only rises, and is invalidated after each step."""
        truth = place.folder.parent / "truth"
        truth.write_text("0")
        renderers = [
            place.spawn(
                f"""
                import random
                truth = Path({str(truth)!r})
                def work(seed):
                    choose = random.Random(seed)
                    for _ in range(120):
                        key = f"/{{choose.randrange(8)}}"
                        with store.lease(key, 0) as held:
                            if held or choose.random() < 0.3:
                                ticket = store.begin(key)
                                text = truth.read_bytes()
                                time.sleep(choose.random() * 0.004)
                                page = stored(key, text, ticket=ticket, tags=("all",))
                                store.put(page, ticket=ticket)
                threads = [threading.Thread(target=work, args=({number} + n,)) for n in range(2)]
                [thread.start() for thread in threads]
                [thread.join() for thread in threads]
                """
            )
            for number in (10, 20)
        ]
        store, other, number = place.open(), place.open(), 0
        while any(renderer.poll() is None for renderer in renderers):
            number += 1
            atomic.write(truth, b"%d" % number)
            (store if number % 2 else other).invalidate_tag("all", 0.0, block=True)
            for key in range(8):
                page, note = (store if number % 2 else other).look(f"/{key}")
                if page is not None and note.quiet:
                    assert int(page.holed.body) == number
            time.sleep(0.01)
        assert [renderer.wait() for renderer in renderers] == [0, 0]
        for renderer in renderers:
            renderer.communicate()
        for key in range(8):
            page, note = place.open().look(f"/{key}")
            assert page is not None
            assert note.invalidated or int(page.holed.body) == number

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # since 3.12
    def test_a_forked_worker_notices_its_parents_writes(self, place: Place) -> None:
        store = place.open()
        store.put(stored(body=b"old"))
        assert body(store) == b"old"
        ready, write = os.pipe()
        child = os.fork()
        if not child:  # pragma: no cover - in another process
            code = 1
            try:
                os.read(ready, 1)
                end = time.monotonic() + 20
                while body(store) != b"new" and time.monotonic() < end:
                    time.sleep(0.02)
                render(store, "/child", b"child")
                code = int(body(store) != b"new")
            finally:
                os._exit(code)
        store.put(stored(body=b"new"))
        os.write(write, b"x")
        _, status = os.waitpid(child, 0)
        os.close(ready)
        os.close(write)
        assert os.waitstatus_to_exitcode(status) == 0
        wait_for(lambda: body(store, "/child") == b"child", what="the notice of the child's page")
