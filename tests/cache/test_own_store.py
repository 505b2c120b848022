"""A store that somebody else wrote, the one of the guide, keeps the shipped contract as shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..docs.blocks import CONTENT, blocks_of

GUIDE = CONTENT / "guides" / "own-store.md"


def pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in a folder as its author would, without what this repository sets."""
    usual = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *usual, *options, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_store_of_the_guide_passes_and_a_wrong_one_fails_with_values(tmp_path: Path) -> None:
    store, tests, use = [b.text for b in blocks_of(GUIDE) if b.language == "python"]
    (tmp_path / "json_store.py").write_text(store)
    (tmp_path / "test_json_store.py").write_text(tests)
    (tmp_path / "test_use.py").write_text(f"{use}\n\ndef test_use():\n    assert value == 450\n")
    passed = pytest(tmp_path)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert " passed" in passed.stdout
    assert "failed" not in passed.stdout
    assert "PytestAssertRewriteWarning" not in passed.stdout
    wrong = store.replace("if lease is not None and", "if lease is None and")
    assert wrong != store
    (tmp_path / "json_store.py").write_text(wrong)
    failed = pytest(tmp_path, "-k", "purge_ends_the_lease")
    assert failed.returncode == 1
    assert "test_a_purge_ends_the_lease" in failed.stdout
    assert "JsonStore object" in failed.stdout, "asserts of the contract show what they compared"


def test_only_the_contract_needs_pytest() -> None:
    program = (
        "import sys, asok.testing\nassert 'pytest' not in sys.modules\n"
        "import asok.testing.stores\nassert 'hypothesis' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
