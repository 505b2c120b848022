"""What a visitor does to the elements of a page, as the events that browsers make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asok.errors import DriveError
from asok.testing import finding
from asok.testing.document import Document, Node, ancestors, attribute, text_of
from asok.testing.events import Call, Event
from asok.testing.fields import Fields
from asok.testing.view import View

__all__ = ["Hands"]


class Hands:
    """Clicks, writes and sends on one page view, and knows what was written."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._fields = Fields()

    def click(self, document: Document, node: Node) -> None:
        """Click an element. Raises `DriveError` where that does nothing."""
        if attribute(node, "disabled") is not None:
            raise DriveError(f"the {finding.described(node)} is disabled.")
        meant, prevented = self._view.dispatch(document, node, Event("click"))
        if prevented:
            return
        if node.tag == "label":
            field = finding.labelled(document, node)
            if field is not None:
                self.click(document, field)
                return
        if attribute(node, "type") in ("checkbox", "radio"):
            self.change(document, node, not self._fields.checked(node))
            return
        form = _form_of_button(node)
        if form is not None:
            self.submit(document, form, node, {})
        elif not meant:
            raise DriveError(
                f"the {finding.described(node)} calls nothing when it is clicked.",
                fix=_way_out(node),
            )

    def write(self, document: Document, node: Node, text: str) -> None:
        """Write into a field, with the keys of its last character."""
        self._fields.write(node, text)
        self._fire(document, node, "keydown", "input", "keyup", key=text[-1:] or "Backspace")

    def change(self, document: Document, node: Node, value: Any) -> None:
        """Give a field its value and leave it."""
        self._fields.write(node, value)
        self._fire(document, node, "input", "change")

    def submit(
        self, document: Document, form: Node, pressed: Node | None, values: Mapping[str, Any]
    ) -> None:
        """Send a form by the button that was pressed, or its own."""
        own = Document.part(form)
        for name, value in values.items():
            self._fields.write(finding.field(own, name), value)
        data = self._fields.sent(form, pressed or _default_button(form))
        meant, _ = self._view.dispatch(document, form, Event("submit", data=data))
        if not meant:
            raise DriveError(
                "the form calls nothing when it is sent.",
                fix='Write ws-submit="method"; one with an action is sent by asok.testing.client.',
            )
        self._fields.forget(form)

    def key(self, document: Document, node: Node, key: str) -> None:
        """Press a key in a field; Enter sends its form."""
        self._fields.focused = self._fields.key(node)
        meant, prevented = self._fire(document, node, "keydown", "keyup", key=key)
        form = next((one for one in ancestors(node) if one.tag == "form"), None)
        if key.lower() == "enter" and node.tag == "input" and form is not None and not prevented:
            # HTML, 4.10.21.2: implicit submission.
            self.submit(document, form, None, {})
        elif not meant:
            raise DriveError(f"the {finding.described(node)} calls nothing for the key {key!r}.")

    def focus(self, document: Document, node: Node) -> None:
        """Enter a field."""
        self._fields.focused = self._fields.key(node)
        self._fire(document, node, "focus")

    def blur(self, document: Document, node: Node) -> None:
        """Leave a field."""
        self._fields.focused = None
        self._fire(document, node, "blur")

    def focused(self, document: Document) -> Node:
        """Return the field that was written or entered last. Raises `DriveError`."""
        for node in document.css("input, select, textarea"):
            if self._fields.key(node) == self._fields.focused:
                return node
        raise DriveError("no field has the focus.", fix="Name the field, or write into it first.")

    def poll(self, document: Document) -> None:
        """Call every `ws-poll` once."""
        for node in document.css("*"):
            cid = Document.component_of(node)
            for name, value in node.attributes.items():
                if cid is not None and name.partition(".")[0] == "ws-poll":
                    method = (value or "") if "." in name else "$refresh"
                    self._view.calls([Call(cid, method, [], None)])

    def _fire(
        self, document: Document, node: Node, *types: str, key: str = ""
    ) -> tuple[bool, bool]:
        ticked = attribute(node, "type") == "checkbox"
        value: Any = self._fields.checked(node) if ticked else self._fields.value(node)
        data = {"name": attribute(node, "name") or "", "value": value}
        events = [
            Event(one, key, {"key": key, **data} if one.startswith("key") else data, value)
            for one in types
        ]
        fired = self._view.dispatch(document, node, *events)
        self._fields.settle(self._view.document())
        return fired


def _kind(node: Node) -> str:
    return attribute(node, "type") or ("submit" if node.tag == "button" else "text")


def _form_of_button(node: Node) -> Node | None:
    """The form that a click on this element, or inside this button, sends."""
    around = (node, *ancestors(node))
    button = next((one for one in around if one.tag in ("button", "input")), None)
    if button is None or _kind(button) not in ("submit", "image"):
        return None
    return next((one for one in around if one.tag == "form"), None)


def _default_button(form: Node) -> Node | None:
    """The button that Enter presses: the first one that sends the form."""
    buttons = (node for node in form.css("button, input") if _kind(node) in ("submit", "image"))
    return next(buttons, None)


def _way_out(node: Node) -> str:
    href = attribute(node, "href")
    if href is not None:
        return f"It leads to {href}: ask asok.testing.client for that."
    return f'Write ws-click="method" on it, or click what has it; it shows "{text_of(node)[:40]}".'
