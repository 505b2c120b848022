"""Every benchmark, one after the other: `make bench`, or `python benchmarks/run.py pages build`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
_PARTS = (
    "browsers", "builders", "clicks", "idle", "live_peers", "load", "peers", "processor", "run",
    "sites",
)  # fmt: skip
ALL = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in _PARTS)


def main() -> int:
    names = sys.argv[1:] or ALL
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}.")
        return 2
    failed = 0
    for name in names:
        print(f"\n== {name}: python benchmarks/{name}.py", flush=True)
        failed |= subprocess.run([sys.executable, str(HERE / f"{name}.py")]).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
