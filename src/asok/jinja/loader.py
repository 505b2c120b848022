"""Finds templates: beside the page first, then in the site's folders.

A name is resolved to the file's own path before Jinja sees it, so that Jinja compiles and
keeps every file once, however many pages share it. The folder beside the page is a context
variable of the render.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

from jinja2 import BaseLoader, Environment, TemplateNotFound

from asok import dependencies
from asok.errors import TemplateSourceError

__all__ = ["Folders", "page_folder"]

#: The folder of the page that renders.
page_folder: ContextVar[Path | None] = ContextVar("asok.page_folder", default=None)

_TWINS = {".asok": ".html", ".html": ".asok"}
#: No segment of a name may be hidden, lead upwards, or be cut short by the file system.
_SEGMENT = re.compile(r"(?!\.)[^\0/\\]+")


class Folders(BaseLoader):
    """Templates in the page's folder and in `roots`, searched in this order.

    With `fixed` a name that was found once is not looked for again. `parents` is set by the
    environment: it tells what a template's source takes from its parent, as text.
    """

    def __init__(self, roots: Sequence[Path], *, fixed: bool) -> None:
        self.roots = tuple(Path(root).absolute() for root in roots)
        self.fixed = fixed
        self.parents: Callable[[str, str], str] = lambda _path, _source: ""
        self._found: dict[tuple[str, Path | None], str] = {}
        self._paths: set[str] = set()

    def forget(self) -> None:
        """Look for every name again."""
        self._found.clear()

    def searched(self) -> list[Path]:
        """The folders that are searched now, in order."""
        beside = page_folder.get()
        return [*([] if beside is None else [beside.absolute()]), *self.roots]

    def find(self, name: str) -> str | None:
        """Return the path of the template `name`; None where there is none.

        `name.asok` and `name.html` are the same name.
        """
        key = (name, page_folder.get())
        found = self._found.get(key)
        if found is None:
            found = next(self._candidates(name), None)
            if found is not None:
                self._paths.add(found)
                if self.fixed:
                    self._found[key] = found
        dependencies.template(key[1], name, found)
        return found

    def _candidates(self, name: str) -> Iterator[str]:
        stem, suffix = os.path.splitext(name)
        segments = name.split("/")
        if suffix == ".py" or not all(map(_SEGMENT.fullmatch, segments)):
            return
        names = [name, stem + _TWINS[suffix]] if suffix in _TWINS else [name]
        for folder in self.searched():
            for each in names:
                path = os.path.join(folder, each)
                if os.path.isfile(path):
                    yield path

    def read(self, path: str) -> str:
        """Return the text of a file. Raises `OSError`, or `TemplateSourceError` for no UTF-8."""
        with open(path, encoding="utf-8-sig", newline="") as file:
            try:
                return file.read()
            except UnicodeDecodeError as error:
                raise TemplateSourceError(
                    f"byte {error.start} is no UTF-8.", fix="Save it as UTF-8.", file=path
                ) from error

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return (source, path, is-it-still-so) of a name or of a path that `find` returned."""
        path = template if template in self._paths else self.find(template)
        if path is None:
            raise TemplateNotFound(template)
        before = _version(path)
        try:
            source = self.read(path)
        except OSError as error:
            raise TemplateNotFound(template) from error
        if self.fixed:
            return source, path, lambda: True
        # A child is compiled for the places where its parent has the blocks.
        parents = self.parents(path, source)
        return (
            source,
            path,
            lambda: _version(path) == before and self.parents(path, source) == parents,
        )

    def list_templates(self) -> list[str]:
        """Return the names that could be asked for now, sorted."""
        names: set[str] = set()
        for root in self.searched():
            for folder, _, files in os.walk(root):
                inside = os.path.relpath(folder, root)
                names |= {os.path.normpath(os.path.join(inside, file)) for file in files}
        return sorted(name for name in names if not name.endswith((".py", ".pyc")))


def _version(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
