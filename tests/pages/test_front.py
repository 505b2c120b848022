"""The bounded front in memory."""

from __future__ import annotations

from asok.pages.front import Front


def front(limit: int = 1000) -> Front[bytes]:
    return Front(limit, len)


def test_what_was_put_is_found_until_it_is_dropped() -> None:
    cache = front()
    cache.put("/a", b"1")
    cache.put("/a", b"22")
    assert cache.get("/a") == b"22"
    assert cache.get("/b") is None
    assert (len(cache), cache.bytes) == (1, 2 + 2 + 200)
    cache.drop("/a")
    cache.drop("/a")
    assert (cache.get("/a"), len(cache), cache.bytes) == (None, 0, 0)


def test_bytes_are_bounded_and_long_paths_count() -> None:
    cache = front()
    for number in range(100):
        cache.put(f"/{number}" + "x" * 100, b"1")
        assert cache.bytes <= 1000
    assert 0 < len(cache) < 5


def test_what_was_used_since_gets_a_second_round() -> None:
    cache = front()
    for path in ("/a", "/b", "/c", "/d"):
        cache.put(path, b"x")
    assert cache.get("/a")
    cache.put("/e", b"x")
    assert cache.get("/a")
    assert cache.get("/b") is None


def test_what_is_larger_than_all_is_not_kept() -> None:
    cache = front()
    cache.put("/a", b"x" * 2000)
    assert (cache.get("/a"), cache.bytes) == (None, 0)
    cache.put("/b", b"")
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
