"""Whether what a component's template and HTML call is there, and its keys are unique."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from asok.errors import CallRefused, ComponentError
from asok.live.balance import VOID, Unbalanced, check_balance
from asok.live.plain_form import read_call
from asok.live.registry import Definition
from asok.live.work import REFRESH

__all__ = ["check_html", "check_template"]

#: Events whose attribute names a method.
_EVENTS: Final = frozenset(
    {"click", "input", "change", "submit", "keydown", "keyup", "focus", "blur"}
)
#: What else the runtime knows, and what belongs to htmx.
_OTHERS: Final = frozenset({"model", "poll", "announce", "progress", "connect", "send"})


#: What a template's source writes itself: no expression, nothing in a comment.
_WRITTEN: Final = re.compile(r"""\s(ws-[\w.-]+)\s*=\s*["']?\s*([A-Za-z_]\w*)""")
_COMMENT: Final = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)


def check_template(definition: Definition) -> None:
    """Raise `ComponentError` for a method or field that the source of a component's own template
    names and its class lacks.

    Called when a site starts, thus also by a build. What an expression writes is only known
    when it is rendered (`check_html`); a slot belongs to another component.
    """
    file = definition.folder / definition.template if definition.folder else None
    if file is None or not file.is_file():
        return
    source = file.read_text("utf-8", errors="replace")
    if re.search(r"\{%-?\s*component\b", source):
        return
    reader = _Reader(definition)
    for attribute, name in _WRITTEN.findall(_COMMENT.sub("", source)):
        reader.check(attribute, name)


def check_html(definition: Definition, html: str) -> None:
    """Raise `ComponentError` for a method or field that a browser could not call or write, for
    two elements beside each other with one key, and for HTML that does not end what it begins;
    it names the template and the line."""
    _Reader(definition).feed(html)
    try:
        check_balance(html)
    except Unbalanced as error:
        file, line = _place(definition, rf"</{error.tag}" if error.stray else rf"<{error.tag}\b")
        raise ComponentError(
            f"{definition.name} {error}, so that a browser mixes it up with the page around it.",
            fix=f"Take </{error.tag}> out." if error.stray else f"Write </{error.tag}>.",
            file=file,
            line=line,
        ) from None


class _Reader(HTMLParser):
    """Reads what belongs to a component itself, not to one inside it."""

    def __init__(self, definition: Definition) -> None:
        super().__init__()
        self._definition = definition
        self._open: list[str] = []
        self._keys: list[set[str]] = [set()]
        #: How deep the component inside begins; 0 outside any.
        self._inner = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._inner:
            self._check(tag, dict(attrs))
        if tag in VOID:
            return
        self._open.append(tag)
        self._keys.append(set())
        if not self._inner and any(name == "data-asok-component" for name, _ in attrs):
            self._inner = len(self._open)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._inner:
            self._check(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open:
            closed = self._open.pop()
            self._keys.pop()
            if closed == tag:
                break
        if len(self._open) < self._inner:
            self._inner = 0

    def _check(self, tag: str, attributes: dict[str, str | None]) -> None:
        definition = self._definition
        key = attributes.get("key")
        if key:
            if key in self._keys[-1]:
                raise self._error(
                    f"{definition.name} shows two <{tag}> beside each other with key={key!r}.",
                    'Give each what only it has, as in key="{{ item.id }}".',
                    "key",
                    "",
                )
            self._keys[-1].add(key)
        for attribute, value in attributes.items():
            name = (value or "").partition("(")[0].strip()
            if not attribute.startswith("ws-"):
                continue
            kind = attribute.removeprefix("ws-").partition(".")[0]
            if kind not in _EVENTS | _OTHERS:
                raise self._error(
                    f"{definition.name} writes {attribute}, which nothing listens to.",
                    _nearest(kind),
                    attribute,
                    name,
                )
            if name:
                self.check(attribute, name)
            if name in definition.methods and kind != "model":
                self._arguments(attribute, kind, name, value or "")

    def _arguments(self, attribute: str, kind: str, name: str, code: str) -> None:
        """Raise `ComponentError` where a call can't be read, or not be made."""
        written = f'{attribute}="{code}"'
        try:
            _, args = read_call(code)
        except ValueError:
            raise self._error(
                f"the arguments of {written} can't be read.",
                f"Write {name}(3, 'text'): texts have quotes. One that may hold quotes itself is "
                f"written by tojson, in an attribute with single quotes: "
                f"{attribute}='{name}({{{{ value|tojson }}}})'.",
                attribute,
                name,
            ) from None
        try:
            method = self._definition.methods[name]
            method.parameters.check(args, more=kind not in ("click", "poll"))
        except CallRefused as error:
            message = f"{error.message.rstrip('.')}, in {written}."
            raise self._error(message, error.fix or "", attribute, name) from None

    def check(self, attribute: str, name: str) -> None:
        """Raise `ComponentError` where `attribute` names what its component lacks."""
        definition = self._definition
        kind, _, modifiers = attribute.removeprefix("ws-").partition(".")
        # `ws-poll="5s"` names no method, `ws-poll.5s="check"` does.
        calls = kind in _EVENTS or (kind == "poll" and modifiers)
        if calls and name not in definition.methods and name != REFRESH:
            raise self._unknown(attribute, name, definition.methods, "exposed method")
        if kind == "model" and name not in definition.bindable:
            raise self._unknown(attribute, name, definition.bindable, "bindable field")

    def _unknown(
        self, attribute: str, name: str, known: Collection[str], what: str
    ) -> ComponentError:
        near = difflib.get_close_matches(name, known, n=1)
        if near:
            fix = f"Did you mean {near[0]!r}?"
        elif hasattr(self._definition.cls, name) and what == "exposed method":
            fix = f"Write @exposed above def {name}."
        elif name in self._definition.schema.fields:
            all_ = ", ".join(map(repr, [*sorted(known), name]))
            fix = f"Write _bindable = [{all_}] into the class, and browsers may write it."
        else:
            fix = f"It has: {', '.join(sorted(known)) or 'none'}."
        message = f'{self._definition.name} has no {what} {name!r}, which {attribute}="…" names.'
        if what == "bindable field" and name in self._definition.schema.fields:
            message = (
                f'{self._definition.name}.{name} is not in _bindable, and {attribute}="…" names it.'
            )
        return self._error(message, fix, attribute, name)

    def _error(self, message: str, fix: str, attribute: str, name: str) -> ComponentError:
        written = rf"""\b{re.escape(attribute)}\s*=\s*["']?\s*{re.escape(name)}"""
        file, line = _place(self._definition, written)
        return ComponentError(message, fix=fix, file=file, line=line)


def _nearest(kind: str) -> str:
    known = sorted(_EVENTS | _OTHERS - {"connect", "send"})
    near = difflib.get_close_matches(kind, known, n=1)
    return f"Did you mean ws-{near[0]}?" if near else f"There is ws-{', ws-'.join(known)}."


def _place(definition: Definition, pattern: str) -> tuple[Path | None, int | None]:
    """The template of the component that writes this; else the file of its class."""
    written = re.compile(pattern)
    folder: Any = definition.folder
    files = [] if folder is None else [folder / definition.template, *sorted(folder.glob("*.html"))]
    for file in files:
        if file.is_file():
            source = file.read_text("utf-8", errors="replace")
            found = written.search(source)
            if found is not None:
                return file, source.count("\n", 0, found.start()) + 1
    return definition.file, None
