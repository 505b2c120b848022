"""Elements by what a visitor calls them: their text, their label; or by a CSS selector."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from asok.errors import DriveError
from asok.testing.document import Document, Node, ancestors, attribute, text_of

__all__ = ["button", "described", "field", "form", "is_selector", "labelled", "one"]

_CLICKED = "button, a, summary, input, label, option, [role=button], [role=tab], [role=link]"
_FIELDS = "input, select, textarea"
#: What `within` means by a text: rows and their like, else any block.
_PARTS = ("li, tr, fieldset, form, section, article", "div, p")
_SELECTOR = ("#", ".", "[")


def is_selector(what: str) -> bool:
    """Whether `what` is a selector and no text."""
    return what.startswith(_SELECTOR)


def described(node: Node) -> str:
    """Name an element in a message: `button "Add 1"`."""
    said = text_of(node) or attribute(node, "name") or attribute(node, "id") or ""
    return f'{node.tag} "{said[:40]}"' if said else f"{node.tag}"


def one(document: Document, selector: str, within: str | None = None) -> Node:
    """Return the only element that a selector finds. Raises `DriveError`."""
    return _only(document.css(selector, _place(document, within)), selector, "element")


def button(document: Document, what: str, within: str | None = None) -> Node:
    """Return what is clicked: by a selector, or by the text, label or title that it shows."""
    if is_selector(what):
        return one(document, what, within)
    place = _place(document, within)
    clicked = [
        node for node in document.css(_CLICKED, place) if attribute(node, "type") != "hidden"
    ]
    found = _named(clicked, what, _says)
    if not found:  # anything else that listens to clicks, the innermost first
        others = [node for node in document.css("*", place) if _listens(node)]
        found = _named(others, what, _says)
        clicked += [node for node in others if _listens_itself(node)]
    return _only(found, what, "element", (s for node in clicked for s in _says(node)[:1]))


def field(document: Document, what: str, within: str | None = None) -> Node:
    """Return a field: by a selector, or by its label, name, or placeholder."""
    if is_selector(what):
        return one(document, what, within)
    fields = [
        node
        for node in document.css(_FIELDS, _place(document, within))
        if attribute(node, "type") not in ("hidden", "submit", "button", "image", "reset")
    ]
    labels = _labels(document)
    found = _named(fields, what, lambda node: _called(node, labels))
    if len(found) > 1 and len({attribute(node, "name") for node in found}) == 1:
        found = [node for node in found if attribute(node, "value") == what] or found[:1]
    return _only(
        found, what, "field", (n for node in fields for n in _called(node, labels)[:1]), "fields"
    )


def labelled(document: Document, label: Node) -> Node | None:
    """Return the field that a label is for."""
    wanted = attribute(label, "for")
    found = [node for node in document.css(_FIELDS) if wanted and node.id == wanted]
    return next(iter(found or label.css(_FIELDS)), None)


def form(document: Document, what: str | None, within: str | None = None) -> Node:
    """Return a form: by a selector, by a button in it, or the only one with `ws-submit`."""
    if what is not None and not is_selector(what):
        pressed = button(document, what, within)
        around = [node for node in (pressed, *ancestors(pressed)) if node.tag == "form"]
        return _only(around[:1], what, "form around", ())
    if what is not None:
        found = document.css(what, _place(document, within))
        found = [
            next((one for one in (node, *ancestors(node)) if one.tag == "form"), node)
            for node in found
        ]
        node = _only(found, what, "form")
        if node.tag != "form":
            raise DriveError(f"{what!r} is a <{node.tag}>, expected a form, or what is in one.")
        return node
    forms = document.css("form", _place(document, within))
    live = [node for node in forms if any(n.startswith("ws-submit") for n in node.attributes)]
    return _only(live or forms, "form", "form", (described(node) for node in forms), "forms")


def _place(document: Document, within: str | None) -> Node | None:
    """The element inside which is looked: by a selector, or the innermost that has this text."""
    if within is None:
        return None
    if is_selector(within):
        return one(document, within)
    found: list[Node] = []
    for kinds in _PARTS:
        found = found or [node for node in document.css(kinds) if within in text_of(node)]
    inner = [node for node in found if not any(_holds(node, other) for other in found)]
    return _only(inner, within, "part with the text")


def _holds(outer: Node, inner: Node) -> bool:
    return any(above.mem_id == outer.mem_id for above in ancestors(inner))


def _says(node: Node) -> list[str]:
    value = attribute(node, "value") if node.tag == "input" else None
    said = (text_of(node), value, attribute(node, "aria-label"), attribute(node, "title"))
    return [text for text in said if text]


def _listens_itself(node: Node) -> bool:
    return any(name.startswith("ws-click") for name in node.attributes)


def _listens(node: Node) -> bool:
    return any(_listens_itself(each) for each in (node, *ancestors(node)))


def _labels(document: Document) -> list[tuple[str, str | None, set[int]]]:
    """Every label: its text, the id that it is for, and the elements in it."""
    return [
        (text_of(label), attribute(label, "for"), {node.mem_id for node in label.css(_FIELDS)})
        for label in document.css("label")
    ]


def _called(node: Node, labels: Iterable[tuple[str, str | None, set[int]]]) -> list[str]:
    """What a field is called: its labels first, then its name."""
    own = [
        t for t, wanted, inner in labels if node.mem_id in inner or (wanted and wanted == node.id)
    ]
    others = (
        attribute(node, "aria-label"),
        attribute(node, "name"),
        attribute(node, "placeholder"),
    )
    return [*own, *(text for text in others if text)]


def _named(nodes: list[Node], what: str, names: Callable[[Node], list[str]]) -> list[Node]:
    """Those that are called so exactly; else those whose name holds it. The innermost ones."""
    for exactly in (True, False):
        found = [node for node in nodes if any(_fits(n, what, exactly) for n in names(node))]
        if found:
            return [node for node in found if not any(_holds(node, other) for other in found)]
    return []


def _fits(name: str, what: str, exactly: bool) -> bool:
    return name == what if exactly else what.lower() in name.lower()


def _only(
    found: list[Node], what: str, kind: str, known: Iterable[str] = (), plural: str = "buttons"
) -> Node:
    if len(found) == 1:
        return found[0]
    if found:
        shown = "; ".join((node.html or "").partition(">")[0] + ">" for node in found[:3])
        raise DriveError(
            f"{len(found)} elements are meant by {what!r}: {shown}.",
            fix="Say where, as in within=\"[key='3']\", or use a selector that only one has.",
        )
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(what, names, n=1, cutoff=0.5)
    listed = ", ".join(f'"{name[:40]}"' for name in names[:12])
    fix = f"{plural} are {listed}." if names else None
    if near:
        fix = f'Did you mean "{near[0]}"? {fix}'
    raise DriveError(f'no {kind} "{what}".', fix=fix)
