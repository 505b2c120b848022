"""Handlers of every kind are called rightly, each inside its scopes."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

from asok.asgi.calling import call, call_from_thread, is_async

depth: list[str] = []


@contextmanager
def scope() -> Generator[None]:
    depth.append("in")
    try:
        yield
    finally:
        depth.append("out")


def guarded(handler: Any) -> Any:
    """A decorator as people write them: it answers itself, or calls the handler."""

    @wraps(handler)
    def inner(request: Any) -> Any:
        return "refused" if request is None else handler(request)

    return inner


async def later(request: Any) -> list[str]:
    return list(depth)


def sync(request: Any) -> list[str]:
    return list(depth)


def hidden(request: Any) -> Any:
    return later(request)


@pytest.fixture(autouse=True)
def _empty() -> None:
    depth.clear()


@pytest.mark.parametrize("handler", [later, sync, guarded(later), hidden])
def test_a_handler_runs_inside_its_scope(handler: Any) -> None:
    seen = asyncio.run(call(handler, 1, [scope]))  # type: ignore[arg-type]
    assert seen.count("in") > seen.count("out"), "it was left before the end"
    assert depth.count("in") == depth.count("out")


def test_a_sync_decorator_may_answer_for_an_async_handler() -> None:
    assert asyncio.run(call(guarded(later), None, [scope])) == "refused"  # type: ignore[arg-type]


@pytest.mark.parametrize("handler", [later, sync, guarded(later), hidden])
def test_a_thread_without_a_loop_calls_every_kind(handler: Any) -> None:
    assert call_from_thread(handler, 1, [scope]) == ["in"]  # type: ignore[arg-type]


def test_kinds_are_told_apart() -> None:
    class Callable:
        async def __call__(self, request: Any) -> None: ...

    assert is_async(later)
    assert is_async(guarded(later))
    assert is_async(Callable())
    assert not is_async(sync)
