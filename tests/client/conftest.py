"""Fixtures of the runtime's tests: a server that speaks the wire."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import Page

from .server import LiveServer


@pytest.fixture
def server() -> Generator[LiveServer]:
    started = LiveServer()
    started.start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def page(server: LiveServer, page: Page) -> Page:
    """The suite's page, closed before the server stops: no reconnecting into the void."""
    return page
