"""An observer is told in its own request, also where a page may know nothing of its visitor."""

from __future__ import annotations

from contextvars import ContextVar
from typing import cast

from asok import observing
from asok.observing import Observer

ONE, OTHER = cast("Observer", object()), cast("Observer", object())
visitor: ContextVar[str] = ContextVar("visitor", default="nobody")


def test_the_innermost_observer_is_told() -> None:
    assert observing.current() is None
    with observing.observed(ONE):
        with observing.observed(OTHER):
            assert observing.current() is OTHER
        assert observing.current() is ONE
    assert observing.current() is None


def test_an_empty_context_knows_the_observer_alone() -> None:
    visitor.set("Ada")
    with observing.observed(ONE):
        context = observing.empty_context()
        assert context.run(observing.current) is ONE
        assert context.run(visitor.get) == "nobody"
    assert list(observing.empty_context()) == []


def test_nobody_is_told_until_somebody_wants_it() -> None:
    assert not observing.wanted()
    observing.begin()
    assert observing.wanted()
    observing.end()
    assert not observing.wanted()
