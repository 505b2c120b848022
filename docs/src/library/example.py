"""The source of an example, as its page shows it: the very files that run there."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup
from src.library.markdown import render

__all__ = ["source_of"]

COMPONENTS = Path(__file__).parents[1] / "components"


def source_of(name: str) -> list[Markup]:
    """Return the class and the template of the component `name`, highlighted."""
    found: list[Markup] = []
    for file, language in ((f"{name}.py", "python"), (f"{name.lower()}.html", "html")):
        code = (COMPONENTS / file).read_text("utf-8")
        # The class begins with its own path, for those who copy it.
        code = code.removeprefix(f"# src/components/{file}\n")
        found.append(render(f'```{language} file="src/components/{file}"\n{code}```').html)
    return found
