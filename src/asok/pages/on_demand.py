"""Regeneration on demand: from a path, an address, a pattern or a tag to what the store is told.

An address is read as a request's is: percent-decoded, NFC, without the mount, with the
trailing slash as the site has it. Nothing is rendered here; whoever visits a page next (or
already does) has it made anew, in whichever worker that is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from asok.errors import RevalidationError, RouteError
from asok.pages.options import PageOptions
from asok.pages.route import Route
from asok.pages.router import Router
from asok.pages.store import PageStore
from asok.pages.tag_name import MAX_TAG, data_tag, tag_problem
from asok.pages.tags import path_tag, route_tag

__all__ = ["OnDemand", "Target"]

_ADDRESS: Final = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be rendered anew: the page of `path`, or every page of `route` without one."""

    route: Route
    path: str | None = None

    @property
    def name(self) -> str:
        """The canonical decoded path, or the pattern."""
        return self.path if self.path is not None else self.route.pattern


class OnDemand:
    """Invalidates pages of `store` by path, pattern and tag.

    `options` gives the options of a route's page. Without a store (development, where every
    request is rendered) what is asked is checked and nothing else done. `base_url` is the
    site's own, whose path is the mount; it may be empty. `forget` is called with tags before
    any page is rendered anew: what else is kept under them (fragments, values) must not be in it.
    """

    def __init__(
        self,
        router: Router,
        options: Callable[[Route], PageOptions],
        *,
        store: PageStore | None,
        base_url: str = "",
        forget: Callable[..., object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._router = router
        self._options = options
        self._store = store
        self._base = urlsplit(base_url)
        self._mount = self._base.path.rstrip("/")
        self._forget = forget
        self._clock = clock

    def revalidate_path(self, path: str, *, block: bool = False) -> Target:
        """Have the page of `path`, or every page of a pattern, rendered anew; see `resolve`.

        With `block` the next visitor waits for the new page; without, the old one is served
        while the new one is made. Raises `RevalidationError`.
        """
        target = self.resolve(path)
        self.invalidate(target, block=block)
        return target

    def revalidate_tag(self, tag: str, *, block: bool = False) -> None:
        """Have every page with `tag` rendered anew. Raises `RevalidationError` for no tag."""
        self.revalidate_tags((self.check_tag(tag),), block=block)

    def revalidate_tags(self, tags: Iterable[str], *, block: bool = False) -> bool:
        """The same for several tags, each of which was checked.

        Returns False where the other workers could not be told of all of them.
        """
        tags = tuple(tags)
        named = [tag for tag in tags if not tag.startswith("\0")]  # those are paths and patterns
        if self._forget is not None and named:
            self._forget(*named)
        store, now = self._store, self._clock()
        if store is None:
            return True
        told = [store.invalidate_tag(tag, now, block=block) for tag in tags]
        return all(told)  # after every one was tried

    def invalidate(self, target: Target, *, block: bool = False) -> bool:
        """Tell the store about `target`; False where the other workers could not be told.

        By its tag, not its generation: that reaches the pages of every query, a remembered
        404, and the workers of another release while a new one is deployed.
        """
        if target.path is None:
            return self.revalidate_tags((route_tag(target.route.pattern),), block=block)
        return self.revalidate_tags((path_tag(target.path),), block=block)

    @staticmethod
    def check_tag(tag: object) -> str:
        """Return `tag` in NFC. Raises `RevalidationError` where it can't be one."""
        problem = tag_problem(tag)
        if problem is not None:
            raise RevalidationError(
                f"the tag {_shown(tag)} can't be revalidated: {problem}.",
                fix=f"A tag is a text of 1 to {MAX_TAG} characters, as in TAGS = "
                '("posts",) and request.tag("posts").',
            )
        assert isinstance(tag, str)
        return data_tag(tag)

    def resolve(self, path: object) -> Target:
        """Return what `path` names: a path, an address of this site, or a pattern.

        Raises `RevalidationError` where no static page answers it.
        """
        if not isinstance(path, str) or not path:
            raise RevalidationError(
                f"the path {_shown(path)} can't be revalidated: it is "
                f"{'empty' if path == '' else type(path).__name__}, expected text.",
                fix='Give the path of a page: "/blog/first", or a pattern: "/blog/[slug]".',
            )
        local = self._local(path)
        for candidate in self._below_mount(local):
            target = self._known(candidate)
            if target is not None:
                return self._stored(target)
        near = self._router.nearest(local)
        raise RevalidationError(
            f"no page answers {_shown(path)}.",
            fix=f"Did you mean {' or '.join(near)}?"
            if near
            else "`asok routes` lists the pages of this site.",
            nearest=near,
        )

    def _local(self, path: str) -> str:
        """The path of an address on this site; without a query, every one of which is meant."""
        try:
            parts = urlsplit(path) if _ADDRESS.match(path) else None
            foreign = parts is not None and not _same_site(parts, self._base)
        except ValueError as error:  # "http://[" and ports that are no number
            raise RevalidationError(f"{_shown(path)} is no address: {error}.") from error
        if foreign:
            own = self._base.geturl()
            raise RevalidationError(
                f"the address {_shown(path)} is not on this site"
                + (
                    f", which is {own}." if own else ": BASE_URL, which says where it is, is empty."
                ),
                fix='Give the path alone: "/blog/first".',
            )
        found = (
            (parts.path or "/") if parts is not None else path.partition("#")[0].partition("?")[0]
        )
        if not found.startswith("/"):
            raise RevalidationError(
                f"the path {_shown(path)} doesn't begin with a slash.",
                fix=f'Write "/{found[:100]}".',
            )
        return found

    def _below_mount(self, path: str) -> Iterator[str]:
        """`path` below the mount, as a request's is read, then as it is."""
        mount = self._mount
        if mount and (path == mount or path.startswith(f"{mount}/")):
            yield path[len(mount) :] or "/"
        yield path

    def _known(self, path: str) -> Target | None:
        """What the router knows under `path`, in the form that requests are given."""
        if "[" in path:
            try:
                return Target(self._router.route(path.rstrip("/") or "/"))
            except RouteError:
                pass  # a bracket may stand in a path, too
        if "%2f" in path.lower():
            return None  # no page has a slash in a segment, and it must not become a folder
        try:
            decoded = unquote_to_bytes(path).decode()
        except UnicodeError:
            return None
        canonical = self._router.canonical(decoded)
        match = None if canonical is None else self._router.match(canonical)
        return None if match is None else Target(match.route, match.path)

    def _stored(self, target: Target) -> Target:
        """Return `target`. Raises `RevalidationError` where nothing of it can be stored."""
        options = self._options(target.route)
        pattern, file = target.route.pattern, target.route.file
        if not options.ssg:
            raise RevalidationError(
                f"{target.name} is made for every request, so nothing of it is stored.",
                fix="Nothing needs to be done; SSG = True in the page would store it.",
                file=file,
            )
        path, route, store = target.path, target.route, self._store
        if path is None or store is None or options.fallback != "404" or not route.dynamic:
            return target
        if store.listed(path) is False:
            raise RevalidationError(
                f"{path} is none of the paths that the build listed for {pattern}, and its "
                'FALLBACK = "404" lets no other be made.',
                fix='Run `asok build`, or write FALLBACK = "generate".',
                file=file,
            )
        return target


def _same_site(address: SplitResult, base: SplitResult) -> bool:
    """Whether both are one host and port; http and https of a site are one site."""
    if address.scheme not in ("http", "https", "") or not base.hostname:
        return False
    scheme = address.scheme or base.scheme
    default, own = _PORTS[scheme], _PORTS[base.scheme]
    return address.hostname == base.hostname and (
        (address.port or default) == (base.port or own)
        or (address.port is None and base.port is None)
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}…"
