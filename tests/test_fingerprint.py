"""The fingerprint of a site changes with what its pages are made of, and with nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.site import write_site

from asok.fingerprint import fingerprint

FILES = {"src/pages/page.html": "home", "content/a.md": "text", "src/models/post.py": "x = 1"}


def test_it_is_the_same_on_every_machine(tmp_path: Path) -> None:
    one = write_site(tmp_path / "one", FILES)
    other = write_site(tmp_path / "other", FILES)
    os.utime(other / "src/pages/page.html", (1, 1))
    assert fingerprint(one) == fingerprint(other)
    assert len(fingerprint(one)) == 32


def test_it_changes_with_sources_content_and_settings(tmp_path: Path) -> None:
    root = write_site(tmp_path, FILES)
    seen = {fingerprint(root), fingerprint(root, "https://a.example"), fingerprint(root, "", "a")}
    (root / "content/a.md").write_text("other")
    seen.add(fingerprint(root))
    (root / "src/pages/page.html").rename(root / "src/pages/page.asok")
    seen.add(fingerprint(root))
    assert len(seen) == 5


def test_what_pages_are_not_made_of_does_not_count(tmp_path: Path) -> None:
    root = write_site(tmp_path, FILES)
    before = fingerprint(root)
    for name in (".asok/x.py", "tests/x.py", "node_modules/a/x.json", "src/__pycache__/x.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1")
    (root / "env").mkdir()
    (root / "env/pyvenv.cfg").touch()
    (root / "env/x.py").write_text("1")
    (root / "db.sqlite3").write_bytes(b"1")
    (root / "exported").mkdir()
    (root / "exported/.asok-export").touch()
    (root / "exported/index.html").write_text("home")
    assert fingerprint(root) == before
    shutil.rmtree(root / "tests")
