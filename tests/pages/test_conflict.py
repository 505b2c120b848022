"""Routes that nobody would ever see."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.site import load_site, write_site

from asok.errors import RouteError
from asok.testing import Client


@pytest.mark.parametrize("folder", ["static/about", "static/[slug]/x"])
def test_a_page_below_the_files_is_refused(tmp_path: Path, folder: str) -> None:
    write_site(tmp_path, {f"src/pages/{folder}/page.html": "never seen"})
    with pytest.raises(RouteError, match="nobody would ever see it") as caught:
        load_site(tmp_path)
    assert caught.value.file == tmp_path / "src/pages" / folder / "page.html"


def test_a_page_beside_the_files_is_seen(tmp_path: Path) -> None:
    files = {"src/pages/static/page.html": "of statics", "src/pages/statics/a/page.html": "a"}
    client = Client(load_site(write_site(tmp_path, files)))
    assert client.get("/static").text == "of statics"
    assert client.get("/statics/a").text == "a"
    with pytest.raises(RouteError, match="everything below /static/"):
        load_site(tmp_path, trailing_slash="always")
