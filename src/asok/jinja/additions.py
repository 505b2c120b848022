"""What is added to a template's own source: nonces and CSRF inputs, as internal tags.

The additions go into the source before Jinja parses it and hold no line break, so that
line numbers stay exact. Only tags that the source itself wrote are in it, so markup that
arrives in a value can't get a nonce.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from asok.jinja import forms
from asok.jinja.structure import FoundTag, Structure
from asok.jinja.tag import DYNAMIC, Tag

__all__ = ["CSRF", "NONCE", "add"]

#: Names of the internal tags; `additions` in `extension.py` compiles them.
NONCE = "asok_add_nonce"
CSRF = "asok_add_csrf"

#: JavaScript MIME type essences (MIME Sniffing 4.6).
_JAVASCRIPT = re.compile(
    r"(application|text)/(x-)?(java|ecma)script|text/(javascript1\.[0-5]|jscript|livescript)"
)


def add(source: str, structure: Structure) -> str:
    """Return `source` with its additions. Raises `Unreadable`."""
    found = [(offset, NONCE) for offset in _nonces(structure)]
    found += [(offset, CSRF) for offset in forms.inputs(structure)]
    parts: list[str] = []
    at = 0
    for offset, name in sorted(found):
        parts.append(f"{source[at:offset]}{{%{name}%}}")
        at = offset
    return "".join(parts) + source[at:]


def _nonces(structure: Structure) -> Iterator[int]:
    """Yield the offsets behind `<script` and `<style` where a nonce belongs.

    It comes first in the tag: the first attribute of a name wins, whatever follows.
    """
    by_offset: dict[int, list[Tag]] = {}
    for found in structure.tags.values():
        if _runs(found):
            for offset in found.tag.name_ends:
                by_offset.setdefault(offset, []).append(found.tag)
    for offset, tags in by_offset.items():
        # A browser takes no nonce from a tag that has two (CSP 6.7.3.1): where the author
        # wrote one in any branch, the nonce is the author's.
        if not any(tag.raw or "nonce" in tag.attributes for tag in tags):
            yield offset


def _runs(found: FoundTag) -> bool:
    tag = found.tag
    if tag.closing or tag.name not in ("script", "style"):
        return False
    if tag.name == "style":
        return True
    # `script-src 'self'` lets files of this site run already, and a page without a nonce can
    # be the same for everybody.
    sources = tag.values("src")
    if None not in sources and all(forms.target(one) is forms.Target.SAME for one in sources):
        return False
    return not all(map(_is_data, tag.values("type")))


def _is_data(kind: str | None) -> bool:
    """Whether a script of this type is certainly a data block, which never runs.

    Without a nonce a page that only holds JSON can be stored for everybody.
    """
    if kind is None or DYNAMIC in kind or "&" in kind:
        return False
    essence = kind.strip("\t\n\f\r ").lower()
    return "/" in essence and not _JAVASCRIPT.fullmatch(essence)
