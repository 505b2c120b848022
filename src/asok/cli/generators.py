"""The files that `asok make` writes, as text, and the names that they may have."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asok.errors import CommandError
from asok.pages import Route, Router, scan
from asok.pages.pattern import parse

__all__ = ["Made", "MadePage", "component", "model", "page", "write"]

_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
#: Names that the generated file itself imports or defines.
_TAKEN: Final = frozenset({"Component", "Model", "Mapped", "Timestamps", "True", "False", "None"})
_EXAMPLES: Final = {
    "int": "1",
    "float": "1.5",
    "uuid": "00000000-0000-0000-0000-000000000001",
    "rest": "a/b",
}


@dataclass(frozen=True, slots=True)
class Made:
    """One file to write."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class MadePage:
    """The files of a page, and an address that it answers."""

    files: list[Made]
    url: str


def write(files: list[Made]) -> list[Path]:
    """Write `files`, all or none. Raises `CommandError` where one exists."""
    for made in files:
        if made.path.exists():
            raise CommandError(
                "this file is there already, and nothing is overwritten.",
                fix="Choose another name, or remove it first.",
                file=made.path,
            )
    for made in files:
        made.path.parent.mkdir(parents=True, exist_ok=True)
        made.path.write_text(made.text, "utf-8")
    return [made.path for made in files]


def page(root: Path, path: str) -> MadePage:
    """Return the files of the page at the address `path` of the site at `root`.

    Raises `RouteError` for an address that can't be one, `RouteConflict` where another page
    answers it, and `CommandError` where the page is there.
    """
    names = [name for name in path.strip("/").split("/") if name]
    pages = root / "src" / "pages"
    folder = pages.joinpath(*names)
    for name in ("page.py", "page.html", "page.asok"):
        if (folder / name).exists():
            raise CommandError(
                "this page is there already, and nothing is overwritten.",
                fix="Choose another address, or edit it.",
                file=folder / name,
            )
    segments = parse(names, folder / "page.py")
    route = Route(segments, folder, folder / "page.py", folder / "page.html")
    Router([*scan(pages).routes, route])
    params = list(route.params)
    last = segments[-1] if segments else None
    title = "Welcome" if last is None else _title(last.name)
    shown = "".join(f", {name}=request.params[{name!r}]" for name in params)
    module = (
        f'"""{route.pattern}"""\n\n'
        "from asok import Request\n\n\n"
        "def get(request: Request):\n"
        f'    return request.html("page.html"{shown.replace(chr(39), chr(34))})\n'
    )
    lines = [f"<h1>{title}</h1>"]
    lines += [f"<p>{name}: {{{{ {name} }}}}</p>" for name in params]
    template = _template(root, title, lines)
    example = "/" + "/".join(
        part.name if part.kind == "static" else _EXAMPLES.get(part.kind, "example")
        for part in segments
    )
    return MadePage(
        [Made(folder / "page.py", module), Made(folder / "page.html", template)], example
    )


def _template(root: Path, title: str, lines: list[str]) -> str:
    html = root / "src" / "partials" / "html"
    if any((html / f"base{suffix}").is_file() for suffix in (".html", ".asok")):
        body = "\n".join(lines)
        return (
            '{% extends "html/base.html" %}\n\n'
            f"{{% block title %}}{title}{{% endblock %}}\n\n"
            f"{{% block main %}}\n{body}\n{{% endblock %}}\n"
        )
    body = "\n".join(f"    {line}" for line in lines)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">\n'
        '  <meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"  <title>{title}</title>\n</head>\n<body>\n  <main>\n{body}\n  </main>\n"
        "</body>\n</html>\n"
    )


def component(root: Path, name: str) -> list[Made]:
    """Return the files of the component `name`. Raises `CommandError` for a name that is none."""
    _check_class(name, "component")
    folder = root / "src" / "components"
    template = f"{_snake(name)}.html"
    module = (
        f'"""The component {name}: {{{{ component({name!r}) }}}}"""\n\n'
        "from asok import Component\n"
        "from asok.component import exposed\n\n\n"
        f"class {name}(Component):\n"
        "    clicks = 0\n\n"
        "    @exposed\n"
        "    def click(self):\n"
        "        self.clicks += 1\n\n"
        "    def render(self):\n"
        f'        return self.html("{template}")\n'
    )
    html = (
        "<div>\n"
        f"  <p>{_title(name)}: {{{{ clicks }}}}</p>\n"
        '  <button ws-click="click">Click</button>\n'
        "</div>\n"
    )
    return [Made(folder / f"{name}.py", module), Made(folder / template, html)]


def model(root: Path, name: str) -> list[Made]:
    """Return the file of the model `name`. Raises `CommandError` for a name that is none."""
    _check_class(name, "model")
    text = (
        f'"""The model {name}."""\n\n'
        "from asok.models import Mapped, Model, Timestamps, field\n\n\n"
        f"class {name}(Timestamps, Model):\n"
        "    title: Mapped[str] = field(max_length=200)\n"
    )
    return [Made(root / "src" / "models" / f"{_snake(name)}.py", text)]


def _check_class(name: str, what: str) -> None:
    if _CLASS.fullmatch(name) and name not in _TAKEN and not keyword.iskeyword(name):
        return
    words = re.findall(r"[A-Za-z0-9]+", name)
    proposed = "".join(word[0].upper() + word[1:] for word in words).lstrip("0123456789")
    if not _CLASS.fullmatch(proposed) or proposed in _TAKEN:
        proposed = f"{proposed}Item" if proposed in _TAKEN else "Search"
    raise CommandError(
        f"{name!r} can't name a {what}: it is a class, so letters and digits, beginning with "
        "a capital letter.",
        fix=f"Try: asok make {what} {proposed}",
    )


def _snake(name: str) -> str:
    """SearchBox -> search_box, HTTPServer -> http_server."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return text.lower()


def _title(name: str) -> str:
    words = re.sub(r"[-_]+", " ", _snake(name).replace("_", " ")).strip()
    return words[:1].upper() + words[1:]
