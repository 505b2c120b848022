"""Tags that are named while a value is computed."""

from __future__ import annotations

from typing import Any

import pytest

from asok.cache import Cache
from asok.cache.held import check_held, take_tokens
from asok.errors import CacheKeyError, CacheUnavailable


def test_a_tag_that_was_flushed_meanwhile_forgets_the_value() -> None:
    cache = Cache()
    held = take_tokens(cache, ["a", "b"])
    cache.set("key", 1)
    assert check_held(cache, "key", held)
    assert check_held(cache, "key", {})
    assert cache.get("key") == 1
    cache.forget_tags("b")
    assert not check_held(cache, "key", held)
    assert cache.get("key") is None
    with pytest.raises(CacheKeyError):
        take_tokens(cache, [""])


def test_in_trouble_no_tag_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache()
    held = take_tokens(cache, ["a"])

    def fail(*_: Any, **__: Any) -> Any:
        raise CacheUnavailable("down")

    monkeypatch.setattr(type(cache.store), "get_many", fail)
    assert take_tokens(cache, ["a"]) == {"a": ""}
    assert not check_held(cache, "key", held)
