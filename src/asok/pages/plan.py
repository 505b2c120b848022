"""Which pages there are to build: every static route, once for each of its paths."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from asok.errors import FreezeError, PageOptionError, RouteError
from asok.pages.options import PageOptions
from asok.pages.route import Match, Route
from asok.pages.router import Router

__all__ = ["Job", "listed_params", "plan"]


@dataclass(frozen=True, slots=True)
class Job:
    """One page to build."""

    match: Match
    options: PageOptions


def plan(router: Router, options: Callable[[Route], PageOptions]) -> list[Job]:
    """Return the pages to build, in the order of the routes.

    Calls every `get_static_paths`. Raises `PageOptionError` where a dynamic page doesn't say
    which pages there are, or names one that it doesn't answer.
    """
    jobs: list[Job] = []
    for route in router.routes:
        chosen = options(route)
        if not chosen.ssg:
            continue
        seen: set[str] = set()
        for params in listed_params(route, chosen):
            try:
                path = router.path(route, params)
            except RouteError as error:
                raise PageOptionError(
                    f"get_static_paths() returned {params!r}: {error.message}",
                    fix=error.fix,
                    file=route.file,
                ) from error
            match = router.match(path)
            if match is None or match.route is not route:
                other = match.route.file if match else None
                raise PageOptionError(
                    f"get_static_paths() returned {params!r}, but {path} is answered by "
                    f"{other or 'no page'}.",
                    fix="Leave it out, or rename one of the two.",
                    file=route.file,
                )
            if path not in seen:
                seen.add(path)
                jobs.append(Job(match, chosen))
    return jobs


def listed_params(route: Route, options: PageOptions) -> Iterable[Mapping[str, Any]]:
    """Return the parameters of every page that `get_static_paths()` lists; one without them.

    Must be called where no event loop runs. Raises `PageOptionError` for what is no list of
    dicts, `FreezeError` where the function raises.
    """
    function = options.get_static_paths
    if not route.dynamic:
        return [{}]
    names = ", ".join(f'"{name}": …' for name in route.params)
    if function is None:
        raise PageOptionError(
            f"{route.pattern} is static and has parameters, but doesn't say which pages there are.",
            fix=f"Add def get_static_paths(): return [{{{names}}}], or remove SSG = True.",
            file=route.file,
        )
    try:
        listed: object = contextvars.Context().run(function)
        if inspect.isawaitable(listed):
            listed = asyncio.run(_awaited(listed))
        if isinstance(listed, (str, Mapping)) or not isinstance(listed, Iterable):
            raise PageOptionError(
                f"get_static_paths() returned {listed!r:.200}, expected a list of dicts.",
                fix=f"Return [{{{names}}}, …].",
                file=route.file,
            )
        entries = list(cast("Iterable[object]", listed))
    except PageOptionError:
        raise
    except Exception as error:
        raise FreezeError(
            f"get_static_paths() failed: {type(error).__name__}: {error}.", file=route.file
        ) from error
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise PageOptionError(
                f"get_static_paths() returned an entry {entry!r:.200}, expected a dict.",
                fix=f"Return [{{{names}}}, …].",
                file=route.file,
            )
    return cast("list[Mapping[str, Any]]", entries)


async def _awaited(value: Any) -> object:
    return await value
