"""Each site once, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from .sites import SITES, Site, serve_site


@pytest.fixture(scope="session", params=SITES)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Site]:
    folder = tmp_path_factory.mktemp("attacked")
    with serve_site(folder, request.param) as running:
        yield running
