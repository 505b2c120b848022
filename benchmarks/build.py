"""Building 3,000 and 30,000 pages: all of them, and again with one page changed.

The whole process is measured, on one core, against Hugo and Eleventy with the same texts and
the same template, and against writing the same bytes and nothing else. Results are moved
aside, not removed, between rounds: ext4 is slow where thousands of files were removed within
the last minute.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import builders

_names = itertools.count()


def timed(command: list[str], folder: Path) -> float:
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL
    )  # fmt: skip
    return time.perf_counter() - started


def aside(folder: Path, bin: Path) -> None:
    """Move what a build made out of its way."""
    if folder.exists():
        folder.rename(bin / str(next(_names)))


def floor(bodies: list[bytes], folder: Path) -> float:
    """Writing the same bytes as plain files: what no build can be faster than."""
    started = time.perf_counter()
    folder.mkdir()
    for number, body in enumerate(bodies):
        (folder / f"{number}.html").write_bytes(body)
    return time.perf_counter() - started


def compare(count: int, rounds: int, *, node: bool) -> None:
    """Measure all builders in turn, `rounds` times, and print medians and ratios."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bin = root / "bin"
        bin.mkdir()
        site = builders.asok(root / "asok", count)
        command = [sys.executable, "-m", "asok", "build"]
        changed = site / "content" / "post-1.txt"
        peers: dict[str, Callable[[], float]] = {}
        for title, make in (("Hugo", builders.hugo), ("Eleventy", builders.eleventy)):
            if title == "Eleventy" and not node:
                continue
            other = root / title
            other.mkdir()
            made = make(other, count)
            if made is None:
                print(f"{title} is not here, and is not compared")
                continue

            def run(made: list[str] = made, other: Path = other) -> float:
                aside(other / "public", bin)
                return timed(made, other)

            peers[title] = run

        def full() -> float:
            aside(site / ".asok" / "ssg_cache", bin)
            return timed(command, site)

        def one() -> float:
            changed.write_text(f"Post {next(_names)}")
            return timed(command, site)

        full()  # compiles bytecode and templates
        bodies = [path.read_bytes() for path in (site / ".asok/ssg_cache/pages").iterdir()]
        assert len(bodies) == count + 1
        works = {
            "Asok, all pages": full,
            "Asok, one changed": one,
            "writing the files": lambda: floor(bodies, bin / f"floor-{next(_names)}"),
            **peers,
        }
        times: dict[str, list[float]] = {title: [] for title in works}
        for _ in range(rounds):
            for title, work in works.items():
                times[title].append(work())
        medians = {title: statistics.median(found) for title, found in times.items()}
        whole = medians["Asok, all pages"]
        for title, taken in medians.items():
            print(
                f"{count:6,} pages  {title:18} {taken:6.2f} s  {count / taken:7,.0f} pages/s  "
                f"{taken / whole:5.2f} of Asok's full build"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[3000, 30_000])
    parser.add_argument("--rounds", type=int, default=5, help="a third of it from 10,000 pages on")
    parser.add_argument("--all-cores", action="store_true", help="do not stay on one core")
    parser.add_argument("--no-node", action="store_true", help="leave Eleventy out")
    chosen = parser.parse_args()
    print("python benchmarks/build.py", *sys.argv[1:])
    if not chosen.all_cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for count in chosen.pages:
        rounds = chosen.rounds if count < 10_000 else max(1, chosen.rounds // 3)
        compare(count, rounds, node=not chosen.no_node)


if __name__ == "__main__":
    main()
