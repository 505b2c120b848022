"""A page's Content-Security-Policy inside the page, for hosts that send no headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

__all__ = ["for_header", "for_meta", "joined", "with_policy"]

#: Ignored in a `<meta>`, with a warning in the console (CSP Level 3, 3.3).
_HEADER_ONLY: Final = frozenset({"frame-ancestors", "report-uri", "sandbox"})
_COMMENT: Final = r"<!--.*?-->"
_HEAD: Final = re.compile(rf"{_COMMENT}|(<head(?:\s[^>]*)?>)", re.IGNORECASE | re.DOTALL)
_START: Final = re.compile(
    r"\s*(?:<!doctype[^>]*>)?\s*(?:<html(?:\s[^>]*)?>)?", re.IGNORECASE | re.DOTALL
)
_CHARSET: Final = re.compile(r"<meta\s[^>]*charset\s*=[^>]*>", re.IGNORECASE)
#: What a policy must stand before, to govern it.
_GOVERNED: Final = re.compile(r"<(?:script|style|link)\b", re.IGNORECASE)
_FAR: Final = 1024


def _directives(policy: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in policy.split(";"):
        name, *values = part.split()
        found[name] = values
    return found


def _text(directives: dict[str, list[str]]) -> str:
    return "; ".join(" ".join([name, *values]) for name, values in directives.items())


def for_meta(policy: str) -> str:
    """Return the part of `policy` that a `<meta>` may hold."""
    kept = {n: values for n, values in _directives(policy).items() if n not in _HEADER_ONLY}
    return _text(kept)


def for_header(policy: str) -> str:
    """Return the part of `policy` that only a header can say."""
    return _text({n: values for n, values in _directives(policy).items() if n in _HEADER_ONLY})


def joined(policies: Iterable[str]) -> str:
    """Return a policy that allows what any of `policies` does: one header for all pages.

    They differ in hashes only; where a page holds its own policy too, both must agree.
    """
    merged: dict[str, list[str]] = {}
    for policy in policies:
        for name, values in _directives(policy).items():
            known = merged.setdefault(name, [])
            known.extend(value for value in values if value not in known)
    for values in merged.values():
        if len(values) > 1 and "'none'" in values:
            values.remove("'none'")
    return _text(merged)


def with_policy(html: str, policy: str) -> str:
    """Put `policy` into the page, before anything that it governs.

    A `<meta charset>` before those stays before it: browsers look for it in the first 1024
    bytes (HTML, 4.2.5.4).
    """
    text = escape(for_meta(policy), quote=False).replace('"', "&quot;")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{text}">'
    at = 0
    for match in _HEAD.finditer(html):
        if match[1]:
            at = match.end()
            break
    else:
        start = _START.match(html)
        at = start.end() if start is not None else 0
    charset = _CHARSET.search(html, at, at + _FAR)
    if charset is not None and _GOVERNED.search(html, at, charset.start()) is None:
        at = charset.end()
    return html[:at] + meta + html[at:]
