"""The examples of the guide and the reference run, in their order, on both databases."""

from __future__ import annotations

import ast
import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
from tests.docs.blocks import CONTENT, blocks_of
from tests.site import load_site, write_site

from asok.models import configured_database, scope

DOCUMENTS = ("guides/models.md", "reference/queries.md")
GUIDE = CONTENT / DOCUMENTS[0]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_examples_run(name: str, url: str, tmp_path: Path) -> None:
    files = {block.file: block.text for block in blocks_of(GUIDE) if block.file}
    load_site(write_site(tmp_path, files), database_url=url)
    database = configured_database()
    from src.models import Author, Post  # type: ignore[import-not-found]

    database.create_tables(_only(Author.metadata, "authors", "posts"))
    known: dict[str, Any] = {"Author": Author, "Post": Post}
    ran = 0
    with scope():
        for block in blocks_of(CONTENT / name):
            if block.language != "python" or block.file:
                continue
            code = compile(block.text, block.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, known)
            if inspect.iscoroutine(result):
                asyncio.run(result)
            ran += 1
    assert ran >= 5
    database.dispose()


def _only(metadata: Any, *names: str) -> Any:
    """Just these tables: the models of other tests share the metadata."""

    class Chosen:
        @staticmethod
        def create_all(engine: Any) -> None:
            metadata.create_all(engine, tables=[metadata.tables[name] for name in names])

    return Chosen
