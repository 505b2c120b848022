"""What is known about a page beside its bytes: invalidations and failed regenerations.

A note is shared by every worker. Its `generation` changes with each invalidation; a render
remembers the one it began with, and its result is dropped where that is no longer the same.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from asok.pages.tags import Mark

__all__ = ["Note"]

#: Seconds: the first retry after a failure is at least, at most this far away.
_FIRST_MIN: Final = 3.0
_FIRST_MAX: Final = 30.0
_MAX_DELAY: Final = 60.0
_MAX_ERROR: Final = 500


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one page's regeneration.

    `at` is the time of the last change (seconds since the epoch). `invalidated` says how the
    page is to be replaced: "stale" serves the old one meanwhile, "block" waits for the new
    one; `why` is said to people and never stored. `gone` hides a page of the release after it
    answered 404.
    """

    path: str = ""
    at: float = 0.0
    generation: int = 0
    invalidated: Literal["", "stale", "block"] = ""
    gone: bool = False
    failures: int = 0
    retry_at: float = 0.0
    error: str = ""
    why: str = ""

    @property
    def quiet(self) -> bool:
        """Whether nothing but the generation is left to know."""
        return not (self.invalidated or self.gone or self.failures)

    def after_failure(self, now: float, *, revalidate: float | None, error: str) -> Note:
        """The note after a failed regeneration: the next try is put off, longer each time.

        The first delay is min(max(R, 3), 30) seconds, as Next.js does; it doubles up to 60.
        """
        first = min(max(revalidate or 0.0, _FIRST_MIN), _FIRST_MAX)
        delay = min(first * 2 ** min(self.failures, 10), _MAX_DELAY)
        return msgspec.structs.replace(
            self,
            at=now,
            failures=self.failures + 1,
            retry_at=now + delay,
            error=error[:_MAX_ERROR],
        )

    def after_invalidation(self, now: float, *, block: bool) -> Note:
        """The note after `revalidate_path`: a new generation, and no waiting after failures."""
        return msgspec.structs.replace(
            self,
            at=now,
            generation=self.generation + 1,
            invalidated="block" if block else "stale",
            failures=0,
            retry_at=0.0,
            error="",
        )

    def marked(self, mark: Mark, moment: float, *, why: str = "") -> Note:
        """This note as a page of that `moment` has it whose tags were invalidated at `mark`."""
        if not mark.at or mark.at < moment:
            return self
        block = mark.block_at >= moment or self.invalidated == "block"
        how = "block" if block else "stale"
        seen = msgspec.structs.replace(self, invalidated=how, why=self.why or why)
        if self.failures and self.at <= mark.at:
            # They were about what the page showed before; now there is a reason to try again.
            return msgspec.structs.replace(seen, failures=0, retry_at=0.0, error="")
        return seen

    def after_success(self, now: float) -> Note:
        """The note after the page was rendered and stored."""
        return Note(path=self.path, at=now, generation=self.generation)

    def after_gone(self, now: float) -> Note:
        """The note after the page answered 404 while the release still holds it."""
        return Note(path=self.path, at=now, generation=self.generation, gone=True)
