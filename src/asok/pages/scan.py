"""The folder of pages read from the disk, once; everything after this is pure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from asok.errors import RouteConflict, RouteError
from asok.pages.pattern import parse
from asok.pages.route import Route, Tree

__all__ = ["scan"]

_TEMPLATES = (".html", ".asok")
_OTHER_TEMPLATES = (".htm", ".jinja", ".jinja2", ".j2", ".tpl", ".xhtml", ".md")
_ERROR_PAGES = {"404": 404, "500": 500}
_MAX_DEPTH = 32


def scan(root: Path) -> Tree:
    """Return the pages under `root` (`src/pages`).

    Folders and files whose name begins with `_` or `.` are passed over. Raises `RouteError`
    for a name that looks like a page but is none, and `RouteConflict` for two files that
    claim one page.
    """
    if not root.is_dir():
        raise RouteError(
            "this folder of pages does not exist.",
            fix="Create it with a page.html, or start a site with `asok create NAME`.",
            file=root,
        )
    routes: list[Route] = []
    errors: dict[int, Route] = {}
    _scan_folder(root, (), routes, errors)
    return Tree(root, tuple(routes), errors)


def _scan_folder(
    folder: Path, names: tuple[str, ...], routes: list[Route], errors: dict[int, Route]
) -> None:
    if len(names) > _MAX_DEPTH:
        raise RouteError(
            f"folders are nested more than {_MAX_DEPTH} deep.",
            fix="Remove the symbolic link that leads back to one of its parents.",
            file=folder,
        )
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(("_", ".")):
                (folders if entry.is_dir() else files).append(entry.name)
    folders.sort()
    files.sort()
    module, template = _page_files(folder, files)
    _refuse_strays(folder, files, module, template)
    if module is not None or template is not None:
        file = module or template or folder
        if len(names) == 1 and names[0] in _ERROR_PAGES:
            errors[_ERROR_PAGES[names[0]]] = Route(parse(names, file), folder, module, template)
        else:
            routes.append(Route(parse(names, file), folder, module, template))
    for name in folders:
        if len(names) == 1 and names[0] in _ERROR_PAGES:
            raise RouteError(
                f"{folder.name} is an error page and can't hold further pages.",
                fix=f"Move {name} out of it, or name it _{name}.",
                file=folder / name,
            )
        _scan_folder(folder / name, (*names, name), routes, errors)


def _page_files(folder: Path, files: Sequence[str]) -> tuple[Path | None, Path | None]:
    module = folder / "page.py" if "page.py" in files else None
    templates = [folder / f"page{suffix}" for suffix in _TEMPLATES if f"page{suffix}" in files]
    if len(templates) > 1:
        first, second = templates
        raise RouteConflict(
            f"{first} and {second}: both are the template of one page.",
            first=first,
            second=second,
            fix="Keep one of them; .asok and .html are equal.",
        )
    return module, templates[0] if templates else None


def _refuse_strays(
    folder: Path, files: Sequence[str], module: Path | None, template: Path | None
) -> None:
    """Refuse a file that was meant as a page. A page.py may have any other files beside it."""
    for name in files:
        stem, suffix = os.path.splitext(name)
        if name in ("page.py", "page.html", "page.asok"):
            continue
        proposal = None
        if stem.lower() in ("page", "pages", "+page") and suffix.lower() in (".py", *_TEMPLATES):
            proposal = "page" + suffix.lower()
        elif module is not None:
            continue
        elif stem.lower() == "page" and suffix.lower() in _OTHER_TEMPLATES:
            proposal = "page.html"
        elif suffix == ".py" or suffix in _TEMPLATES:
            if template is not None and (suffix == ".py" or _mentioned(name, folder, files)):
                continue
            page = f"page{suffix}"
            # src/pages/index.html is the page of its own folder.
            proposal = page if stem == "index" else f"{stem}/{page}"
        if proposal is not None:
            raise RouteError(
                f"{name} is no page: a page is a folder with page.py, page.html or page.asok.",
                fix=f"Did you mean {folder.name}/{proposal}? "
                f"A file that is only included begins with an underscore: _{name}.",
                file=folder / name,
            )


def _mentioned(name: str, folder: Path, files: Sequence[str]) -> bool:
    """Whether a template of the folder names `name`: then it is a part, not a lost page."""
    stem = os.path.splitext(name)[0]
    spellings = [f"{stem}{suffix}".encode() for suffix in _TEMPLATES]
    return any(
        spelling in (folder / other).read_bytes()
        for other in files
        if other != name and other.endswith(_TEMPLATES)
        for spelling in spellings
    )
