"""An instance of a component on its page: made or restored, rendered, read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from asok.errors import ComponentError, FrozenPageError, LiveError, StateError, StateRefused
from asok.live.component import Component, SessionLike
from asok.live.extras import Extras, read_extras
from asok.live.listening import check_topic
from asok.live.registry import Definition
from asok.live.scope import Scope, Visit, enter
from asok.live.slot import Html

__all__ = ["Effect", "Place", "RenderTemplate", "values_of"]

#: What a method asked for besides a new render: kind (emit, dispatch, go), name, detail.
Effect = tuple[str, str, Any]


class RenderTemplate(Protocol):
    """The port to templates: `name` is looked for in `page_dir` first."""

    def __call__(self, name: str, context: Mapping[str, Any], *, page_dir: Any = None) -> str:
        """Return the rendered text. Raises `TemplateError`."""
        ...


class Place:
    """Where one instance is: what it asks for goes through here (it is the `Host`).

    `open_session` opens the session by its id; `visit.session` is taken where there is one.
    `check` reads what was rendered (development).
    """

    __slots__ = (
        "_check",
        "_open_session",
        "_render_template",
        "_session",
        "_touched",
        "_visit",
        "cid",
        "context",
        "definition",
        "effects",
        "extras",
        "listen",
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
        check: Callable[[Definition, str], None] | None = None,
    ) -> None:
        self._check = check
        self.definition = definition
        self.cid = cid
        self.slot = slot
        self.context = context
        self._visit = visit
        self._render_template = render_template
        self._open_session = open_session
        self._session = visit.session
        #: Whether something of the visitor's own was asked for.
        self._touched = False
        self.effects: list[Effect] = []
        self.extras = Extras()
        #: Told the topics that the instance listens to, before what it shows is read.
        self.listen: Callable[[set[str]], None] = _nobody

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
        """Return the instance that a stored state describes, hydrated. Raises `StateError`."""
        component = self.rebuild(raw)
        component.hydrate()
        return component

    def rebuild(self, raw: bytes) -> Component:
        """Return the instance that a stored state describes. Raises `StateError`."""
        cls = self.definition.cls
        state = self.definition.schema.decode(raw)
        if cls.__init__ is Component.__init__:
            component = cls.__new__(cls)
            vars(component).update(state)
        else:
            component = cls(**state)
        vars(component)["__asok_host__"] = self
        self.extras = read_extras(raw)
        return component

    def permit(self, component: Component) -> None:
        """Ask the component's own guard. Raises `StateRefused` where it says no."""
        if self.definition.guarded and component.guard() is False:
            raise StateRefused(
                f"the guard of {self.definition.name} refused this visitor.", reason="guard"
            )

    def render(self, component: Component) -> str:
        """Return the component's inside. Raises `ComponentError` where it made no text."""
        scope = Scope(self.cid, self._visit)
        with enter(scope):
            made: Any = component.render()
        if self._check is not None and isinstance(made, str):
            self._check(self.definition, made)
        self._touched = self._touched or bool(scope.ordinals or self._visit.cids)
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
        self.extras.settle()
        raw = self.extras.beside(raw)
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

    def is_personal(self, component: Component) -> bool:
        """Whether what was rendered may be this visitor's alone: the session, the identity or a
        component inside was asked for, or the instance holds what is not part of its state."""
        private = vars(component).keys() - self.definition.schema.fields.keys()
        return self._touched or private != {"__asok_host__"}

    def topics(self, component: Component) -> set[str]:
        """Return what the instance listens to."""
        return self.definition.listeners.topics(component) | set(self.extras.topics)

    def settle(self, component: Component) -> None:
        """Tell whoever delivers broadcasts what the instance listens to now."""
        if self.definition.listeners.any:
            self.listen(self.topics(component))

    # What a component asks for.

    def identity(self) -> str:
        """The component's cid."""
        self._touched = True
        return self.cid

    def subscribe(self, component: Component, topic: str) -> None:
        """Listen to one more topic, from now on."""
        listeners = self.definition.listeners
        if not listeners.any:
            raise ComponentError(
                f"{self.definition.name} subscribed to {topic!r}, and listens to nothing.",
                fix="Write @listens() above the method that takes it, or `subscriptions = ()` "
                "into the class, so that it is only rendered anew.",
                file=self.definition.file,
            )
        if check_topic(topic) not in self.extras.topics:
            self.extras.topics.append(topic)
        self.settle(component)

    def unsubscribe(self, topic: str) -> None:
        """Listen to a topic no more."""
        if topic in self.extras.topics:
            self.extras.topics.remove(topic)

    def effect(self, kind: str, name: str, detail: Any) -> None:
        """Note what is to be done once the method has ended well."""
        self.effects.append((kind, name, detail))

    def session(self) -> SessionLike:
        """The visitor's session. Raises `FrozenPageError` on a page for everybody."""
        self._touched = True
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
            self.definition.asks_session = True
            self._session = self._open_session(self._visit.session_id)
        return self._session

    def default_template(self, component: Component) -> str:
        """The name of the template that belongs to the class."""
        del component
        return self.definition.template

    def html(self, component: Component, name: str, context: dict[str, Any]) -> str:
        """Render a template with the state's fields, `slot`, `errors`, `typed`, and `this`.

        It is `self` too, for engines that leave that name alone (Jinja does not).
        """
        names = {
            **self.context, **self.definition.schema.read(component), "slot": self.slot,
            "errors": component.errors, "typed": component.typed,
            "this": component, "self": component, **context,
        }  # fmt: skip
        return self._render_template(name, names, page_dir=self.definition.folder)


def _nobody(topics: set[str]) -> None:
    """On a page: it listens once it is joined."""
    del topics


def values_of(definition: Definition, props: msgspec.Raw) -> dict[str, Any]:
    """Return the constructor's values that a token holds, as the class's fields are now.

    Raises `StateError` or `ComponentError` where a class that changed does not take them.
    """
    return definition.schema.values(msgspec.json.decode(props))
