"""A site's file is executed once, and errors point at the user's own line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asok import site_modules
from asok.source_file import import_file, user_line


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "src" / "pages" / "[slug]").mkdir(parents=True)
    site_modules.install(tmp_path)
    yield tmp_path
    site_modules.uninstall()


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["src/pages/page.py", "src/pages/[slug]/page.py"])
def test_a_file_is_executed_once(root: Path, name: str) -> None:
    path = write(root, name, "made = object()")
    assert import_file(path, root).made is import_file(path, root).made


def test_a_file_that_failed_is_executed_anew(root: Path) -> None:
    path = write(root, "src/pages/[slug]/page.py", "1 / 0")
    with pytest.raises(ZeroDivisionError):
        import_file(path, root)
    assert "src.pages.[slug].page" not in sys.modules
    path.write_text("made = 1  # whole")
    assert import_file(path, root).made == 1


def test_a_file_of_another_kind_is_named(root: Path) -> None:
    with pytest.raises(ImportError, match="no Python file"):
        import_file(write(root, "src/pages/[slug]/page.txt", ""), root)


def failure(root: Path, text: str) -> tuple[Path, int] | None:
    path = write(root, "src/pages/[slug]/page.py", text)
    with pytest.raises(Exception) as caught:
        import_file(path, root)
    return user_line(caught.value, root)


def test_an_error_points_at_the_users_line(root: Path) -> None:
    path = root / "src/pages/[slug]/page.py"
    assert failure(root, "import json\n\njson.loads('{')\n") == (path, 3)
    assert failure(root, "a = 1\nb = = 2\n") == (path, 2)


def test_the_syntax_of_a_text_is_an_error_of_the_line_that_evaluated_it(root: Path) -> None:
    path = root / "src/pages/[slug]/page.py"
    assert failure(root, "a = 1\n\neval('b = = 2')\n") == (path, 3)


def test_an_error_from_elsewhere_has_no_line(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    assert user_line(caught.value, tmp_path) is None
    assert user_line(ValueError("never raised"), tmp_path) is None
