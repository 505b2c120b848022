"""What is known about each stored page: its state, its age, why, and what went wrong last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from asok.pages import Note, StoredPage, decide, encode_path, page_tags, path_tag, route_tag

if TYPE_CHECKING:
    from asok.pages import PageStore

__all__ = ["Stored", "stored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored page. Times are seconds, the size is bytes.

    `query` is the declared query that the page was made for, or empty. `left` is how long it
    stays fresh: negative where it no longer is, None where time alone never makes it stale.
    `listed` tells pages that the build lists from those made on demand.
    """

    path: str
    query: str
    pattern: str
    state: str
    reason: str
    age: float
    left: float | None
    size: int
    status: int
    listed: bool
    revalidate: float | None
    expire: float | None
    tags: tuple[str, ...]
    generation: int
    failures: int
    error: str

    @property
    def address(self) -> str:
        """The path as in a link, with its query."""
        return encode_path(self.path) + (f"?{self.query}" if self.query else "")

    @property
    def shown(self) -> str:
        """The path as people read it, with its query."""
        return self.path + (f"?{self.query}" if self.query else "")

    def fits(self, text: str) -> bool:
        """Whether `text` means this page: its pattern, a part of its path, or a glob of it."""
        if text == self.pattern:
            return True
        if any(mark in text for mark in "*?"):
            return any(fnmatchcase(one, text) for one in (self.path, self.shown, self.address))
        return text in self.shown or text in self.address

    def as_json(self) -> dict[str, Any]:
        """The page for `--json`."""
        rounded = {"age": round(self.age, 3), "left": self.left and round(self.left, 3)}
        return {**asdict(self), "address": self.address, "tags": list(self.tags), **rounded}


def stored(store: PageStore, now: float) -> Iterator[Stored]:
    """Yield every page of `store` as it is at `now` (seconds since the epoch), by its path."""
    for key in sorted(store.paths()):
        page, note = store.look(key)
        if page is not None:  # it may have been removed since
            causes = _causes(store, page) if note.invalidated else []
            yield _described(key, page, note, now, causes)


def _causes(store: PageStore, page: StoredPage) -> list[str]:
    """What was invalidated since the page was made, in words."""
    own = {path_tag(page.path): "its path", route_tag(page.pattern): "its pattern"}
    return [
        own.get(tag, f"tag {tag}")
        for tag in page_tags(page)
        if store.tag_moment(tag) >= page.moment
    ]


def _described(key: str, page: StoredPage, note: Note, now: float, causes: Sequence[str]) -> Stored:
    path, _, query = key.partition("\0")
    decision = decide(page, now, note=note)
    reason = decision.reason
    if causes:
        reason = reason.replace("invalidated", f"invalidated: {', '.join(causes)}", 1)
    return Stored(
        path=path,
        query=query,
        pattern=page.pattern,
        state=decision.state.value,
        reason=reason,
        age=decision.age,
        left=decision.left,
        size=page.holed.size,
        status=page.status,
        listed=page.listed,
        revalidate=page.revalidate,
        expire=page.expire,
        tags=page.tags,
        generation=note.generation,
        failures=note.failures,
        error=note.error,
    )
