"""`LiveComponent`: one component of a driven page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asok.testing.events import Call
from asok.testing.view import View

__all__ = ["LiveComponent"]


class LiveComponent:
    """One component of a page."""

    def __init__(self, view: View, cid: str) -> None:
        self._view = view
        self.cid = cid

    @property
    def state(self) -> dict[str, Any]:
        """Its fields, as they are stored."""
        self._view.catch_up()
        return self._view.state(self.cid)[0]

    @property
    def errors(self) -> dict[str, str]:
        """The messages of its form, by field."""
        self._view.catch_up()
        return self._view.state(self.cid)[1]

    def call(
        self, method: str, *args: Any, data: Mapping[str, Any] | None = None, wait: bool = True
    ) -> None:
        """Call a method as any browser could, whatever the template says: `args` as from
        `ws-click="add(1)"`, `data` as from a form. Without `wait` it goes on meanwhile."""
        self._view.calls([Call(self.cid, method, list(args), data)], wait=wait)
