"""A kept page as a value: it goes through any cache, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from asok.cache import Cache, CachedPage
from asok.holes import Holed, Sentinels


def holed() -> Holed:
    sentinels = Sentinels()
    html = f"<script nonce='{sentinels.nonce}'></script><input value='{sentinels.csrf}'>é\x00"
    return sentinels.cut(html.encode())


@pytest.mark.parametrize("reads", [None, (), ("page", "q")])
@pytest.mark.parametrize("body", [holed(), Holed((b"\xff\x00binary",))], ids=["holes", "binary"])
def test_a_page_goes_through_any_cache(reads: Any, body: Holed, tmp_path: Any) -> None:
    record = CachedPage(
        status=203,
        headers=(("content-type", "text/html"), ("x", "é")),
        body=body,
        stored_at=1.5,
        reads=reads,
    )
    for cache in (Cache(), Cache(backend="file", path=tmp_path)):
        cache.set("page", record.encode())
        assert CachedPage.decode(cache.get("page")) == record


def test_memory_hands_a_page_out_without_copying_it() -> None:
    cache = Cache()
    cache.set("page", CachedPage(status=200, headers=(), body=holed(), stored_at=0.0).encode())
    assert cache.get("page") is cache.get("page")


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "page",
        (),
        (0, 200, (), b"", (), 0.0, None),
        (1, "x", (), b"", (), 0.0, None),
        (1, 200, (("a",),), b"", (), 0.0, None),
        (1, 200, 5, b"", (), 0.0, None),
        (1, 200, (), "text", (), 0.0, None),
        (1, 200, (), b"", ((5, "nonce"),), 0.0, None),
        (1, 200, (), b"", ((0, "other"),), 0.0, None),
        (1, 200, (), b"", (), "x", None),
        (1, 200, (), b"", (), 0.0, 5),
    ],
)
def test_what_is_no_page_is_none(value: Any) -> None:
    assert CachedPage.decode(value) is None
