"""What a visitor wrote into the fields of a page, and what a form then sends."""

from __future__ import annotations

import re
from typing import Any

from asok.errors import DriveError
from asok.testing.document import Document, Node, ancestors, attribute, text_of
from asok.testing.files import chosen_files

__all__ = ["Fields"]

#: What names a field over re-renders.
Key = tuple[str | None, str | None, str | None, str | None, str | None]

_BUTTONS = ("submit", "button", "image", "reset")
_OWN = re.compile(r"csrf_t|asok-")


class Fields:
    """The values of fields: what was written, over what the server's HTML says.

    With `hidden` the fields that Asok adds to forms are sent too, as in a plain POST.
    """

    def __init__(self, *, hidden: bool = False) -> None:
        self._hidden = hidden
        self._written: dict[Key, Any] = {}
        #: What the server's HTML said when it was written.
        self._before: dict[Key, str | None] = {}
        self.focused: Key | None = None

    def key(self, node: Node) -> Key:
        """Return what a field is known by, also after it was rendered anew."""
        kind = attribute(node, "type")
        value = attribute(node, "value") if kind in ("checkbox", "radio") else None
        return (Document.component_of(node), node.tag, attribute(node, "name"), node.id, value)

    def write(self, node: Node, value: Any) -> None:
        """Write as a visitor does. Raises `DriveError` for what nobody could write."""
        if attribute(node, "disabled") is not None or attribute(node, "readonly") is not None:
            raise DriveError(f"the field {attribute(node, 'name')!r} can't be changed by visitors.")
        kind = attribute(node, "type")
        if kind in ("checkbox", "radio"):
            value = bool(value) if kind == "checkbox" else True
            if kind == "radio":
                name = attribute(node, "name")
                for key in [k for k in self._written if k[1:3] == ("input", name)]:
                    del self._written[key]
                for other in self._alike(node):
                    self._written[self.key(other)] = False
        elif kind == "file":
            value = chosen_files(value)
        elif node.tag == "select":
            value = self._chosen(node, value)
        else:
            value = str(value)
        self.focused = self.key(node)
        self._written[self.focused] = value
        self._before[self.focused] = attribute(node, "value")

    @staticmethod
    def _alike(node: Node) -> list[Node]:
        root = [*ancestors(node)][-1]
        name = attribute(node, "name")
        return [n for n in root.css("input[type=radio]") if attribute(n, "name") == name]

    @staticmethod
    def _chosen(node: Node, value: Any) -> list[str]:
        wanted = [str(one) for one in (value if isinstance(value, list | tuple) else [value])]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        offered = {_option(one): text_of(one) for one in node.css("option")}
        chosen: list[str] = []
        for one in wanted:
            found = (
                one if one in offered else next((v for v, t in offered.items() if t == one), None)
            )
            if found is None:
                raise DriveError(
                    f"{attribute(node, 'name')!r} does not offer {one!r}.",
                    fix=f"It offers: {', '.join(offered.values()) or 'nothing'}.",
                )
            chosen.append(found)
        return chosen

    def value(self, node: Node) -> str:
        """Return a field's value; of a file its name."""
        values = self._values(node)
        return getattr(values[0], "filename", values[0]) if values else ""

    def checked(self, node: Node) -> bool:
        """Whether a checkbox or radio button is."""
        return bool(self._written.get(self.key(node), attribute(node, "checked") is not None))

    def _values(self, node: Node) -> list[Any]:
        written = self._written.get(self.key(node))
        if attribute(node, "type") == "file":
            return written or [chosen_files("")[0]]
        if node.tag == "select":
            if written is not None:
                return written
            options = node.css("option")
            chosen = [one for one in options if attribute(one, "selected") is not None]
            if not chosen and attribute(node, "multiple") is None:
                chosen = options[:1]
            return [_option(one) for one in chosen]
        if attribute(node, "type") in ("checkbox", "radio"):
            return [attribute(node, "value") or "on"]
        if written is not None:
            return [written]
        if node.tag == "textarea":
            return [(node.text(deep=True) or "").removeprefix("\n")]
        return [attribute(node, "value") or ""]

    def sent(self, form: Node, submitter: Node | None) -> dict[str, Any]:
        """Return what a form sends, as browsers do: repeated names as lists."""
        data: dict[str, Any] = {}
        for node in form.css("input, select, textarea, button"):
            name = attribute(node, "name")
            if not name or (_OWN.match(name) and not self._hidden) or _disabled(node):
                continue
            kind = attribute(node, "type") or ("submit" if node.tag == "button" else "text")
            if kind in _BUTTONS:
                if submitter is None or node.mem_id != submitter.mem_id:
                    continue
            elif kind in ("checkbox", "radio") and not self.checked(node):
                continue
            for value in self._values(node):
                if name in data:
                    earlier = data[name]
                    data[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
                else:
                    data[name] = value
        return data

    def forget(self, form: Node | None) -> None:
        """The server has what was written in a form: now it decides what the fields show."""
        nodes = form.css("input, select, textarea") if form is not None else []
        for node in nodes:
            self._written.pop(self.key(node), None)

    def settle(self, document: Document) -> None:
        """Let the server's values win where it changed its mind and nobody writes."""
        for node in document.css("input, textarea"):
            key = self.key(node)
            value = attribute(node, "value")
            if (
                key in self._written
                and key != self.focused
                and value != self._before.get(key, value)
            ):
                del self._written[key]


def _option(node: Node) -> str:
    value = attribute(node, "value")
    return text_of(node) if value is None else value


def _disabled(node: Node) -> bool:
    around = (node, *(one for one in ancestors(node) if one.tag == "fieldset"))
    return any(attribute(one, "disabled") is not None for one in around)
