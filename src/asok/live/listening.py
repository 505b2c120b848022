"""`@listens`: the methods that take broadcasts and the events of other components."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from types import FunctionType
from typing import Any, Final, TypeVar, cast

from asok.errors import ComponentError
from asok.live.exposed import Method
from asok.live.fields import where

__all__ = ["Listeners", "check_topic", "listens"]

_MARK: Final = "__asok_listens__"
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_TOPIC: Final = re.compile(r"[^\x00-\x20\x7f]{1,200}")
F = TypeVar("F", bound=Callable[..., Any])


def listens(*topics: str) -> Callable[[F], F]:
    """Call this method for each `broadcast(topic, …)` and `self.emit(topic, …)`.

    A field in braces is the component's own: `@listens("room:{room}")`. Without a topic it
    takes those that `self.subscribe(…)` named and that have no method of their own. What was
    sent are its arguments by name; `topic` is the topic. Browsers can't call it. Raises
    `ComponentError` for a topic that is none.
    """
    for topic in topics:
        check_topic(topic)

    def mark(method: F) -> F:
        if not isinstance(method, FunctionType):
            raise ComponentError(
                f"@listens got {method!r}, expected a function.",
                fix='Write @listens("topic") right above the method\'s def.',
            )
        setattr(method, _MARK, (*getattr(method, _MARK, ()), *(topics or ("",))))
        return cast("F", method)

    return mark


def check_topic(topic: object) -> str:
    """Return `topic`. Raises `ComponentError` for anything but a short text without spaces."""
    if isinstance(topic, str) and _TOPIC.fullmatch(topic):
        return topic
    raise ComponentError(
        f"got the topic {str(topic)[:80]!r}, expected 1 to 200 characters without spaces.",
        fix='Write @listens("orders"), broadcast("orders") or subscribe(f"room:{self.room}").',
    )


class Listeners:
    """What one class listens to: methods by topic, and topics that only render it anew.

    Raises `ComponentError` for a topic with a field that the class does not have.
    """

    def __init__(self, cls: type, fields: Collection[str], renewing: object) -> None:
        self.methods: dict[str, Method] = {}
        for name in dir(cls):
            definer = next(one for one in cls.__mro__ if name in vars(one))
            value = vars(definer)[name]
            for topic in getattr(value, _MARK, ()) if isinstance(value, FunctionType) else ():
                known = self.methods.get(topic)
                if known is not None:
                    raise ComponentError(
                        f"{cls.__name__}.{known.name} and .{name} both listen to {topic!r}.",
                        fix="Let one of them call the other.",
                        **where(definer, name),
                    )
                self.methods[topic] = Method(name, value, cls)
        if isinstance(renewing, str) or not isinstance(renewing, Collection):
            raise ComponentError(
                f"{cls.__name__}.subscriptions is {renewing!r}, expected a list of topics.",
                fix=f"Write subscriptions = [{renewing!r}].",
                **where(cls, "subscriptions"),
            )
        topics = cast("Iterable[str]", renewing)
        self.patterns = tuple({*(one for one in self.methods if one), *map(check_topic, topics)})
        for pattern in self.patterns:
            for name in _FIELD.findall(pattern):
                if name not in fields:
                    raise ComponentError(
                        f"{cls.__name__} listens to {pattern!r}, and has no field {name!r}.",
                        fix=f"It has: {', '.join(fields) or 'none'}.",
                        **where(cls),
                    )
        #: Whether instances may listen to anything at all.
        self.any = bool(self.methods or self.patterns) or "subscriptions" in {
            name for one in cls.__mro__[:-1] for name in vars(one) if one.__module__ != _BASE
        }

    def topics(self, component: object) -> set[str]:
        """Return the topics that an instance listens to by its class."""
        return {_filled(pattern, component) for pattern in self.patterns}

    def method(self, topic: str, component: object) -> Method | None:
        """Return what takes `topic` in this instance; None where it is only rendered anew."""
        for pattern, method in self.methods.items():
            if pattern and _filled(pattern, component) == topic:
                return method
        known = topic in self.topics(component)
        return None if known else self.methods.get("")


_BASE: Final = "asok.live.component"


def _filled(pattern: str, component: object) -> str:
    return _FIELD.sub(lambda found: str(getattr(component, found[1])), pattern)
