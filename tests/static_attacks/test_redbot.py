"""REDbot, the lint of HTTP caching, finds nothing to complain about in files and redirects."""

from __future__ import annotations

import pytest
from tests.proxies.test_redbot import MEANT, complaints

from .sites import BREAKERS, TOKEN, Site

pytestmark = pytest.mark.soak


def test_files_redirects_and_refusals_are_clean(site: Site) -> None:
    base = f"http://127.0.0.1:{site.port}"
    for name in ("style.css", "big.bin", "empty.txt"):
        assert complaints(base + site.urls[name]) <= MEANT
    assert complaints(base + site.prefixes[0] + "/absent.css") == set()
    if site.name in BREAKERS:
        for token in (TOKEN, "9", "1800000000000", "abc"):
            assert complaints(f"{base}/static/{token}/style.css") <= MEANT, token
