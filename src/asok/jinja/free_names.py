"""The variables that a part of a template takes from around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from jinja2 import nodes

__all__ = ["free_names"]

#: What Jinja and Asok give by these names is none of a handler's values.
_OWN: Final = frozenset(
    {"caller", "component", "get_flashed_messages", "kwargs", "loop", "request", "self"}
    | {"super", "varargs"}
)


def free_names(body: Iterable[nodes.Node], known: Sequence[nodes.Node] = ()) -> list[str]:
    """Return the names that `body` reads and does not set; none that stands in `known`."""
    names = [name for node in body for name in _names(node)]
    left = {*_OWN, *(name.name for name in names if name.ctx != "load")}
    left.update(name.name for node in known for name in _names(node))
    return sorted({name.name for name in names} - left)


def _names(node: nodes.Node) -> list[nodes.Name]:
    own = [node] if isinstance(node, nodes.Name) else []
    return own + list(node.find_all(nodes.Name))
