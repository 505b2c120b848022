"""Sites to run commands on, and the command line itself, in this process or in its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asok import site_modules
from asok.cli.commands import asok
from asok.cli.scaffold import Scaffold
from asok.pages import configure_on_demand

#: Runs `asok …` in this process, in the folder of the test.
Run = Callable[..., Result]
#: Runs `asok …` as its own process.
Spawn = Callable[..., "subprocess.CompletedProcess[str]"]

_OURS = ("ASOK_", "DATABASE_URL", "DEBUG", "SECRET_KEY", "SESSION_", "BASE_URL")


def clean_environment() -> dict[str, str]:
    """The environment without anything that a site would read."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Run]:
    """Run a command; the working directory, the path and the imported site are put back."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    environment, path = dict(os.environ), list(sys.path)

    def invoke(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(asok, list(arguments), input=text, prog_name="asok")

    yield invoke
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = path
    sys.modules.pop("wsgi", None)
    site_modules.uninstall()


@pytest.fixture
def anew(run: Run) -> Generator[Run]:
    """Run commands one after another, each of which imports the site for itself."""

    def invoke(*arguments: str, text: str | None = None) -> Result:
        sys.modules.pop("wsgi", None)
        site_modules.uninstall()
        return run(*arguments, text=text)

    yield invoke
    configure_on_demand(None)


@pytest.fixture
def spawn(tmp_path: Path) -> Spawn:
    """Run a command as users do."""

    def invoke(
        *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "asok", *arguments],
            cwd=cwd or tmp_path,
            env={**clean_environment(), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return invoke


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A minimal site."""
    folder = tmp_path / "site"
    Scaffold("minimal", folder, "site").write()
    return folder


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    """A blog."""
    folder = tmp_path / "blog"
    Scaffold("blog", folder, "blog").write()
    return folder
