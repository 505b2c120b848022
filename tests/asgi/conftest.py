"""A site from a dictionary of files, and a browser for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok.cache import Cache

Open = Callable[..., TestClient]


@pytest.fixture(params=["memory", "file", "redis"])
def open_cached(request: pytest.FixtureRequest, open_site: Open) -> Open:
    """`open_site` with each of the stores of the cache in turn."""
    options: dict[str, Any] = {"cache_backend": request.param}
    if request.param == "redis":
        url = options["redis_url"] = request.getfixturevalue("redis_url")
        Cache(backend="redis", url=url).flush()

    def begin(files: Mapping[str, str], **known: Any) -> TestClient:
        return open_site(files, **options, **known)

    return begin


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
