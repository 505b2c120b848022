"""The documentation site, built and served as `make demo` does; and axe for accessibility."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Generator
from importlib.resources import files
from pathlib import Path

import pytest
from tests.site import environment, serve

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def docs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the documentation site, built."""
    root = tmp_path_factory.mktemp("docs") / "site"
    shutil.copytree(DOCS, root, ignore=shutil.ignore_patterns(".asok", ".env", "__pycache__"))
    for command in ("migrate", "build"):
        done = subprocess.run(
            [sys.executable, "-m", "asok", command],
            cwd=root,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="session")
def docs_url(docs_folder: Path) -> Generator[str]:
    """Where the built site is served."""
    with serve(docs_folder) as url:
        yield url


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which a package of the test extra carries."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
