"""A page as it is served: its route, its options and its handlers, loaded once at start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from asok.asgi.middleware import Middleware
from asok.asgi.request import Handler, Request
from asok.errors import PageOptionError
from asok.pages import PageOptions, Route

__all__ = ["METHODS", "Page", "load_page"]

#: The handler names of a page module, and the methods that they answer.
METHODS = ("get", "post", "put", "patch", "delete")
#: Methods are case-sensitive (RFC 9110, 9.1).
_NAMES = {"HEAD": "get", **{name.upper(): name for name in METHODS}}


@dataclass(frozen=True, eq=False)
class Page:
    """One route of the site. `handlers` maps method names to functions; `any` has `render`."""

    route: Route
    options: PageOptions
    handlers: Mapping[str, Handler]
    guards: Sequence[Handler] = ()
    csrf: bool = True
    middleware: Sequence[Middleware] = ()

    @property
    def file(self) -> Path:
        """The file that a person would open to change this page."""
        found = self.route.module or self.route.template
        assert found is not None
        return found

    @cached_property
    def allow(self) -> tuple[str, ...]:
        """The methods that are answered, for `Allow` (RFC 9110, 10.2.1)."""
        if "any" in self.handlers:
            found = {method.upper() for method in METHODS}
        else:
            found = {method.upper() for method in self.handlers}
        if "GET" in found:
            found.add("HEAD")
        return tuple(sorted(found | {"OPTIONS"}))

    def handler(self, method: str) -> Handler | None:
        """Return the function that answers `method` (HEAD is answered by GET's)."""
        name = _NAMES.get(method)
        if name is None:
            return None
        return self.handlers.get(name) or self.handlers.get("any")

    @property
    def static(self) -> bool:
        """Whether the page is stored (SSG or ISR)."""
        return self.options.ssg

    @property
    def guarded(self) -> bool:
        """Whether functions of the page run on every hit, so that no answer may be shared."""
        return bool(self.guards or self.middleware)


def load_page(route: Route, import_file: Callable[[Path], ModuleType]) -> Page:
    """Import a route's module and read its options and handlers.

    Raises `PageImportError` and `PageOptionError`, naming the file and the line.
    """
    module = import_file(route.module) if route.module is not None else None
    options = PageOptions.from_module(module, route.file)
    handlers: dict[str, Handler] = {}
    guards: Sequence[Handler] = ()
    csrf = True
    middleware: Sequence[Middleware] = ()
    if module is not None:
        for name in METHODS:
            if (found := getattr(module, name, None)) is not None:
                handlers[name] = _checked(found, name, route.module)
        if (found := getattr(module, "render", None)) is not None:
            handlers["any"] = _checked(found, "render", route.module)
        guards = _guards(getattr(module, "GUARDS", ()), route.module)
        csrf = _flag(getattr(module, "CSRF", True), route.module)
        middleware = _middleware(getattr(module, "MIDDLEWARE", ()), route.module)
    if route.template is not None and not {"get", "any"} & set(handlers):
        handlers["get"] = _template_handler(route.template.name)
    if not handlers:
        raise PageOptionError(
            "this page has no handler.",
            fix="Define get(request) (or post, put, patch, delete, render), or put a page.html "
            "beside it.",
            file=route.module,
        )
    return Page(route, options, handlers, guards, csrf, middleware)


def _template_handler(template: str) -> Handler:
    def get(request: Request) -> Any:
        return request.html(template)

    return get


def _checked(function: Any, name: str, file: Path | None) -> Handler:
    if not callable(function):
        raise PageOptionError(
            f"{name} is {type(function).__name__}, expected a function of one argument.",
            fix=f"Write `def {name}(request):`.",
            file=file,
        )
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise PageOptionError(
            f"{name} can't be called with one argument, the request: {error}.",
            fix=f"Write `def {name}(request):`; route parameters are in request.params.",
            file=file,
        ) from error
    return function


def _guards(value: Any, file: Path | None) -> Sequence[Handler]:
    if not isinstance(value, list | tuple) or not all(callable(guard) for guard in value):  # type: ignore[misc]
        raise PageOptionError(
            f"GUARDS is {value!r}, expected a tuple of functions of one argument.",
            fix="Write GUARDS = (require_login,); a guard returns None to go on, or a response.",
            file=file,
        )
    return tuple(value)  # type: ignore[arg-type]


def _middleware(value: Any, file: Path | None) -> Sequence[Middleware]:
    fix = (
        "Write MIDDLEWARE = (timing,) with `def timing(request, call_next):` that returns "
        "call_next(request); an async one awaits it."
    )
    if not isinstance(value, list | tuple) or not all(callable(one) for one in value):  # type: ignore[misc]
        raise PageOptionError(
            f"MIDDLEWARE is {value!r}, expected a tuple of functions of two arguments.",
            fix=fix,
            file=file,
        )
    for one in value:  # type: ignore[misc]
        try:
            inspect.signature(one).bind(None, None)  # type: ignore[arg-type]
        except TypeError as error:
            raise PageOptionError(
                f"the middleware {getattr(one, '__name__', one)!s} can't be called with two "  # type: ignore[arg-type]
                f"arguments, the request and call_next: {error}.",
                fix=fix,
                file=file,
            ) from error
    return tuple(value)  # type: ignore[arg-type]


def _flag(value: Any, file: Path | None) -> bool:
    if not isinstance(value, bool):
        raise PageOptionError(
            f"CSRF is {value!r}, expected True or False.",
            fix="Set CSRF = False only on a page that is called by other servers (a webhook).",
            file=file,
        )
    return value
