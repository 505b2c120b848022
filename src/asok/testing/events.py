"""What the runtime makes of an event: the `ws-…` attributes from its target up to the root."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asok.errors import DriveError
from asok.live import read_call
from asok.testing.document import Document, Node, ancestors, attribute

__all__ = ["Call", "Event", "Heard", "hear"]

#: Modifiers that are no names of keys.
_OURS: Final = ("prevent", "stop", "debounce", "throttle", "once", "outside", "lazy")
#: Names of keys that HTML can't write as the browser says them.
_KEYS: Final = {" ": "space", "esc": "escape"}


@dataclass(frozen=True, slots=True)
class Event:
    """An event of type `click`, `input`, …; `key` as browsers name keys, `data` as it is sent."""

    type: str
    key: str = ""
    data: Mapping[str, Any] | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the component `cid`, as its attribute says."""

    cid: str
    method: str
    args: list[Any]
    data: Mapping[str, Any] | None


@dataclass(slots=True)
class Heard:
    """What an event comes to: calls, in order, and whether the browser does nothing else.

    `meant` says whether any attribute was, also one that calls only `.once`.
    """

    calls: list[Call] = field(default_factory=list[Call])
    meant: bool = False
    prevented: bool = False


def hear(document: Document, target: Node, event: Event, once: set[str]) -> Heard:
    """Return what the page does of an event at `target`; `once` remembers `.once`."""
    heard = Heard()
    if event.type == "click":
        for node in document.css("*"):
            if node.mem_id != target.mem_id and not _holds(node, target):
                _take(node, event, heard, once, outside=True)
    for node in (target, *ancestors(target)):
        if _take(node, event, heard, once, outside=False):
            break
    return heard


def _holds(outer: Node, inner: Node) -> bool:
    return any(above.mem_id == outer.mem_id for above in ancestors(inner))


def _take(node: Node, event: Event, heard: Heard, once: set[str], *, outside: bool) -> bool:
    """Note what one element calls; whether the event goes no further."""
    stopped = False
    for name, code in node.attributes.items():
        if not name.startswith("ws-") or not _means(name, event, outside):
            continue
        heard.meant = True
        words = name.split(".")[1:]
        heard.prevented = heard.prevented or event.type == "submit" or "prevent" in words
        stopped = stopped or "stop" in words
        cid = Document.component_of(node)
        seen = f"{cid} {name} {code} {attribute(node, 'key')} {node.id}"
        if cid is None or ("once" in words and seen in once):
            continue
        once.add(seen)
        heard.calls.append(_call(cid, name, code or "", event))
    return stopped


def _means(name: str, event: Event, outside: bool) -> bool:
    word, *modifiers = name[3:].split(".")
    bare = [modifier.split("-")[0] for modifier in modifiers]
    kind = ("change" if "lazy" in bare else "input") if word == "model" else word
    keys = [modifier for modifier, of in zip(modifiers, bare, strict=True) if of not in _OURS]
    pressed = event.key.lower()
    fits = not keys or any(_KEYS.get(k, k) == _KEYS.get(pressed, pressed) for k in keys)
    return kind == event.type and ("outside" in bare) == outside and fits


def _call(cid: str, name: str, code: str, event: Event) -> Call:
    if re.match(r"ws-model\b", name):
        return Call(cid, "$model", [code, event.value], event.data)
    try:
        method, args = (code, []) if code.startswith("$") else read_call(code)
    except ValueError as error:
        raise DriveError(
            f'{name}="{code}" can\'t be read: {error}.',
            fix="Write a method's name, with literals as arguments: remove(3, 'x').",
        ) from error
    return Call(cid, method, args, event.data)
