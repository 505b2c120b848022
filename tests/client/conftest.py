"""Fixtures of the runtime's tests: a server that speaks the wire."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from .server import LiveServer


@pytest.fixture
def server() -> Generator[LiveServer]:
    started = LiveServer()
    started.start()
    try:
        yield started
    finally:
        started.stop()
