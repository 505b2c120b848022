"""One site and the three shared caches in front of it, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count

import httpx
import pytest

from .origin import Origin, serve_origin
from .servers import PROXIES, Proxy, proxy_before

_numbers = count(1)


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Generator[Origin]:
    with serve_origin(tmp_path_factory.mktemp("origin")) as running:
        yield running


@pytest.fixture(scope="session", params=sorted(PROXIES))
def proxy(request: pytest.FixtureRequest, origin: Origin) -> Generator[Proxy]:
    with proxy_before(origin.url, request.param) as running:
        yield running


@pytest.fixture
def slug(proxy: Proxy) -> str:
    """A page that no test has asked for, neither at this proxy nor at the site."""
    return f"{proxy.name}-{next(_numbers)}"


@pytest.fixture
def visitor(proxy: Proxy) -> Iterator[httpx.Client]:
    """A browser behind the shared cache, without cookies."""
    with httpx.Client(base_url=proxy.url, timeout=20) as client:
        yield client


@pytest.fixture
def other(proxy: Proxy) -> Iterator[httpx.Client]:
    """Somebody else's browser."""
    with httpx.Client(base_url=proxy.url, timeout=20) as client:
        yield client
