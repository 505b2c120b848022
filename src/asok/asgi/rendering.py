"""Rendering a template for a request: what templates find beside their own context."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from asok.asgi.request import Request
from asok.sharing import reader

__all__ = ["Components", "Rendering", "Templates"]


class Templates(Protocol):
    """The templates of a site."""

    def render(self, name: str, context: Mapping[str, Any], *, page_dir: Path | None = None) -> str:
        """Return the template rendered."""
        ...


class Components(Protocol):
    """The live components of a site."""

    def page(
        self,
        path: str,
        *,
        session_id: str | None = None,
        session: Any = None,
        frozen: bool = False,
    ) -> AbstractContextManager[None]:
        """Count the components that are rendered inside the block as those of one page."""
        ...

    def component(self, name: str, /, **options: Any) -> Any:
        """Return the HTML of a component."""
        ...


class Rendering:
    """Adds `request`, `component` and `get_flashed_messages` to a page's context."""

    def __init__(self, templates: Templates, components: Components) -> None:
        self._templates = templates
        self._components = components

    def __call__(self, request: Request, template: str, context: Mapping[str, Any]) -> str:
        """Return `template` rendered for `request`. A name that is ours can't be replaced."""
        own: dict[str, Any] = {
            "request": request,
            "component": self._components.component,
            "get_flashed_messages": request.flashed,
        }
        if request.frozen:
            page = self._components.page(request.path, frozen=True)
        else:
            session = request.visitor.session  # not a read: a component asks when it needs it
            page = self._components.page(request.path, session_id=session.id, session=session)
        token = reader.set(None if request.frozen else request.origins())
        try:
            with page:
                return self._templates.render(
                    template, {**context, **own}, page_dir=request.page_folder
                )
        finally:
            reader.reset(token)
