"""The part of Pyramid that tet touches, with types: the one place where it is untyped."""

# Pyramid and WebOb ship no types. What their imports leave unknown is given a type below by
# casts to protocols, and nothing unknown leaves this file.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import timedelta
from types import ModuleType
from typing import Any, Protocol, cast

from pyramid.config import Configurator as _Configurator
from pyramid.exceptions import ConfigurationError as _ConfigurationError
from pyramid.exceptions import URLDecodeError as _URLDecodeError
from pyramid.httpexceptions import HTTPNotFound as _HTTPNotFound
from pyramid.path import AssetResolver as _AssetResolver
from pyramid.response import Response as _Response
from pyramid.security import NO_PERMISSION_REQUIRED as _NO_PERMISSION_REQUIRED

__all__ = [
    "NO_PERMISSION_REQUIRED",
    "ConfigurationError",
    "Configurator",
    "Registry",
    "RendererInfo",
    "Request",
    "Response",
    "URLDecodeError",
    "asset_path",
    "new_configurator",
    "new_response",
    "not_found",
]

ConfigurationError = cast("type[Exception]", _ConfigurationError)
URLDecodeError = cast("type[Exception]", _URLDecodeError)
NO_PERMISSION_REQUIRED = cast("str", _NO_PERMISSION_REQUIRED)


class Registry(Protocol):
    """A registry, with the attributes that `tet.static` puts there."""

    settings: dict[str, Any]
    cachebreaker: str


class Configurator(Protocol):
    """A configurator, as far as tet calls it."""

    registry: Registry
    route_prefix: str | None

    def absolute_asset_spec(self, relative_spec: str) -> str: ...
    def add_directive(self, name: str, directive: Callable[..., object]) -> None: ...
    def add_exception_view(self, view: Callable[..., object], context: type) -> None: ...
    def add_renderer(self, name: str, factory: Callable[..., object]) -> None: ...
    def add_route(self, name: str, pattern: str, **kw: Any) -> None: ...
    def add_route_predicate(self, name: str, factory: type) -> None: ...
    def add_static_view(self, name: str, path: str, **kw: Any) -> None: ...
    def add_view(self, view: Callable[..., object], **kw: Any) -> None: ...
    def add_view_predicate(self, name: str, factory: type) -> None: ...
    def commit(self) -> None: ...
    def include(self, callable: str) -> None: ...
    def make_wsgi_app(self) -> Callable[..., Iterable[bytes]]: ...
    def scan(self, package: object = None) -> None: ...


class _Route(Protocol):
    pattern: str


class Request(Protocol):
    """A request that a route has matched."""

    registry: Registry
    environ: dict[str, Any]
    method: str
    path_info: str
    query_string: str
    headers: Mapping[str, str]
    matchdict: dict[str, Any]
    matched_route: _Route

    def route_path(self, route_name: str, *elements: str, **kw: Any) -> str: ...


class Response(Protocol):
    """A response, as far as tet changes one after it was made."""

    status_int: int
    headers: MutableMapping[str, str]
    cache_expires: int | timedelta | bool


class RendererInfo(Protocol):
    """What a renderer's factory is told: the name as the view wrote it, and where it stands."""

    name: str
    package: ModuleType | None


class _Ours(_Response):
    """A response whose Location stays as it was given.

    WebOb completes a relative Location with the request's Host header, which the visitor
    writes; RFC 9110, section 10.2.2 allows it to stay relative.
    """

    def _abs_headerlist(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        return list(self.headerlist)


def new_response(
    status: int, headers: list[tuple[str, str]], app_iter: Iterable[bytes]
) -> Response:
    """Return a response that has these headers and no others."""
    made: object = _Ours(status=status, headerlist=headers, app_iter=app_iter)
    return cast("Response", made)


def not_found() -> Exception:
    """Return the exception that lets the application's not-found view answer.

    Its headers hold for the default answer: without `no-store` a cache may keep a 404, also
    that of a file which another host has already.
    """
    made: object = _HTTPNotFound(headers=[("Cache-Control", "no-store")])
    return cast("Exception", made)


def asset_path(spec: str) -> str | None:
    """Return the path of the file that an absolute asset specification means, overrides heeded."""
    found: Any = _AssetResolver(None).resolve(spec)
    return str(found.abspath()) if found.exists() and not found.isdir() else None


def new_configurator(
    package: ModuleType | str | None, settings: dict[str, Any], options: dict[str, Any]
) -> Configurator:
    """Return a configurator of Pyramid; `options` are further arguments of its constructor."""
    made: object = _Configurator(package=package, settings=settings, **options)
    return cast("Configurator", made)
