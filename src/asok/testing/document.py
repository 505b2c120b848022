"""What a driven page shows: the HTML of its components put together, as one tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from asok.errors import DriveError

__all__ = ["Document", "Node", "attribute", "compose", "text_of"]

Node = LexborNode

COMPONENT = "data-asok-state"
_HIDDEN = frozenset({"script", "style", "template", "head", "title"})
_BLOCKS = re.compile(
    "address|article|aside|blockquote|br|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6r]|header|"
    "li|main|nav|[ou]l|option|p|pre|section|table|t(body|d|foot|h|head|r)"
)


def compose(html: str, inside: Callable[[str], str | None]) -> LexborHTMLParser:
    """Return the tree of `html`, in which every component shows what `inside(cid)` says."""
    tree = LexborHTMLParser(html)
    found = [(node, inside(_cid(node))) for node in tree.css(f"[{COMPONENT}]")]
    # Those that no other one replaces, chosen before the first is: then the others are gone.
    outer = [(node, own) for node, own in found if own is not None and not _within(node, inside)]
    for node, own in outer:
        body = compose(own, inside).body
        node.inner_html = (body and body.inner_html) or ""
    return tree


def _cid(node: Node) -> str:
    return (node.id or "").removeprefix("asok-")


def _within(node: Node, inside: Callable[[str], str | None]) -> bool:
    """Whether a component that is replaced lies around this one."""
    around = (one for one in ancestors(node) if COMPONENT in one.attributes)
    return any(inside(_cid(one)) is not None for one in around)


def ancestors(node: Node) -> Iterator[Node]:
    """The elements around one, from the nearest outwards."""
    above = node.parent
    while above is not None and above.is_element_node:
        yield above
        above = above.parent


def attribute(node: Node, name: str) -> str | None:
    """Return an attribute's value: '' for one without, None where it is not there."""
    found = node.attributes
    return (found[name] or "") if name in found else None


def text_of(node: Node) -> str:
    """Return the text as a reader sees it: without scripts, white space as one space."""
    return re.sub(r"\s+", " ", "".join(_texts(node))).strip()


def _texts(node: Node) -> Iterator[str]:
    for child in node.iter(include_text=True):
        if child.is_text_node:
            yield child.text(deep=False) or ""
        elif _BLOCKS.fullmatch(child.tag or ""):
            yield " "
            yield from _texts(child)
            yield " "
        elif child.tag not in _HIDDEN:
            yield from _texts(child)


class Document:
    """One tree, in which elements are looked for."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        body = tree.body
        assert body is not None, "a tree has a body"
        self._tree = tree  # nodes live as long as their tree
        self.body: Node = body

    @property
    def html(self) -> str:
        """The HTML inside the body."""
        return self.body.inner_html or ""

    @property
    def text(self) -> str:
        """The text as a reader sees it."""
        return text_of(self.body)

    def css(self, selector: str, within: Node | None = None) -> list[Node]:
        """Return what a selector finds. Raises `DriveError` for one that is none."""
        try:
            return (within or self.body).css(selector)
        except SelectolaxError as error:
            raise DriveError(
                f"{selector!r} is no CSS selector.",
                fix='Write what is to be seen, or a selector such as "#name", ".row", "[name=q]".',
            ) from error

    @classmethod
    def part(cls, node: Node) -> Document:
        """Return what is inside an element, as a document of its own with the same nodes."""
        found = cls.__new__(cls)
        found.body = node
        return found

    @staticmethod
    def component_of(node: Node) -> str | None:
        """Return the cid of the component that an element belongs to; None outside any."""
        for one in (node, *ancestors(node)):
            if COMPONENT in one.attributes:
                return _cid(one)
        return None
