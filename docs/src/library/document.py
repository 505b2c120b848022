"""The documents below `content/`: read once, ordered, each with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from src.library import front_matter, markdown
from src.library.front_matter import DocumentError

__all__ = ["SECTIONS", "Document", "all_documents", "find", "neighbours", "sections"]

CONTENT = Path(__file__).parents[2] / "content"
#: The sections, in the order of the navigation.
SECTIONS = ("Start here", "Guides", "Reference")


@dataclass(frozen=True)
class Document:
    """One page of the documentation. `path` is what follows `/docs/`."""

    path: str
    title: str
    description: str
    section: str
    order: int
    source: str
    body: markdown.Rendered

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"/docs/{self.path}"


@cache
def all_documents() -> tuple[Document, ...]:
    """Return every document, in the order in which a reader goes on.

    Raises `DocumentError` for a file that can't be one, and for two at the same place.
    """
    found = [_read(file) for file in sorted(CONTENT.rglob("*.md"))]
    found.sort(key=lambda document: (SECTIONS.index(document.section), document.order))
    for one, other in pairwise(found):
        if (one.section, one.order) == (other.section, other.order):
            raise DocumentError(
                f"{one.path} and {other.path} both have order {one.order} in {one.section}.",
                fix="Give one of them another number.",
            )
    return tuple(found)


def find(path: str) -> Document | None:
    """Return the document at `/docs/<path>`."""
    return next((document for document in all_documents() if document.path == path), None)


def neighbours(document: Document) -> tuple[Document | None, Document | None]:
    """Return the documents before and after this one."""
    everything = (None, *all_documents(), None)
    at = everything.index(document)
    return everything[at - 1], everything[at + 1]


def sections() -> list[tuple[str, list[Document]]]:
    """Return the sections with their documents, for the navigation."""
    return [(name, [d for d in all_documents() if d.section == name]) for name in SECTIONS]


def _read(file: Path) -> Document:
    head, source = front_matter.split(file.read_text("utf-8"), file)
    if head["section"] not in SECTIONS or not head["order"].isdecimal():
        raise DocumentError(
            f"the head says section {head['section']!r} and order {head['order']!r}.",
            fix=f"A section is one of {', '.join(SECTIONS)}; the order is a number.",
            file=file,
        )
    return Document(
        path=file.relative_to(CONTENT).with_suffix("").as_posix(),
        title=head["title"],
        description=head["description"],
        section=head["section"],
        order=int(head["order"]),
        source=source,
        body=markdown.render(source),
    )
