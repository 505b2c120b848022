from __future__ import annotations

import sys
from pathlib import Path

import pytest

from asok.app import Asok
from asok.cli.failure import describe, shown_path
from asok.cli.site import find_site, import_site
from asok.errors import CommandError, PageError, SiteImportError

from .conftest import Run


def test_site_is_found_from_any_folder_in_it(site: Path) -> None:
    assert find_site(site) == site
    assert find_site(site / "src" / "pages") == site


def test_outside_a_site_the_one_below_is_named(site: Path) -> None:
    with pytest.raises(CommandError) as caught:
        find_site(site.parent)
    assert caught.value.fix == "Go into it first: cd site"


def test_application_file_without_source_is_no_site(tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text("")
    with pytest.raises(CommandError, match="holds no src/"):
        find_site(tmp_path)


@pytest.mark.usefixtures("run")
def test_site_is_imported_with_its_folder_first(site: Path) -> None:
    app = import_site(site)
    assert isinstance(app, Asok)
    assert app.root == site
    assert sys.path[0] == str(site)
    assert Path.cwd() == site


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("from asok import Asok\nvalue = 1 / 0\n", "ZeroDivisionError: division by zero", 2),
        ("from asok import Asok\napp = Asok(\n", "SyntaxError", 2),
        ("import nothing_like_this\n", "No module named 'nothing_like_this'", 1),
        ("application = 1\n", "wsgi.py has no 'app'", None),
        ("app = 3\n", "app in wsgi.py is int, expected Asok", None),
    ],
)
def test_application_file_that_is_wrong_is_named_with_its_line(
    source: str, message: str, line: int | None, site: Path
) -> None:
    (site / "wsgi.py").write_text(source)
    with pytest.raises(SiteImportError) as caught:
        import_site(site)
    assert message in caught.value.message
    assert caught.value.file == site / "wsgi.py"
    assert caught.value.line == line


def test_failure_of_a_page_names_file_line_and_cause(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "src/pages/page.py").write_text("SSG = True\nfrom nowhere import thing\n")
    monkeypatch.chdir(site)
    result = run("routes")
    assert result.exit_code == 1
    assert "src/pages/page.py:2" in result.output
    assert "No module named 'nowhere'" in result.output
    assert "Traceback" not in result.output


def test_description_has_message_place_cause_and_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = PageError("it failed.", file=tmp_path / "src/page.py", line=3, fix="Do this.")
    error.__cause__ = KeyError("name")
    assert describe(error).splitlines() == [
        "\x1b[31m\x1b[1merror\x1b[0m  it failed.",
        "\x1b[2m   at\x1b[0m  src/page.py:3",
        "\x1b[2mcause\x1b[0m  KeyError: 'name'",
        "\x1b[32m\x1b[1m  fix\x1b[0m  Do this.",
    ]
    assert shown_path(Path("/elsewhere/x")) == "/elsewhere/x"
