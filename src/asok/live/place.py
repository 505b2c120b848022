"""An instance of a component on its page: made or restored, rendered, read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from asok.errors import ComponentError, FrozenPageError, LiveError, StateError
from asok.live.component import Component, SessionLike
from asok.live.registry import Definition
from asok.live.scope import Scope, Visit, enter
from asok.live.slot import Html

__all__ = ["Place", "RenderTemplate"]


class RenderTemplate(Protocol):
    """The port to templates: `name` is looked for in `page_dir` first."""

    def __call__(self, name: str, context: Mapping[str, Any], *, page_dir: Any = None) -> str:
        """Return the rendered text. Raises `TemplateError`."""
        ...


class Place:
    """Where one instance is: what it asks for goes through here (it is the `Host`).

    `open_session` opens the session by its id; `visit.session` is taken where there is one.
    """

    __slots__ = (
        "_open_session",
        "_render_template",
        "_session",
        "_visit",
        "cid",
        "context",
        "definition",
        "slot",
    )

    def __init__(
        self,
        definition: Definition,
        cid: str,
        visit: Visit,
        *,
        slot: Html,
        render_template: RenderTemplate,
        open_session: Callable[[str], SessionLike],
        context: Mapping[str, Any],
    ) -> None:
        self.definition = definition
        self.cid = cid
        self.slot = slot
        self.context = context
        self._visit = visit
        self._render_template = render_template
        self._open_session = open_session
        self._session = visit.session

    def start(self, values: Mapping[str, Any]) -> Component:
        """Return a new instance from converted constructor values, mounted."""
        component = self.make(values)
        component.mount()
        return component

    def make(self, values: Mapping[str, Any]) -> Component:
        """Return a new instance that is not mounted."""
        component = self.definition.cls(**values)
        vars(component)["__asok_host__"] = self
        return component

    def restore(self, raw: bytes) -> Component:
        """Return the instance that a stored state describes. Raises `StateError`."""
        cls = self.definition.cls
        state = self.definition.schema.decode(raw)
        if cls.__init__ is Component.__init__:
            component = cls.__new__(cls)
            vars(component).update(state)
        else:
            component = cls(**state)
        vars(component)["__asok_host__"] = self
        return component

    def render(self, component: Component) -> str:
        """Return the component's inside. Raises `ComponentError` where it made no text."""
        with enter(Scope(self.cid, self._visit)):
            made: Any = component.render()
        if not isinstance(made, str):
            raise ComponentError(
                f"{self.definition.name}.render() returned {type(made).__name__}, expected HTML.",
                fix='End it with return self.html("….html").',
                file=self.definition.file,
            )
        return str(made)

    def read(self, component: Component, limit: int) -> bytes:
        """Return the component's state as JSON. Raises `StateError`, also above `limit` bytes."""
        raw = self.definition.schema.encode(self.definition.schema.read(component))
        if len(raw) > limit:
            raise StateError(
                f"the state of {self.definition.name} has {len(raw)} bytes as JSON, expected at "
                f"most {limit}.",
                fix="Keep large data in the database and its key in the component.",
            )
        return raw

    def save_session(self) -> bool:
        """Save the session where the component changed it; whether it did."""
        session = self._session
        if session is None or session is self._visit.session or not session.modified:
            return False
        session.save()
        return True

    # What a component asks for.

    def session(self) -> SessionLike:
        """The visitor's session. Raises `FrozenPageError` on a page for everybody."""
        if self._visit.storable:
            raise FrozenPageError(
                f"component {self.definition.name} read its session while a page or fragment was "
                "rendered for everybody.",
                fix=f"Write {{{{ component('{self.definition.name}', client='defer') }}}} to "
                "render it for each visitor, read the session in an exposed method, or render "
                "this page per request (remove SSG = True).",
            )
        if self._session is None:
            if self._visit.session_id is None:
                raise LiveError(
                    f"component {self.definition.name} asked for a session, and this visitor has "
                    "none.",
                    fix="Give live.page(…) the visitor's session_id and session.",
                )
            self._session = self._open_session(self._visit.session_id)
        return self._session

    def default_template(self, component: Component) -> str:
        """The name of the template that belongs to the class."""
        del component
        return self.definition.template

    def html(self, component: Component, name: str, context: dict[str, Any]) -> str:
        """Render a template with the state's fields, `slot`, and the component as `this`.

        It is `self` too, for engines that leave that name alone (Jinja does not).
        """
        state = self.definition.schema.read(component)
        names = {**self.context, **state, "slot": self.slot, "this": component, "self": component}
        return self._render_template(name, {**names, **context}, page_dir=self.definition.folder)


def values_of(definition: Definition, props: msgspec.Raw) -> dict[str, Any]:
    """Return the constructor's values that a token holds, as the class's fields are now.

    Raises `StateError` or `ComponentError` where a class that changed does not take them.
    """
    return definition.schema.values(msgspec.json.decode(props))
