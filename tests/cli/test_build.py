from __future__ import annotations

import json
import py_compile
from pathlib import Path
from typing import Any

import pytest

from asok.cli.bytecode import compile_source
from asok.cli.output import staged
from asok.errors import CommandError, PageError

from .conftest import Run, Spawn
from .test_create import on_terminal


@pytest.fixture
def built(blog: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The blog, with its database, as the working directory."""
    monkeypatch.chdir(blog)
    assert run("migrate").exit_code == 0
    return blog


def current(site: Path) -> str:
    return (site / ".asok/ssg_cache/current").read_text()


def report(result: Any) -> Any:
    return json.loads(result.output)


def test_build_makes_bytecode_assets_and_pages(run: Run, built: Path) -> None:
    result = run("build")
    assert result.exit_code == 0, result.output
    rows = [" ".join(line.split()) for line in result.output.splitlines()]
    assert rows[1] == "Route Made Pages Rendered Size Time"
    assert rows[2].startswith("/ isr 1 min, live 1 1 ")
    assert rows[3].startswith("/blog/[slug] isr 1 h 3 3 ")
    assert rows[4] == "/contact dynamic"
    assert any(row.startswith("4 pages ") for row in rows)
    assert any(row.startswith("3 assets ") and row.endswith("as sent") for row in rows)
    assert "asok preview" in result.output
    assert list((built / "src/pages/__pycache__").glob("page.*.pyc"))
    manifest = json.loads((built / ".asok/assets/manifest.json").read_text())
    assert "css/base.css" in manifest["files"]
    release = built / ".asok/ssg_cache/releases" / current(built).strip()
    bodies = list((release.parents[1] / "pages").iterdir())
    assert len(bodies) == 4
    pages = [path.read_text() for path in bodies]
    assert all(manifest["files"]["css/base.css"]["path"] in page for page in pages)


def test_report_for_programs(run: Run, built: Path) -> None:
    found = report(run("build", "--json"))
    assert found["ok"] is True
    assert found["release"] == current(built).strip()
    assert {page["path"]: page["mode"] for page in found["pages"]} == {
        "/": "isr",
        "/blog/files-are-addresses": "isr",
        "/blog/forms-that-just-work": "isr",
        "/blog/static-until-it-matters": "isr",
    }
    assert all(page["size"] > 0 for page in found["pages"])
    assert {asset["name"] for asset in found["assets"]} >= {"css/base.css", "css/site.css"}
    assert {route["pattern"] for route in found["routes"]} == {"/", "/blog/[slug]", "/contact"}


def test_failing_page_fails_the_build_and_leaves_the_last_one(
    run: Run, spawn: Spawn, built: Path
) -> None:
    assert run("build").exit_code == 0
    before = current(built), (built / ".asok/assets/manifest.json").read_bytes()
    (built / "src/partials/css/base.css").write_text("body { color: red }")
    template = built / "src/pages/blog/[slug]/post.html"
    template.write_text(template.read_text().replace("{{ post.body", "{{ post.boddy"))
    result = spawn("build", cwd=built)
    assert result.returncode == 1
    assert "src/pages/blog/[slug]/post.html:13" in result.stderr
    assert "boddy" in result.stderr
    assert "Traceback" not in result.stderr
    assert (current(built), (built / ".asok/assets/manifest.json").read_bytes()) == before
    assert len(list((built / ".asok/ssg_cache/releases").iterdir())) == 1


def test_failing_first_build_leaves_nothing_to_serve(run: Run, built: Path) -> None:
    (built / "src/pages/page.html").write_text("{{ nothing }}")
    failed = report(run("build", "--json"))
    assert failed["ok"] is False
    assert failed["error"]["file"].endswith("page.html")
    assert not (built / ".asok/assets/manifest.json").exists()
    result = run("preview")
    assert result.exit_code == 1
    assert "isn't built yet" in result.output
    assert "asok build" in result.output


def test_failure_as_json_exits_with_1(run: Run, built: Path) -> None:
    (built / "src/pages/page.py").write_text("SSG = True\nREVALIDATE = 'often'\n")
    result = run("build", "--json")
    assert result.exit_code == 1
    error = report(result)["error"]
    assert error["kind"] == "PageOptionError"
    assert error["fix"]


def test_broken_stylesheet_fails_the_build_with_its_place(run: Run, built: Path) -> None:
    (built / "src/partials/css/base.css").write_text("a { background: url(missing.png) }")
    result = run("build")
    assert result.exit_code == 1
    assert "src/partials/css/base.css:1" in result.output


def test_syntax_error_in_an_unused_file_fails_the_build(run: Run, built: Path) -> None:
    (built / "src/pages/_unused.py").write_text("x = 1\ndef\n")
    result = run("build")
    assert result.exit_code == 1
    assert "src/pages/_unused.py:2" in result.output


def test_file_that_is_no_utf8_can_not_be_compiled(tmp_path: Path) -> None:
    (tmp_path / "page.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(PageError, match="can't be compiled"):
        compile_source(tmp_path)


def test_production_needs_a_secret_key(spawn: Spawn, built: Path) -> None:
    (built / ".env").write_text("DEBUG=true\n")
    result = spawn("build", cwd=built)
    assert result.returncode == 1
    assert "SECRET_KEY is not set" in result.stderr


def test_keep_source_without_an_output_is_refused(run: Run, built: Path) -> None:
    assert run("build", "--keep-source").exit_code == 2


def test_output_is_a_copy_that_runs_without_its_source(
    run: Run, spawn: Spawn, built: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    result = run("build", "-o", str(output))
    assert result.exit_code == 0, result.output
    assert f"cd {output} && asok preview" in result.output
    assert not (output / ".env").exists()
    assert not (output / "tests").exists()
    assert not list(output.glob("*.sqlite3"))
    source = (output / "src/pages/contact/page.py").read_text()
    assert "check(values" not in source
    assert "compiled for CPython" in source
    assert not (built / ".asok/ssg_cache").exists()
    moved = output.rename(tmp_path / "moved")
    listed = spawn("routes", cwd=moved, SECRET_KEY="x" * 40)
    assert listed.returncode == 0, listed.stderr
    assert "/blog/[slug]" in listed.stdout
    for path in (moved / "src/pages").rglob("*.pyc"):
        path.unlink()
    other = spawn("routes", cwd=moved, SECRET_KEY="x" * 40)
    assert other.returncode == 1
    assert "--keep-source" in other.stderr


def test_output_with_source_keeps_it_and_replaces_an_earlier_one(spawn: Spawn, built: Path) -> None:
    output = built / "dist"
    assert spawn("build", "-o", "dist", cwd=built).returncode == 0
    (output / "left.txt").write_text("")
    result = spawn("build", "-o", "dist", "--keep-source", cwd=built)
    assert result.returncode == 0, result.stderr
    assert "def check(" in (output / "src/pages/contact/page.py").read_text()
    assert not (output / "left.txt").exists()
    assert not (output / "dist").exists()
    assert [path.name for path in built.iterdir() if path.name.startswith(".dist")] == []


def test_output_is_not_written_over_something_else(run: Run, built: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/kept").write_text("")
    result = run("build", "-o", str(tmp_path / "mine"))
    assert result.exit_code == 1
    assert "no earlier output" in result.output
    assert (tmp_path / "mine/kept").exists()
    with pytest.raises(CommandError, match="holds the site itself"), staged(built, built.parent):
        pass


def test_failing_build_leaves_an_earlier_output(spawn: Spawn, built: Path) -> None:
    assert spawn("build", "-o", "dist", cwd=built).returncode == 0
    before = current(built / "dist")
    (built / "src/pages/page.html").write_text("{{ nothing }}")
    result = spawn("build", "-o", "dist", cwd=built)
    assert result.returncode == 1
    assert "at  src/pages/page.html:1" in result.stderr
    assert current(built / "dist") == before
    assert [path.name for path in built.iterdir() if path.name.startswith(".dist")] == []


def test_progress_is_shown_on_a_terminal(site: Path) -> None:
    shown = on_terminal(site, [], "build")
    assert "Assets" in shown
    assert "Pages" in shown
    assert "built in" in shown


def test_bytecode_that_is_older_than_its_source_is_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.py").write_text("x = 1\n")
    py_compile.compile(str(tmp_path / "a.py"))
    assert compile_source(tmp_path) == 2
    assert compile_source(tmp_path) == 2


def test_second_build_says_what_it_rendered_and_why(
    run: Run, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever works on Asok itself meanwhile would make every build a full one.
    monkeypatch.setattr("asok.grounds._asok", lambda: ["asok"])
    (built / "src/pages/plain").mkdir()
    (built / "src/pages/plain/page.py").write_text("SSG = True\n")
    (built / "src/pages/plain/page.html").write_text("<!doctype html><h1>Plain</h1>")
    first = report(run("build", "--json"))
    assert (first["full"], first["reused"]) == ("this is the first build", 0)
    second = report(run("build", "--json"))
    assert (second["full"], second["reused"], second["rendered"]) == (None, 5, 0)
    assert {page["reason"] for page in second["pages"]} == {None}
    (built / "src/pages/plain/page.html").write_text("<!doctype html><h1>Other</h1>")
    third = report(run("build", "--json"))
    assert third["reasons"] == {"the template src/pages/plain/page.html changed": 1}
    (built / "src/pages/plain/page.html").write_text("<!doctype html><h1>Another</h1>")
    shown = run("build").output
    assert "4 reused" in shown
    assert "1 rendered   the template src/pages/plain/page.html changed" in shown
    whole = run("build", "--full").output
    assert "all rendered all of it was asked for" in whole
