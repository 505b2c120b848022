"""The documentation's code runs: Python compiles, templates parse, and whole sites are asked."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.docs.blocks import CONTENT, Block, blocks_of, documents, steps
from tests.site import load_site, write_site

from asok import Asok
from asok.jinja import Templates
from asok.models import configured_database

ALL = [block for document in documents() for block in blocks_of(document)]
LANGUAGES = {"console", "css", "env", "html", "ini", "js", "json", "nginx", "python", "text"}


def _name(value: Block | Path) -> str:
    return value.name if isinstance(value, Block) else str(value.relative_to(CONTENT))


@pytest.mark.parametrize("block", ALL, ids=_name)
def test_block_says_its_language(block: Block) -> None:
    assert block.language in LANGUAGES


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "python"], ids=_name)
def test_python_compiles(block: Block) -> None:
    ast.parse(block.text, block.name)


# WebOb imports cgi, and Pyramid pkg_resources.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:pkg_resources:UserWarning")
@pytest.mark.parametrize("block", [b for b in ALL if b.language == "python"], ids=_name)
def test_imported_names_exist(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (
            "asok",
            "tet",
        ):
            module = __import__(node.module or "", fromlist=["*"])
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


@pytest.mark.parametrize(
    "block",
    [b for b in ALL if b.language == "html" and "$request" not in b.text],
    ids=_name,
)
def test_template_parses(block: Block) -> None:
    Templates(roots=[]).environment.parse(block.text)


@pytest.mark.parametrize("document", [d for d in documents() if list(steps(d))], ids=_name)
def test_site_of_the_document_answers(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step of the document is a site that starts, answers its pages and passes its tests."""
    for files in steps(document):
        write_site(tmp_path, {block.file: block.text for block in files})
        app = load_site(tmp_path, debug=True)
        attempts = [block.attempt for block in ALL if block.document == document and block.attempt]
        if (tmp_path / "src" / "models").is_dir():
            configured_database().create_tables()
        with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
            for path in [*paths_of(app), *attempts]:
                answer = client.get(path)
                assert answer.status_code < 400, f"{path}: {answer.status_code} {answer.text}"
        module: Any = ModuleType("wsgi")
        module.app = app
        monkeypatch.setitem(sys.modules, "wsgi", module)
        for block in files:
            if block.file.startswith("tests/"):
                run_tests(block)


def run_tests(block: Block) -> None:
    """Run the tests of a block, as pytest would."""
    module: Any = ModuleType(block.file)
    sys.modules[block.file] = module  # where classes look their annotations up
    try:
        exec(compile(block.text, block.name, "exec"), vars(module))
        tests = [value for name, value in vars(module).items() if name.startswith("test_")]
        assert tests, f"{block.name} holds no tests"
        for test in tests:
            test()
    finally:
        del sys.modules[block.file]


SHOWN = [
    block
    for block in ALL
    if block.document.stem.startswith("live-")
    and block.document.stem != "live-updates"
    and block.file.startswith(("src/components", "src/library", "src/models"))
]


@pytest.mark.parametrize("block", SHOWN, ids=_name)
def test_guides_of_examples_show_the_files_that_run_on_this_site(block: Block) -> None:
    assert block.text == (CONTENT.parent / block.file).read_text("utf-8")


def paths_of(app: Asok) -> list[str]:
    """The paths of a site's pages without parameters that answer GET."""
    return [
        route.pattern
        for route in app.router.routes
        if "[" not in route.pattern and app.parts.pages[route.pattern].handler("GET")
    ]


def test_links_between_documents_lead_somewhere() -> None:
    urls = {f"/docs/{d.relative_to(CONTENT).with_suffix('').as_posix()}" for d in documents()}
    pages = CONTENT.parent / "src" / "pages" / "examples"
    examples = {f"/examples/{folder.name}" for folder in pages.iterdir() if folder.is_dir()}
    for document in documents():
        for link in re.findall(r"\]\((/[^)#\s]*)", document.read_text("utf-8")):
            assert link in urls | examples, f"{document} links to {link}"
