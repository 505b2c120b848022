"""`Templates`: renders the templates of a site by name."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from asok.errors import AsokError, ConfigurationError
from asok.jinja import filters as own_filters
from asok.jinja import mistakes, visitor
from asok.jinja.bytecode import Bytecode
from asok.jinja.environment import SiteEnvironment
from asok.jinja.fragment import Fragments
from asok.jinja.loader import Folders, page_folder

__all__ = ["Templates"]

_log = logging.getLogger("asok.templates")


class Templates:
    """The templates in `roots`, searched in order, and in the folder of the page.

    Keeps compiled templates in `bytecode` (a folder that only this user may write), and
    looks for changed files on every render with `auto_reload`. `globals` and `filters` are
    added to Asok's own; `fragments` is where `{% cache %}` keeps its texts, without it
    nothing is kept. `environment` is Jinja's.
    """

    def __init__(
        self,
        *,
        roots: Sequence[Path],
        bytecode: Path | None = None,
        auto_reload: bool = False,
        globals: Mapping[str, Any] | None = None,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        fragments: Fragments | None = None,
    ) -> None:
        self._folders = Folders(roots, fixed=not auto_reload)
        self.environment = SiteEnvironment(
            self._folders,
            bytecode=None if bytecode is None else Bytecode(bytecode),
            auto_reload=auto_reload,
            fragments=fragments,
        )
        self.environment.globals.update({**visitor.GLOBALS, **(globals or {})})
        self.environment.filters.update({**own_filters.FILTERS, **(filters or {})})
        self.environment.policies["json.dumps_function"] = own_filters.to_json
        for name, found in (filters or {}).items():
            if not callable(found):
                raise ConfigurationError(
                    f"the filter {name!r} is {found!r}, expected something to call."
                )

    def render(self, name: str, context: Mapping[str, Any], *, page_dir: Path | None = None) -> str:
        """Return the template `name` rendered with `context`.

        `page_dir` is searched before the roots. Raises `TemplateError` with file, line and
        fix for what is wrong with a template; what its Python raises passes through.
        """
        return self._rendered(lambda: self._get(name), context, page_dir)

    def render_string(
        self,
        source: str,
        context: Mapping[str, Any] | None = None,
        *,
        page_dir: Path | None = None,
        name: str = "<string>.html",
    ) -> str:
        """Return template `source` rendered with `context`, as `render` does a file."""
        return self._rendered(lambda: self._compile(source, name), context or {}, page_dir)

    def exists(self, name: str, *, page_dir: Path | None = None) -> bool:
        """Whether `render` would find the template `name`."""
        return self.find(name, page_dir=page_dir) is not None

    def find(self, name: str, *, page_dir: Path | None = None) -> str | None:
        """Return the path of the file that `render` would render; None where there is none."""
        token = page_folder.set(page_dir)
        try:
            return self._folders.find(name)
        finally:
            page_folder.reset(token)

    def preload(self, pages: Path) -> None:
        """Read every template now, those beside the pages below the folder `pages` too.

        A deploy may write the next ones while this process goes on, and half a file is a
        template as well. One that is wrong is an error for whoever renders it: the others are
        to be served, so it is logged here, whatever it raises.
        """
        folders = ((Path(folder), files) for folder, _, files in os.walk(pages))
        for folder, names in ((None, self._folders.list_templates()), *folders):
            token = page_folder.set(folder)
            try:
                for name in names:
                    if name.endswith((".html", ".asok")):
                        self._preload(name)
            finally:
                page_folder.reset(token)

    def _preload(self, name: str) -> None:
        try:
            self._get(name)
        except Exception as error:  # noqa: BLE001 (logged; the render raises it again)
            _log.warning("the template %s can't be read: %s", self._folders.find(name), error)

    def invalidate(self) -> None:
        """Read every template again when it is rendered next."""
        self._folders.forget()
        self.environment.structures.clear()
        if self.environment.cache is not None:
            self.environment.cache.clear()

    def _get(self, name: str) -> jinja2.Template:
        path = self._folders.find(name)
        if path is None:
            raise mistakes.not_found([name], self.environment)
        return self.environment.get_template(path)

    def _compile(self, source: str, name: str) -> jinja2.Template:
        code = self.environment.compile(source, name, name)
        globals = self.environment.make_globals(None)
        return jinja2.Template.from_code(self.environment, code, globals)

    def _rendered(
        self, get: Callable[[], jinja2.Template], context: Mapping[str, Any], page_dir: Path | None
    ) -> str:
        token = page_folder.set(page_dir)
        try:
            return get().render(context)
        except jinja2.TemplateError as error:
            raise mistakes.translated(error, self.environment) from error
        except AsokError as error:
            mistakes.locate(error)
            raise
        finally:
            page_folder.reset(token)
