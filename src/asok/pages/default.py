"""The application's regeneration on demand: set by the composition root, used from anywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from asok.errors import ConfigurationError
from asok.pages.on_demand import OnDemand
from asok.pages.tag_name import data_tag, tag_problem

__all__ = ["configure_on_demand", "publish_tags", "revalidate_path", "revalidate_tag"]

_configured: OnDemand | None = None
_lock = threading.Lock()


def configure_on_demand(on_demand: OnDemand | None) -> None:
    """Set what `revalidate_path` and `revalidate_tag` act on; None takes the setting back."""
    global _configured
    with _lock:
        _configured = on_demand


def revalidate_path(path: str, *, block: bool = False) -> None:
    """Have a page rendered anew, in every worker: `revalidate_path("/blog/first")`.

    `path` is a path as in a link (percent-encoded or not), an address below BASE_URL, or a
    pattern, "/blog/[slug]", for all its pages. Every QUERY of the path is meant. With
    `block` the next visitor waits for the new page; without, the old one is served while
    the new one is made. The store is written before this returns, so hand it to a thread in
    an `async def`. Raises `RevalidationError` for a path that no static page answers,
    `ConfigurationError` where no application was made.
    """
    _on_demand("revalidate_path").revalidate_path(path, block=block)


def revalidate_tag(tag: str, *, block: bool = False) -> None:
    """Have every page with `tag` (`TAGS`, `request.tag`) rendered anew, in every worker.

    `block` as in `revalidate_path`. A tag that no page has is fine. Raises
    `RevalidationError` for what can't be a tag, `ConfigurationError` where no application
    was made.
    """
    _on_demand("revalidate_tag").revalidate_tag(tag, block=block)


def publish_tags(tags: Iterable[str]) -> None:
    """Invalidate what models wrote, if there is an application to do it.

    A text that can't be a tag is passed over: no page has it.
    """
    if _configured is not None:
        names = map(data_tag, tags)
        _configured.revalidate_tags(name for name in names if tag_problem(name) is None)


def _on_demand(name: str) -> OnDemand:
    if _configured is None:
        raise ConfigurationError(
            f"{name} was called, and there is no application whose pages it could mean.",
            fix="Make the application first: `from wsgi import app`, or app = Asok().",
        )
    return _configured
