"""`config.include("tet.static")`: static views whose URLs change with every deploy.

The include mints the token and adds two directives. A view registered with
`add_static_view_with_breaker` keeps the token that was current at that moment, and so do
its three routes: Pyramid's own (`__static/<token>/`), `<name>-breaker` for every other
token, and `<name>-redirect`, which only generates URLs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlparse

from asok.assets import Breaker
from tet.asset_folder import AssetFolder
from tet.cachebreaker import PLACEHOLDER, checked_releases, checked_token, default_token
from tet.framework import (
    NO_PERMISSION_REQUIRED,
    Configurator,
    Request,
    Response,
    URLDecodeError,
    new_response,
)
from tet.static_view import StaticView

__all__ = ["add_static_view_with_breaker", "includeme", "set_cachebreaker"]

_OPTION = "tet_static_view"
_VIEWS = "tet_static_views"
_RELEASES = "cachebreaker_releases"
# Arguments of `add_static_view` that are the view's; the others are the route's.
_FOR_VIEW = ("cache_max_age", "content_encodings", "context", "for_", "permission", "renderer")


def includeme(config: Configurator) -> None:
    """Mint the token, unless the registry has one, and add the directives."""
    if not hasattr(config.registry, "cachebreaker"):
        config.registry.cachebreaker = default_token()
    if not hasattr(config.registry, _VIEWS):
        setattr(config.registry, _VIEWS, [])
    config.add_directive("set_cachebreaker", set_cachebreaker)
    config.add_directive("add_static_view_with_breaker", add_static_view_with_breaker)
    config.add_route_predicate(_OPTION, _Innermost)
    config.add_view_predicate(_OPTION, _Ours)
    config.add_exception_view(_undecodable, context=URLDecodeError)


def set_cachebreaker(config: Configurator, token: str, releases: Iterable[str] = ()) -> None:
    """Replace the token; holds for the views registered afterwards.

    `releases` are the tokens of the deploys, oldest first, a rollback's a second time. They
    say which tokens are older where the tokens themselves don't (commits, version numbers).
    Raises Pyramid's `ConfigurationError` where a token can't be one segment of a URL.
    """
    ledger = checked_releases(checked_token(token), releases)
    config.registry.cachebreaker = token
    setattr(config.registry, _RELEASES, ledger)


def add_static_view_with_breaker(config: Configurator, name: str, path: str, **kw: Any) -> None:
    """Register the files at `path` under `name`, whose `{breaker}` becomes the token.

    `kw` is anything that `add_static_view` takes. Where `name` is the URL of another host
    (a CDN), only URLs are generated. Raises `ValueError` where `name` does not hold
    `{breaker}` once.
    """
    if name.count(PLACEHOLDER) != 1:
        raise ValueError(
            f"got name={name!r}, expected {PLACEHOLDER!r} in it once, where the cache-breaker "
            f"token goes: for example name='static/{PLACEHOLDER}'."
        )
    token = checked_token(config.registry.cachebreaker)
    current = name.replace(PLACEHOLDER, token)
    if urlparse(name).netloc:
        config.add_static_view(name=current, path=path, **kw)
        return
    name, current = name.strip("/"), current.strip("/")
    prefix = f"{config.route_prefix.strip('/')}/" if config.route_prefix else ""
    view = StaticView(
        pattern=prefix + name,
        breaker=Breaker(token, getattr(config.registry, _RELEASES, ())),
        folder=AssetFolder(config.absolute_asset_spec(path), kw.get("content_encodings") or ()),
        redirect_route=f"{prefix}{name}-redirect",
        max_age=kw.get("cache_max_age"),
    )
    getattr(config.registry, _VIEWS).append(view)

    for_route = {key: value for key, value in kw.items() if key not in _FOR_VIEW}
    for_view: dict[str, Any] = {
        "permission": kw.get("permission") or NO_PERMISSION_REQUIRED,
        "context": kw.get("context") or kw.get("for_"),
        "renderer": kw.get("renderer"),
    }
    # Pyramid registers its route and enters it where `static_url` looks; our view goes before
    # Pyramid's on that route by having one predicate more.
    config.add_static_view(name=current, path=path, **kw, **{_OPTION: view})
    static_route = f"__{prefix}{current}/"
    config.add_view(view.current, route_name=static_route, **for_view, **{_OPTION: view})

    generate = {key: value for key, value in for_route.items() if key == "pregenerator"}
    config.add_route(view.redirect_route, f"{current}/*path", static=True, **generate)
    for_other = {key: value for key, value in for_route.items() if key not in generate}
    if "traverse" in for_other:  # written for Pyramid's route, which calls the rest so
        for_other["traverse"] = for_other["traverse"].replace("*subpath", "*path")
    other_route = f"{prefix}{name}-breaker"
    config.add_route(other_route, f"{name}/*path", **for_other, **{_OPTION: view})
    config.add_view(view.other, route_name=other_route, **for_view)


class _Innermost:
    """Route predicate: no other static view lies deeper on the path.

    `static/{breaker}/other` may so be registered after `static/{breaker}`.
    """

    def __init__(self, view: StaticView, info: object) -> None:
        self.view = view

    def text(self) -> str:
        return f"{_OPTION} = {self.view.pattern}"

    phash = text

    def __call__(self, info: object, request: Request) -> bool:
        views: list[StaticView] = getattr(request.registry, _VIEWS)
        return not any(
            other.is_inside(self.view) and other.covers(request.path_info) for other in views
        )


class _Ours:
    """View predicate: always true; it puts our view before Pyramid's own on the same route."""

    def __init__(self, view: StaticView, info: object) -> None:
        self.view = view

    def text(self) -> str:
        return f"{_OPTION} = {self.view.pattern}"

    phash = text

    def __call__(self, context: object, request: Request) -> bool:
        return True


def _undecodable(error: object, request: object) -> Response:
    """Answer a path that is not UTF-8 (`/%ff`): no file and no page has such a name."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    return new_response(404, headers, [b"Not Found\n"])
