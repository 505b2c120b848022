"""Fixture templates, and a site to render them with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from asok import holes
from asok.jinja import Templates
from asok.jinja.kept_fragment import Fragment

__all__ = ["CASES", "CONTEXT", "SHARED", "Case", "MemoryFragments"]

FIXTURES = Path(__file__).parent / "fixtures"
SHARED = FIXTURES / "shared"


class Address(str):
    """A text, and what templates call for the address of a page."""

    __slots__ = ()

    def __call__(self, pattern: str, **params: object) -> str:
        return pattern


#: The variables that fixture templates use.
CONTEXT: dict[str, Any] = {
    "a": True,
    "b": False,
    "attributes": Markup("data-x=1"),
    "component": lambda name, slot="", **props: Markup(f"<i>{slot}</i>"),  # pyright: ignore
    "data": {"a": 1},
    "host": "other.example",
    "html": "<script>evil()</script><style>evil{}</style>",
    "items": [1, 2],
    "kind": "module",
    "layout": "base.html",
    "method": "post",
    "name": "n<script>\"'",
    "static": lambda name: f"/static/{name}",  # pyright: ignore
    "request": {"csrf_input": Markup("<input name=csrf_token>")},
    "url": Address("/u"),
}


@dataclass(frozen=True)
class Case:
    """A fixture file: `{# ok #}` or `{# error LINE: PART OF THE MESSAGE #}`, then a template.

    `«nonce»` and `«csrf»` stand where something is to be added.
    """

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def marked(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def source(self) -> str:
        return self.marked.replace("«nonce»", "").replace("«csrf»", "")

    @property
    def error(self) -> tuple[int, str] | None:
        head = self.marked.split("\n", 1)[0].removeprefix("{# ").removesuffix(" #}")
        if head == "ok":
            return None
        line, _, part = head.removeprefix("error ").partition(": ")
        return int(line), part


CASES = [Case(path) for path in sorted(FIXTURES.glob("*.html"))]


class MemoryFragments:
    """A store for `{% cache %}` that shows what it was given, by the key that was written."""

    def __init__(self) -> None:
        self.stored: dict[str, Fragment] = {}
        self.ttls: dict[str, float] = {}

    def get_or_render(
        self, key: str, render: Callable[[], Fragment], *, stale: float = 0.0
    ) -> Fragment:
        key = key.split(":", 2)[2]
        if key not in self.stored:
            began = time.time()
            made = self.stored[key] = render()
            self.ttls[key] = made.until if made.until == math.inf else round(made.until - began, 1)
        return self.stored[key]

    def tokens(self, tags: Collection[str]) -> dict[str, str]:
        return dict.fromkeys(tags, "token")


@pytest.fixture
def templates() -> Templates:
    return Templates(roots=[SHARED])


@pytest.fixture
def visitor() -> holes.VisitorSecrets:
    return holes.VisitorSecrets(lambda: "NoNcE", lambda: "CsRf")
