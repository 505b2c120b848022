"""Fixtures of the pages' tests: trees of files, and pages made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asok.holes import Holed
from asok.pages import Rendered, StoredPage

MakeTree = Callable[..., Path]
MakePage = Callable[..., StoredPage]


@pytest.fixture
def tree(tmp_path: Path) -> MakeTree:
    """Write files under a folder of pages: `tree("about/page.html", "page.py")`."""

    def write(*names: str, **contents: str) -> Path:
        root = tmp_path / "pages"
        root.mkdir(exist_ok=True)
        for name in names:
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(contents.get(name, ""))
        return root

    return write


@pytest.fixture
def page() -> MakePage:
    """Make a stored page: `page("/about", b"body", rendered_at=5.0, revalidate=60.0)`."""

    def make(
        path: str = "/about",
        body: bytes = b"<h1>About</h1>",
        *,
        pattern: str | None = None,
        rendered_at: float = 1000.0,
        revalidate: float | None = None,
        expire: float | None = None,
        listed: bool = True,
        headers: tuple[tuple[str, str], ...] = (),
        holed: Holed | None = None,
        status: int = 200,
    ) -> StoredPage:
        return StoredPage.make(
            Rendered(status, list(headers), holed or Holed((body,))),
            path=path,
            pattern=pattern or path,
            params={},
            rendered_at=rendered_at,
            revalidate=revalidate,
            expire=expire,
            listed=listed,
        )

    return make
