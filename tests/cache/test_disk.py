"""A disk that is really full, and folders that are really denied: a miss, never a failure."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ..services import program

#: What every program below does with a cache that can't be written to.
ASK = """
import sys
from asok.cache import Cache
def ask(cache):
    assert cache.remember("new", 60, lambda: {"computed": 1}) == {"computed": 1}
    assert cache.remember("big", 60, lambda: "x" * 20_000) == "x" * 20_000
    assert cache.incr("count", 3) == 3
    assert not cache.set("set", "x" * 3000)
    assert cache.stats()["errors"]
"""


def test_a_full_disk_keeps_the_old_values_and_every_page(tmp_path: Path) -> None:
    """A file system of 256 KB, in a mount namespace of the program's own."""
    code = ASK + textwrap.dedent(
        """
        import subprocess
        from pathlib import Path
        folder = sys.argv[1]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder], check=True)
        cache = Cache(backend="file", path=folder + "/cache")
        assert cache.set("old", "o" * 3000)
        assert cache.set("other", "o" * 3000)
        filler = open(folder + "/filler", "wb", buffering=0)
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
        ask(cache)
        assert cache.get("old") == "o" * 3000
        cache.set("other", "n" * 20_000)
        assert cache.get("other") == "o" * 3000, "the old value stays"
        leftovers = [path.name for path in Path(folder).rglob(".tmp-*")]
        assert not leftovers, leftovers
        empty = [path for path in Path(folder).rglob("*.json") if not path.stat().st_size]
        assert not empty, empty
        filler.truncate(0)
        assert cache.remember("new", 60, lambda: "stored") == "stored"
        assert cache.get("new") == "stored"
        """
    )
    unshare = program("unshare", package="util-linux")
    command = [unshare, "--user", "--mount", "--map-root-user", sys.executable, "-c", code]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("denied", ["reading", "writing"])
def test_a_folder_that_is_denied_costs_misses_only(tmp_path: Path, denied: str) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o000 if denied == "reading" else 0o555)
    code = ASK + textwrap.dedent(
        """
        import os
        import asok.cache.file  # while its libraries can still be read
        if os.geteuid() == 0:  # whom nothing is denied
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        cache = Cache(backend="file", path=sys.argv[1])
        assert cache.get("old", "miss") == "miss"
        ask(cache)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "Permission denied" in done.stderr, "it is logged"
    assert done.stderr.count("counts as empty") == 1
