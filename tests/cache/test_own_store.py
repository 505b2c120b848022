"""A store that somebody else wrote, the one of the guide, keeps the shipped contract as shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..docs.blocks import CONTENT, blocks_of

GUIDE = CONTENT / "guides" / "own-store.md"


def pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests in a folder as its author would, without what this repository sets."""
    options = ["-q", "-rfE", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
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
    wrong = store.replace("if lease is not None and", "if lease is None and")
    assert wrong != store
    (tmp_path / "wrong_store.py").write_text(wrong)
    wrong_tests = tests.replace("json_store", "wrong_store").partition("class TestJsonCache")[0]
    (tmp_path / "test_wrong_store.py").write_text(wrong_tests)
    done = pytest(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed == [
        f"test_wrong_store.py::TestJsonStore::test_a_purge_ends_the_lease[{purge}]"
        for purge in ("delete", "clear", "set")
    ]
    assert int(done.stdout.rpartition("failed, ")[2].split()[0]) > 250, "those of the guide passed"
    assert "JsonStore object" in done.stdout, "asserts of the contract show what they compared"
    assert "PytestAssertRewriteWarning" not in done.stdout


def test_only_the_contract_needs_pytest() -> None:
    program = (
        "import sys, asok.testing\nassert 'pytest' not in sys.modules\n"
        "import asok.testing.stores\nassert 'hypothesis' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
