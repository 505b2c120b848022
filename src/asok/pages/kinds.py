"""The kinds of path parameter: how the text of a segment becomes a value, and the way back.

Every value has exactly one text, so that one page has one address: `/01` is not `/1`,
`/1.50` is not `/1.5`, and an upper-case UUID is not its lower-case twin.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final
from uuid import UUID

__all__ = ["KINDS", "MAX_SEGMENT_BYTES", "Value", "is_segment", "parse_value", "value_text"]

Value = str | int | float | UUID

#: The longest name that common file systems hold, and longer than any address needs.
MAX_SEGMENT_BYTES: Final = 255

# C0, DEL and C1 controls, the backslash that some proxies turn into a slash, the slash
# itself, lone surrogates (bytes that were no UTF-8), and what is still percent-encoded: a
# proxy that decodes twice would see another path (CVE-2025-64765).
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\\\\/\ud800-\udfff]|%[0-9a-fA-F]{2}")
_INT = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,16})?")
_SLUG = re.compile(r"[-a-zA-Z0-9_]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_segment(text: str) -> bool:
    """Tell whether `text` can be one segment of a decoded path (NFC, no dots, no controls)."""
    if text in ("", ".", "..") or _FORBIDDEN.search(text):
        return False
    if text.isascii():
        return len(text) <= MAX_SEGMENT_BYTES
    return len(text.encode()) <= MAX_SEGMENT_BYTES and unicodedata.is_normalized("NFC", text)


def _parse_int(text: str) -> Value | None:
    return int(text) if _INT.fullmatch(text) else None


def _float_text(value: float) -> str:
    return format(Decimal(repr(value)).normalize(), "f")


def _parse_float(text: str) -> Value | None:
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return value if _float_text(value) == text and (value or text == "0") else None


def _parse_uuid(text: str) -> Value | None:
    return UUID(text) if _UUID.fullmatch(text) else None


def _parse_slug(text: str) -> Value | None:
    return text if _SLUG.fullmatch(text) else None


def _parse_plain(text: str) -> Value | None:
    return text or None


#: Kind -> parser of a segment's text, most specific first: the order of precedence.
KINDS: Final[Mapping[str, Callable[[str], Value | None]]] = {
    "int": _parse_int,
    "float": _parse_float,
    "uuid": _parse_uuid,
    "slug": _parse_slug,
    "plain": _parse_plain,
}


def parse_value(kind: str, text: str) -> Value | None:
    """Return the value that `text` is, or None where it is not the text of any."""
    return KINDS[kind](text)


def value_text(kind: str, value: object) -> str | None:
    """Return the one text of `value` in a path, or None where `value` can't be of that kind.

    Text of a value is taken as the value; a number or UUID may fill a plain segment.
    `kind` is one of `KINDS`, or "rest" for several segments joined by slashes.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and kind == "float":
        if value != value or value in (float("inf"), float("-inf")):
            return None
        text = _float_text(value or 0.0)
    elif isinstance(value, (str, int, UUID)):
        text = unicodedata.normalize("NFC", str(value))
    else:
        return None
    if kind == "rest":
        return text if all(map(is_segment, text.split("/"))) else None
    return text if is_segment(text) and KINDS[kind](text) is not None else None
