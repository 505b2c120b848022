"""What a test sees of an element."""

from __future__ import annotations

from dataclasses import dataclass

from asok.testing.document import Node, text_of

__all__ = ["Element"]


@dataclass(frozen=True, slots=True)
class Element:
    """An element as it was when it was asked for."""

    tag: str
    text: str
    """As a reader sees it, white space as one space."""
    attributes: dict[str, str]
    html: str
    """With its own tag."""

    @classmethod
    def of(cls, node: Node) -> Element:
        """Return what is to be seen of a node."""
        attributes = {name: value or "" for name, value in node.attributes.items()}
        return cls(node.tag or "", text_of(node), attributes, node.html or "")
