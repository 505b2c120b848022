"""The fragments of a site in its cache: made once for all who ask, and anew by each build."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any, Final

from asok import dependencies
from asok.cache import Cache, Computed
from asok.cache.held import check_held, take_tokens
from asok.jinja.kept_fragment import Fragment

__all__ = ["CachedFragments"]

_log = logging.getLogger("asok.templates")

#: Seconds that one render of an old fragment may take until another caller tries.
_TURN: Final = 30.0
#: Seconds after a failed one.
_REST: Final = 1.0
#: Renders of others that a caller waits for, where they fail, before it renders for itself alone.
_ATTEMPTS: Final = 3


class _Failed(Exception):
    """A render failed: an error of one caller, that is none of those who wait for it."""


class CachedFragments:
    """What `{% cache %}` stores in: the application's cache, under keys of its own."""

    def __init__(self, region: Cache) -> None:
        self._region = region

    def tokens(self, tags: Collection[str]) -> Mapping[str, str]:
        """Return tags with the tokens that they have now; a build asks no store."""
        if dependencies.current is not None:
            return dict.fromkeys(tags, "")
        return take_tokens(self._region, tags)

    def get_or_render(
        self, key: str, render: Callable[[], Fragment], *, stale: float = 0.0
    ) -> Fragment:
        """Return the fragment, rendered once for all who ask meanwhile; anew by each build."""
        if dependencies.current is not None:
            return dependencies.fragment(key, render)
        made: list[Fragment] = []
        failed: list[Exception] = []

        def compute() -> Computed:
            try:
                made.append(render())
            except Exception as error:
                failed.append(error)
                raise _Failed from error
            return Computed(made[0].encode(), **_kept(made[0], stale))

        value: Any = None
        for _ in range(_ATTEMPTS):
            try:
                value = self._region.remember(key, None, compute)
            except _Failed:
                if failed:  # ours; else that of another caller, who had other variables
                    raise failed[0] from None
            else:
                break
        else:
            return render()
        if made:
            check_held(self._region, key, made[0].tags)
            return made[0]
        found = Fragment.decode(value)
        if found is None:
            # Whoever wrote that, the page is worth more than the store's opinion of it.
            _log.warning("the fragment %r in the cache is damaged and was rendered anew", key)
            self._region.forget(key)
            return render()
        if stale and time.time() >= found.until:
            return self._refreshed(key, found, render, stale)
        return found

    def _refreshed(
        self, key: str, old: Fragment, render: Callable[[], Fragment], stale: float
    ) -> Fragment:
        """Render an old fragment anew, if nobody else does.

        In the request that asks and not in the background: a template's variables are this
        request's, with its database session.
        """
        turn = f"turn:{key}"
        if not self._region.add(turn, True, _TURN):
            return old
        try:
            fresh = render()
        except Exception:  # noqa: BLE001 (logged; the old one is shown)
            _log.exception("the fragment %r could not be rendered anew and stays stale", key)
            self._region.touch(turn, _REST)
            return old
        # Whoever removed it, or everything, while this rendered means what this has read, too.
        if self._region.forget(turn) and self._region.has(key):
            self._region.set(key, fresh.encode(), **_kept(fresh, stale))
            check_held(self._region, key, fresh.tags)
        return fresh


def _kept(fragment: Fragment, stale: float) -> dict[str, Any]:
    """How long a fragment is stored, and under which tags."""
    left = None if fragment.until == inf else max(0.0, fragment.until - time.time())
    ttl = None if left is None or stale == inf else left + (stale if left else 0.0)
    return {"ttl": ttl, "tags": sorted(fragment.tags)}
