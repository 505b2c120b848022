"""REDbot, the lint of HTTP caching, finds nothing to complain about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .origin import Origin

pytestmark = pytest.mark.soak

#: Where scripts/soak_services.sh installs it. It brings a top-level package `tests`, which would
#: hide ours, so it lives in a virtual environment of its own.
INSTALLED = Path(sys.prefix) / "redbot" / "bin" / "redbot"

#: What it warns of and we mean, with the reason.
MEANT = {
    # It says to caches and to readers of the header that nobody's own is in it; 8 bytes.
    "STORE_PUBLIC_UNNECESSARY",
}
#: On a page with a visitor's values: `no-store` would switch off the back-forward cache, and a
#: validator would let a browser put the new policy beside the old body.
MEANT_OF_PRIVATE = {"FRESHNESS_NO_CACHE_NO_VALIDATOR"}


def complaints(url: str) -> set[str]:
    """The names of the notes above "info" about the answer at `url`."""
    redbot = os.environ.get("REDBOT") or shutil.which(INSTALLED) or shutil.which("redbot")
    if redbot is None:
        pytest.fail("redbot is not installed, and this test needs it: sh scripts/soak_services.sh")
    done = subprocess.run(
        [redbot, "--output-format", "har", url], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    entries = json.loads(done.stdout)["log"]["entries"]
    assert entries, done.stdout
    notes = [note for entry in entries for note in entry["_red_messages"]]
    assert notes, done.stdout
    return {note["note_id"] for note in notes if note["level"] not in ("GOOD", "INFO")}


@pytest.mark.parametrize("path", ["/public/linted", "/once", "/news/linted", "/aging/linted"])
def test_a_public_page_is_clean(origin: Origin, path: str) -> None:
    for _ in range(2):  # the render that makes it, and the hit
        assert complaints(origin.url + path) <= MEANT


def test_an_asset_is_clean(origin: Origin) -> None:
    text = httpx.get(origin.url + "/public/linted").text
    path = text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert complaints(origin.url + path) <= MEANT


def test_a_redirect_and_a_missing_page_are_clean(origin: Origin) -> None:
    assert complaints(origin.url + "/nowhere") <= MEANT
    assert complaints(origin.url + "/public/linted/") <= MEANT | MEANT_OF_PRIVATE


@pytest.mark.parametrize("path", ["/form/linted", "/cached", "/account"])
def test_a_private_page_is_clean(origin: Origin, path: str) -> None:
    assert complaints(origin.url + path) <= MEANT_OF_PRIVATE
