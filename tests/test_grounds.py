"""What every page depends on, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asok import Settings
from asok.grounds import grounds

KEY = "k" * 40


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "wsgi.py": "",
        "src/lib.py": "X = 1",
        "src/pages/a/page.py": "SSG = True",
        "src/pages/b/page.py": "SSG = True",
        "src/components/Badge.py": "",
        "src/build/made.py": "",
        "tests/test_a.py": "",
        "src/.hidden/x.py": "",
        "venv/pyvenv.cfg": "",
        "venv/lib/x.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def made(root: Path, **known: object) -> tuple[dict[str, str], dict[str, str]]:
    settings = Settings.load(root, {}, secret_keys=(KEY,), **known)
    modules = {f"/{name}": root / f"src/pages/{name}/page.py" for name in "ab"}
    return grounds(settings, {**modules, "/c": None})


def test_python_counts_for_every_page_but_a_page_s_own_module(root: Path) -> None:
    common, modules = made(root)
    assert {name for name in common if name.endswith(".py")} == {
        "wsgi.py",
        "src/lib.py",
        "src/components/Badge.py",
        "src/build/made.py",
    }
    assert set(modules) == {"/a", "/b"}
    assert modules["/a"] == modules["/b"] != ""


@pytest.mark.parametrize(
    "code",
    [
        "from src.pages.a.page import SSG",
        "from src.pages.a import page",
        "from src import pages",
        "importlib.import_module('src.pages.a.page')",
    ],
)
def test_a_page_s_module_that_others_import_counts_for_every_page(root: Path, code: str) -> None:
    (root / "src/lib.py").write_text(f"import importlib\n{code}\n")
    assert "src/pages/a/page.py" in made(root)[0]


def test_a_setting_changes_one_name(root: Path) -> None:
    before, _ = made(root)
    after, _ = made(root, base_url="https://example.org")
    assert {name for name in before if before[name] != after[name]} == {"the settings"}
    assert made(root, port=9000)[0] == before
    assert all(KEY not in text for text in before.values())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda root: (root / ".env").write_text("OTHER=1"), ".env"),
        (
            lambda root: (root / "src/components/badge.html").write_text(""),
            "the files in src/components",
        ),
        (lambda root: (root / "src/lib.py").write_text("X = 2"), "src/lib.py"),
    ],
)
def test_each_change_has_its_name(root: Path, change: Callable[[Path], object], name: str) -> None:
    before, _ = made(root)
    change(root)
    after, _ = made(root)
    # Whoever works on Asok itself meanwhile changes that too.
    assert {key for key in after if before.get(key) != after[key]} - {"Asok"} == {name}
