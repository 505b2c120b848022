"""The documentation site, built and served as `make demo` does; and axe for accessibility."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.site import environment, serve

DOCS = Path(__file__).parents[2] / "docs"
AXE = "axe-core@4.11.0"


@pytest.fixture(scope="session")
def docs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the documentation site, built."""
    root = tmp_path_factory.mktemp("docs") / "site"
    shutil.copytree(DOCS, root, ignore=shutil.ignore_patterns(".asok", ".env", "__pycache__"))
    built = subprocess.run(
        [sys.executable, "-m", "asok", "build"],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return root


@pytest.fixture(scope="session")
def docs_url(docs_folder: Path) -> Generator[str]:
    """Where the built site is served."""
    with serve(docs_folder) as url:
        yield url


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The source of axe-core, fetched once from the npm registry."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("axe")
    source = folder / f"{AXE}.min.js"
    if not source.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("npm is not installed; it fetches axe-core: apt-get install -y npm")
        packed = subprocess.run(
            [npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, check=False
        )
        if packed.returncode != 0:
            pytest.fail(f"npm pack {AXE} failed:\n{packed.stdout}{packed.stderr}")
        archive = folder / packed.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as opened:
            member = opened.extractfile("package/axe.min.js")
            assert member is not None
            source.write_bytes(member.read())
        archive.unlink()
    return source.read_text("utf-8")
