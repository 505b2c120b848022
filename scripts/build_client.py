"""Build the Alive runtime from `client/src`, or prove with `--check` that the committed one is it.

    python scripts/build_client.py            # writes src/asok/live/alive.js
    python scripts/build_client.py --check    # fails when it differs, or is too large

Needs Node: `npm ci --prefix client` first. Nothing else of the project does.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "client"
BUILT = ROOT / "src" / "asok" / "live" / "alive.js"
#: Bytes, after minification and `gzip -9`.
BUDGET = 2048


def build() -> bytes:
    """Return the minified runtime. Properties that end in `_` are ours: they are shortened, as
    `client/names.json` says (chosen for what gzip makes of them)."""
    esbuild = CLIENT / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        sys.exit("esbuild is not installed: run `npm ci --prefix client` (Node 18 or newer).")
    with tempfile.TemporaryDirectory() as folder:
        # esbuild writes to the cache that it reads.
        names = shutil.copy(CLIENT / "names.json", folder)
        command = [
            str(esbuild),
            "src/alive.ts",
            "--bundle",
            "--minify",
            "--format=esm",
            "--target=es2022",
            "--charset=utf8",
            "--legal-comments=none",
            "--mangle-props=[a-z]_$",
            f"--mangle-cache={names}",
            "--log-level=warning",
        ]
        done = subprocess.run(command, cwd=CLIENT, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return done.stdout


def main() -> None:
    """Write or check the built file and say its size."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--check", action="store_true", help="write nothing, compare")
    check = arguments.parse_args().check
    built = build()
    size = len(gzip.compress(built, 9, mtime=0))
    print(f"alive.js: {len(built):,} bytes, {size:,} after gzip -9 (at most {BUDGET:,})")
    if not check:
        BUILT.write_bytes(built)
    elif not BUILT.exists() or BUILT.read_bytes() != built:
        sys.exit(f"{BUILT.relative_to(ROOT)} is not what client/src builds: run {sys.argv[0]}")
    if size > BUDGET:
        sys.exit(f"{size - BUDGET} bytes too large: make room, or load the part by import().")


if __name__ == "__main__":
    main()
