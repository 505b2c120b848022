"""A site from a dictionary of files, and a browser for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

Open = Callable[..., TestClient]


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Open]:
    """Return a function that writes and starts a site and gives a client for it."""
    with ExitStack() as stack:

        def begin(files: Mapping[str, str], **known: object) -> TestClient:
            app = load_site(write_site(tmp_path, files), **known)  # type: ignore[arg-type]
            client = TestClient(
                app,
                base_url="http://localhost",
                follow_redirects=False,
                raise_server_exceptions=False,
            )
            return stack.enter_context(client)

        yield begin
