"""`Component`: the base class that authors of live components write against."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Protocol, overload

from asok.errors import ComponentError, LiveError
from asok.live.exposed import Method, methods_of
from asok.live.extras import Extras, Messages
from asok.live.fields import where
from asok.live.listening import check_topic
from asok.live.outgoing import check_url, plain
from asok.live.schema import Schema

__all__ = ["Component", "Host", "SessionLike", "methods", "schema"]


class SessionLike(Protocol):
    """What `self.session` is: a visitor's dictionary that is saved when `modified`."""

    modified: bool

    def __getitem__(self, key: str, /) -> Any: ...
    def __setitem__(self, key: str, value: Any, /) -> None: ...
    def __delitem__(self, key: str, /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    @overload
    def get(self, key: str, /) -> Any | None: ...
    @overload
    def get(self, key: str, default: Any, /) -> Any: ...

    def save(self) -> object:
        """Write the changes to the store."""
        ...


class Host(Protocol):
    """What a component asks of the engine that runs it."""

    slot: str
    extras: Extras

    def identity(self) -> str:
        """Return the instance's cid."""
        ...

    def subscribe(self, component: Component, topic: str) -> None:
        """Let the component listen to one more topic."""
        ...

    def unsubscribe(self, topic: str) -> None:
        """Let it listen to a topic no more."""
        ...

    def effect(self, kind: str, name: str, detail: Any) -> None:
        """Note what is to be done once the method has ended well."""
        ...

    def session(self) -> SessionLike:
        """Return the visitor's session."""
        ...

    def html(self, component: Component, name: str, context: dict[str, Any]) -> str:
        """Render a template with the component's state."""
        ...

    def default_template(self, component: Component) -> str:
        """Return the name of the class's own template."""
        ...


class Component:
    """A part of a page with state on the server.

    Public class attributes that are annotated or have a default are its state: each instance
    has its own copy, it is signed into the page, kept over reloads, and restored before each
    call. Names that begin with an underscore are private: never kept, never shown.

    `_bindable` names the fields that `ws-model` may write; `subscriptions` topics whose
    broadcasts render it anew (`@listens` marks methods that take them). `mount()` runs once,
    when the component begins its life; `render()` whenever it is shown. Outside a page an
    instance is a plain object: `Counter(count=3).increment()`.
    """

    _bindable: ClassVar[Collection[str]] = ()
    subscriptions: ClassVar[Collection[str]] = ()

    __asok_schema__: ClassVar[Schema]
    __asok_methods__: ClassVar[dict[str, Method]]
    __asok_host__: Host | None = None

    def __init__(self, **values: Any) -> None:
        described = schema(type(self))
        vars(self).update(described.starting(described.values(values)))

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in schema(type(self)).fields:
            if not hasattr(type(self), name):
                raise self._undeclared(name)
            if name in _RESERVED:
                raise ComponentError(f"{type(self).__name__}.{name} can't be set.")
        object.__setattr__(self, name, value)

    def _undeclared(self, name: str) -> ComponentError:
        cls = type(self).__name__
        near = difflib.get_close_matches(name, schema(type(self)).fields, n=1)
        hint = f"Did you mean self.{near[0]}? Otherwise write" if near else "Write"
        return ComponentError(
            f"{cls} has no field {name!r}, so setting self.{name} would be lost at the next call.",
            fix=f"{hint} `{name} = …` into the class to keep it, or call it self._{name}.",
        )

    @property
    def cid(self) -> str:
        """The instance's identity: the same at every load of the same place of the same page."""
        return self._host().identity()

    @property
    def slot(self) -> str:
        """The HTML between `{% component %}` and `{% endcomponent %}`, or ''."""
        return self._host().slot

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong with what was typed, by field: shown by the template, kept over renders.

        Conversions and `validate_<field>` write it; so may a method. A field that is sent again
        loses its message.
        """
        if self.__asok_host__ is None:
            return vars(self).setdefault("__asok_errors__", Messages())
        return self._host().extras.errors

    @property
    def typed(self) -> dict[str, Any]:
        """What was sent with a form that was refused, by field: `value="{{ typed.name }}"`.

        Of a field with several values, a list. Kept until the form is sent anew; never of fields
        whose names say that they are secret.
        """
        if self.__asok_host__ is None:
            return vars(self).setdefault("__asok_typed__", Messages())
        return self._host().extras.typed

    @property
    def session(self) -> SessionLike:
        """The visitor's session, as `request.session`: set `modified = True` after changing it.

        Raises `FrozenPageError` while a page is rendered for everybody.
        """
        return self._host().session()

    def mount(self) -> None:
        """Called once, before the first render: fill the state from the constructor's values."""

    def hydrate(self) -> None:
        """Called whenever the component is taken up again: before a call, a broadcast, a join
        that shows it. Not after `mount()`. For what is not state: `self._today = …`."""

    def updated(self, names: set[str]) -> None:
        """Called after a call or `ws-model` that changed these fields, before the render."""

    def unmount(self) -> None:
        """Called when the browser has left: the page took the component away, or its socket
        closed. It may come back, so what is changed here is not kept."""

    def guard(self) -> bool:
        """Whether this visitor may have this component: asked before it is shown, and before
        each call and broadcast. False: the page is loaded anew, and shows nothing of it."""
        return True

    def subscribe(self, topic: str) -> None:
        """Listen to a topic that is only known now; kept until `unsubscribe`, also over reloads.

        Raises `ComponentError` in a class that has neither `@listens` nor `subscriptions`.
        """
        self._host().subscribe(self, topic)

    def unsubscribe(self, topic: str) -> None:
        """Listen no more to a topic that `subscribe` named."""
        self._host().unsubscribe(topic)

    def emit(self, event: str, /, **payload: Any) -> None:
        """Tell the other components of this page view that listen to `event` (`@listens`).

        They hear of it once the method has ended well. `asok.broadcast` tells everybody.
        """
        self._host().effect("emit", check_topic(event), plain(event, payload))

    def dispatch(self, name: str, /, detail: Any = None) -> None:
        """Dispatch the browser event `name` on the component's wrapper, for the page's own
        scripts; `detail` (JSON types) is its `event.detail`. It bubbles."""
        self._host().effect("dispatch", check_topic(name), plain(name, detail))

    def redirect(self, url: str, *, external: bool = False) -> None:
        """Send the browser to a path of this site, or with `external` to another one, once the
        method has ended well. Raises `LiveError` for anything else, `javascript:` above all."""
        self._host().effect("go", check_url(url, external=external), None)

    def render(self) -> str:
        """Return the HTML; by default the template named after the class."""
        return self.html(self._host().default_template(self))

    def render_placeholder(self) -> str:
        """Return what `client='defer'` shows until the component comes; by default its slot.

        It is on the page for everybody, before `mount()` ran: only the constructor's values
        are known, and the session can't be read.
        """
        return self.slot

    def html(self, template: str, /, **context: Any) -> str:
        """Render a template beside this file, or one of `src/components`.

        It sees the state's fields, `slot`, this component as `this`, and `context`.
        """
        return self._host().html(self, template, context)

    def _host(self) -> Host:
        if self.__asok_host__ is None:
            raise LiveError(
                f"this {type(self).__name__} is on no page: it has no session, slot, identity or "
                "template.",
                fix="Render it by {{ component(…) }}, or drive it by asok.testing.",
            )
        return self.__asok_host__


_HOOKS = ("mount", "hydrate", "updated", "unmount", "guard", "render", "render_placeholder")
_RESERVED = frozenset(name for name in vars(Component) if not name.startswith("_"))


def schema(cls: type[Component]) -> Schema:
    """Return the state schema of a component class, made at its first use."""
    found = vars(cls).get("__asok_schema__")
    if found is None:
        found = cls.__asok_schema__ = Schema(cls, Component)
    return found


def methods(cls: type[Component]) -> dict[str, Method]:
    """Return the exposed methods of a component class, checked at its first use."""
    found = vars(cls).get("__asok_methods__")
    if found is None:
        _check(cls)
        found = cls.__asok_methods__ = methods_of(cls, Component)
    return found


def _check(cls: type[Component]) -> None:
    for name in _HOOKS:
        if inspect.iscoroutinefunction(getattr(cls, name)):
            raise ComponentError(
                f"{cls.__name__}.{name} is async, but it runs while a page is being rendered.",
                fix="Write it with def, and do what waits in an exposed async method.",
                **where(cls, name),
            )
    bindable: Any = cls._bindable  # pyright: ignore[reportPrivateUsage]
    fields = schema(cls).fields
    if isinstance(bindable, str) or not isinstance(bindable, Collection):
        raise ComponentError(
            f"{cls.__name__}._bindable is {bindable!r}, expected a list of field names.",
            fix=f"Write _bindable = [{bindable!r}].",
            **where(cls, "_bindable"),
        )
    for name in bindable:  # pyright: ignore[reportUnknownVariableType]
        if name not in fields:
            raise ComponentError(
                f"{cls.__name__}._bindable names {name!r}, which is no field.",
                fix=f"It has: {', '.join(fields) or 'none'}.",
                **where(cls, "_bindable"),
            )
