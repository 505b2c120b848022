"""A hundred thousand made-up addresses leave memory, disk and everybody else as they were."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from .site import Server, served

pytestmark = pytest.mark.soak

PATHS = 100_000
#: Asked for before the first measurement: what is bounded is full then (64 MiB of pages in each
#: worker's memory are less than 2,000 of these).
WARM = 20_000
#: Pages that are kept of those that no build lists (ASOK_PAGES_MAX).
KEPT = 1_000
CLIENTS = 32
#: Private memory that four workers may take more than after the warm-up.
GROWTH = 24 * 1024 * 1024


@dataclass(frozen=True)
class Flood:
    """What a flood got: answers by status, and requests that had none at its end."""

    ok: int
    missing: int
    other: int
    waiting: int


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("random")
    with served(root, ASOK_PAGES_MAX=str(KEPT)) as running:
        yield running


def flood(server: Server, prefix: str, count: int) -> Flood:
    """Ask for `count` addresses below `prefix`, over as many connections as `CLIENTS`."""
    wrk = shutil.which("wrk")
    if wrk is None:
        pytest.fail("wrk is not installed, and this test needs it: sh scripts/soak_services.sh")
    script = str(Path(__file__).with_name("flood.lua"))
    done = subprocess.run(
        [wrk, "-t1", f"-c{CLIENTS}", "-d7200s", "--timeout", "30s", "-s", script, server.url, "--",
         prefix, str(count)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    counts = done.stdout.partition("ANSWERS ")[2].split()
    assert len(counts) == 4, done.stdout + done.stderr
    return Flood(*map(int, counts))


def listed_are_hits(server: Server) -> None:
    for path in ("/", "/any/listed", "/known/listed", "/asked/listed"):
        for _ in range(8):
            answer = httpx.get(server.url + path)
            assert (answer.status_code, answer.headers["x-asok-ssg-cache"]) == (200, "HIT"), path


def often(server: Server) -> int:
    """Have the page that is due every second renewed; return how often it was made."""
    before = int(httpx.get(server.url + "/often").text[3:-4])
    end = time.monotonic() + 30
    while time.monotonic() < end:
        now = int(httpx.get(server.url + "/often").text[3:-4])
        if now > before:
            return now
        time.sleep(0.1)
    raise AssertionError("a listed page was not renewed any more")


@pytest.mark.parametrize(
    ("prefix", "status"),
    [("/any/", 200), ("/known/", 404), ("/asked/", 404), ("/nowhere/", 404), ("/?q=", 200)],
    ids=["generated", "refused", "answered with 404", "no page at all", "a query"],
)
def test_made_up_addresses_are_bounded(server: Server, prefix: str, status: int) -> None:
    listed_are_hits(server)
    flood(server, f"{prefix}warm-", WARM)
    memory, (files, size) = server.memory(), server.disk()
    found = flood(server, f"{prefix}flood-", PATHS)
    assert (found.ok, found.missing) == ((PATHS, 0) if status == 200 else (0, PATHS))
    assert found.waiting <= CLIENTS  # a connection that breaks is one more
    listed_are_hits(server)
    often(server)
    grown = server.memory() - memory
    files_now, size_now = server.disk()
    print(f"\n{prefix}: {found}, memory {grown / 2**20:+.1f} MiB over 4 workers, "
          f"files {files} -> {files_now}, bytes {size:,} -> {size_now:,}")  # fmt: skip
    assert grown < GROWTH
    # A page is a record and a body, with a note here and there; evictions come a little later.
    # A page of the build that was renewed meanwhile is a few files more.
    room = 3 * KEPT if prefix == "/any/" else 8
    assert files_now < max(files, room) + 8
    assert size_now < max(size, room * 49_152) + 65_536


def test_others_pages_are_renewed_during_the_flood(server: Server) -> None:
    process = subprocess.Popen(
        [shutil.which("wrk") or "wrk", "-t1", f"-c{CLIENTS}", "-d60s", "-s",
         str(Path(__file__).with_name("flood.lua")), server.url, "--", "/any/storm-", "10000000"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        made = [often(server) for _ in range(4)]
        listed_are_hits(server)
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait()
    assert made == sorted(set(made))
