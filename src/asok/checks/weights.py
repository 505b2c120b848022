"""What each page weighs on the wire, where it or the site has a budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

import brotli  # pyright: ignore[reportMissingTypeStubs]

from asok.asgi.front import Files
from asok.pages import ReleaseDraft
from asok.pages.budget import Weight, WeightPart
from asok.pages.facts import FactsBook
from asok.pages.stored import Record

if TYPE_CHECKING:
    from asok.checks.site import Site

__all__ = ["weights"]

_COUNTED: Final = (".css", ".js", ".mjs")
_ACCEPT: Final = ((b"accept-encoding", b"br, gzip"),)


def weights(site: Site, draft: ReleaseDraft, book: FactsBook, budget: int) -> list[Weight]:
    """Return the weights of the pages that have a budget; `budget` is the site's, 0 for none."""
    files = _FileSizes(
        (site.assets, site.runtime), site.settings.base_path, origin=site.assets.origin
    )
    found: list[Weight] = []
    for path in sorted(book.pages):
        record = draft.records[path]
        own = site.parts.pages[record.pattern].options.budget
        limit = budget if own is None else own
        if limit:
            parts = [WeightPart(path, _sent(draft.body(record), record))]
            parts.extend(files.of(book.links(book.pages[path])))
            found.append(Weight(path, parts, limit))
    return found


def _sent(body: bytes, record: Record) -> int:
    """The bytes of a page as this server sends it: with holes it is not compressed."""
    if record.holes or len(body) < 1000:
        return len(body)
    return len(cast("Any", brotli).compress(body, quality=5))


class _FileSizes:
    """Sizes of scripts and stylesheets as they are sent, each asked for once.

    `origin` is what their URLs begin with where they come from a CDN.
    """

    def __init__(self, files: Iterable[Files], mount: str, *, origin: str = "") -> None:
        self._files = tuple(files)
        self._mount = mount
        self._origin = origin
        self._known: dict[str, int | None] = {}

    def of(self, links: Iterable[str]) -> Iterator[WeightPart]:
        own = {link.removeprefix(self._origin) for link in links}
        for path in sorted({urlsplit(link).path for link in own if link.startswith("/")}):
            if path.endswith(_COUNTED):
                if path not in self._known:
                    self._known[path] = self._size(unquote(path.removeprefix(self._mount)))
                size = self._known[path]
                if size is not None:
                    yield WeightPart(Path(path).name, size)

    def _size(self, path: str) -> int | None:
        for files in self._files:
            plan = files.plan("HEAD", path, "", _ACCEPT)
            if plan is not None and plan.status == 200:
                return int(dict(plan.headers)[b"content-length"])
        return None
