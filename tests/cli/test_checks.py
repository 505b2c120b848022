"""What `asok build` says of links, budgets and the files for crawlers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run


@pytest.fixture
def broken(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with a link that leads nowhere and one that redirects."""
    monkeypatch.chdir(site)
    base = site / "src/partials/html/base.html"
    links = "".join(f'<a href="/gone{number}">x</a>\n' for number in range(12))
    text = base.read_text().replace("</body>", f'{links}<a href="/about/">y</a></body>')
    base.write_text(text)
    about = site / "src/pages/about"
    about.mkdir()
    (about / "page.py").write_text("SSG = True\n")
    (about / "page.html").write_text("<h1>About</h1>")
    return site


def report(result: Any) -> Any:
    return json.loads(result.output)


def test_broken_links_fail_the_build(run: Run, broken: Path) -> None:
    result = run("build")
    assert result.exit_code == 1
    assert "12 links lead nowhere" in result.output
    assert "src/partials/html/base.html:" in result.output
    assert "--links warn" in result.output
    found = report(run("build", "--json"))
    assert found["error"]["kind"] == "LinkError"
    assert len(found["error"]["checks"]["links"]["broken"]) == 12


def test_broken_links_are_told_of_or_not(run: Run, broken: Path) -> None:
    warned = run("build", "--links", "warn")
    assert warned.exit_code == 0, warned.output
    assert "12 broken" in warned.output
    assert "2 more links lead nowhere" in warned.output
    assert "/about/ redirects to /about" in warned.output
    silent = run("build", "--links", "off")
    assert silent.exit_code == 0
    assert "gone" not in silent.output


def test_misspelt_choice_and_size_are_refused(run: Run, broken: Path) -> None:
    assert "Did you mean warn?" in run("build", "--links", "wran").output
    assert "'big' is no size" in run("build", "--budget", "big").output


def test_budget_and_files_for_crawlers(
    run: Run, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "https://example.org")
    kept = run("build", "--links", "off", "--budget", "1MB")
    assert kept.exit_code == 0, kept.output
    assert "all kept; the heaviest page is /" in kept.output
    assert "/robots.txt, /sitemap.xml" in kept.output
    over = report(run("build", "--links", "off", "--budget", "100", "--json"))
    assert over["error"]["kind"] == "BudgetError"
    assert over["error"]["checks"]["weights"][0]["over"] > 0
