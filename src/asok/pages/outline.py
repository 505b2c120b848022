"""What a finished page refers to: its links, the places in it that links may name, its robots.

Two readers, one answer. `candidates` finds every text that stands where a link may stand, with
one regular expression (0.02 ms for 13 kB); it may find too much (inside a script or a comment),
never too little. `Outline` asks a real HTML parser (Lexbor, 0.2 ms), for the few pages where a
candidate leads nowhere or an `id` is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = ["Link", "Outline", "candidates", "hides_from_robots", "srcset_urls"]

_VALUE: Final = rb"""\s*(?=("[^"]*"|'[^']*'|[^\s>"']+))"""
# The literal `=` first: the engine then looks for it with memchr. Two blanks before it stand
# for any attribute, since a look-behind has a fixed width.
_ATTRIBUTE: Final = re.compile(
    rb"=(?:(?<=(?i:href)=)|(?<=(?i:src)=)|(?<=(?i:action)=)|(?<=(?i:poster)=)"
    rb"|(?<=(?i:href)\s=)|(?<=(?i:src)\s=)|(?<=(?i:action)\s=)|(?<=\s\s=))" + _VALUE
)
_SRCSET: Final = re.compile(rb"=(?:(?<=(?i:srcset)=)|(?<=(?i:srcset)\s=)|(?<=\s\s=))" + _VALUE)
#: HTML, "srcset attributes": a URL begins after commas and blanks, and doesn't end with a comma.
_SRCSET_URL: Final = re.compile(r"[\s,]*([^\s,](?:\S*[^\s,])?)(?:,|\s[^,]*(?:,|$)|$)")

#: Element -> its attributes that hold one URL.
_URLS: Final = {
    "a": ("href",),
    "area": ("href",),
    "link": ("href",),
    "script": ("src", "href"),
    "img": ("src",),
    "source": ("src",),
    "audio": ("src",),
    "video": ("src", "poster"),
    "track": ("src",),
    "iframe": ("src",),
    "embed": ("src",),
    "input": ("src",),
    "form": ("action",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
}
_SELECTOR: Final = ",".join((*_URLS, "[srcset]", "[imagesrcset]"))
#: `rel` values of a <link> that nobody follows.
_NO_FETCH: Final = frozenset({"dns-prefetch", "preconnect", "canonical", "shortlink"})


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a page as it was written: `<tag attribute="value">`, sent with `method`."""

    tag: str
    attribute: str
    value: str
    method: str = "GET"

    def __str__(self) -> str:
        return f'<{self.tag} {self.attribute}="{self.value}">'


def candidates(body: bytes) -> set[str]:
    """Return every text in `body` that may be a link's value, character references resolved.

    `#place` is left out where the page itself has that place.
    """
    found = {_text(raw) for raw in set(_ATTRIBUTE.findall(body))}
    found.difference_update([value for value in found if value[:1] == "#" and _has(body, value)])
    if b"srcset" in body or b"SRCSET" in body:
        for raw in set(_SRCSET.findall(body)):
            found.update(srcset_urls(_text(raw)))
    return found


def _has(body: bytes, fragment: str) -> bool:
    return f'id="{fragment[1:]}"'.encode() in body


# Most links stand on every page of a site.
@lru_cache(4096)
def _text(raw: bytes) -> str:
    if raw[:1] in (b'"', b"'"):
        raw = raw[1:-1]
    text = raw.decode("utf-8", "replace")
    return (unescape(text) if "&" in text else text).strip()


def srcset_urls(value: str) -> list[str]:
    """Return the URLs of a `srcset`."""
    return [match[1] for match in _SRCSET_URL.finditer(value)]


def hides_from_robots(body: bytes) -> bool:
    """Whether a `<meta name="robots">` of the page says that it is not to be indexed."""
    return (b"robots" in body or b"ROBOTS" in body) and Outline(body).noindex


class Outline:
    """One page, parsed as browsers do."""

    def __init__(self, body: bytes) -> None:
        from selectolax.lexbor import LexborHTMLParser

        self._tree: LexborHTMLParser = LexborHTMLParser(body)

    @property
    def noindex(self) -> bool:
        """Whether `<meta name="robots">` keeps search engines from listing the page."""
        for node in self._tree.css("meta[content]"):
            if _attribute(node, "name").lower() == "robots":
                rules = _attribute(node, "content").lower().replace(" ", "").split(",")
                if "noindex" in rules or "none" in rules:
                    return True
        return False

    @property
    def names(self) -> set[str]:
        """What a fragment may name: every `id`, and the `name` of an `<a>`."""
        found = {_attribute(node, "id") for node in self._tree.css("[id]")}
        return found | {_attribute(node, "name") for node in self._tree.css("a[name]")}

    def links(self) -> Iterator[Link]:
        """Every link that a browser would follow or fetch; `rel="external"` is not checked."""
        for node in self._tree.css(_SELECTOR):
            tag, rel = node.tag or "", set(_attribute(node, "rel").lower().split())
            if "external" in rel or (tag == "link" and rel & _NO_FETCH):
                continue
            method = "GET"
            if tag == "form":
                method = _attribute(node, "method").upper() or "GET"
            for name, value in node.attributes.items():
                text = (value or "").strip()
                if name in _URLS.get(tag, ()):
                    yield Link(tag, name, text, method)
                elif name in ("srcset", "imagesrcset"):
                    for url in srcset_urls(text):
                        yield Link(tag, name, url)


def _attribute(node: LexborNode, name: str) -> str:
    return (node.attributes.get(name) or "").strip()
