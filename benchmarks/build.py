"""Building 3,000 pages: the whole process, and the same with one page changed."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sites import posts

PAGES = 3000
ROUNDS = 5


def build(site: Path) -> float:
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "asok", "build"], cwd=site, check=True,
                   env=environment, stdout=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - started


def floor(site: Path) -> float:
    """Writing the same bytes as plain files: what no build can be faster than."""
    bodies = [path.read_bytes() for path in (site / ".asok").rglob("*.html")][:PAGES]
    assert len(bodies) == PAGES
    out = site / "floor"
    started = time.perf_counter()
    out.mkdir()
    for number, body in enumerate(bodies):
        (out / f"{number}.html").write_bytes(body)
    taken = time.perf_counter() - started
    shutil.rmtree(out)
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        site = posts(Path(name), PAGES)
        build(site)  # compiles bytecode and templates
        full: list[float] = []
        plain: list[float] = []
        for _ in range(ROUNDS):
            shutil.rmtree(site / ".asok" / "ssg_cache")
            full.append(build(site))
            plain.append(floor(site))
        taken, written = statistics.median(full), statistics.median(plain)
        print(
            f"build of {PAGES} pages, whole process   {taken:.2f} s ({PAGES / taken:,.0f} pages/s)"
        )
        print(
            f"writing the same files, nothing else   {written:.2f} s, ratio {taken / written:.1f}"
        )
        hugo = shutil.which("hugo")
        print("hugo: " + ("see benchmarks/README.md" if hugo else "not installed, not compared"))


if __name__ == "__main__":
    main()
