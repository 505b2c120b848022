"""Conditional requests: entity tags, dates, and their precedence (RFC 9110, section 13)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime

__all__ = ["http_date", "if_range_holds", "matches", "parse_date", "precondition"]

_TAG = re.compile(r'[ \t,]*+((?:W/)?)("[\x21\x23-\x7e\x80-\xff]*+")[ \t]*+(?=,|$)')
_LONGEST_DATE = 64


def http_date(timestamp: int) -> str:
    """Return seconds since the epoch as an HTTP date."""
    return formatdate(timestamp, usegmt=True)


def parse_date(header: str) -> int | None:
    """Return an HTTP date as seconds since the epoch, None where it is none.

    One that names no zone, as asctime writes it, is in UTC (RFC 9110, section 5.6.7).
    """
    if len(header) > _LONGEST_DATE:
        return None
    try:
        date = parsedate_to_datetime(header)
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def matches(header: str, etag: str, *, weak: bool) -> bool:
    """Return whether a list of entity tags names `etag` (quoted, strong).

    `*` names every one. With `weak` a `W/` in front is passed over, as If-None-Match wants
    it; without, a weak tag never matches, as If-Match wants it. What follows an item that
    is not well formed is not read.
    """
    if header.strip(" \t") == "*":
        return True
    position = 0
    while match := _TAG.match(header, position):
        if match[2] == etag and (weak or not match[1]):
            return True
        position = match.end()
    return False


def precondition(headers: Mapping[bytes, str], etag: str, modified: int | None) -> int | None:
    """Return 304 or 412 where a GET or HEAD is to be answered so, else None.

    If-Match goes before If-Unmodified-Since and If-None-Match before If-Modified-Since: a
    date counts only where the tag is absent (RFC 9110, section 13.2.2).
    """
    if (wanted := headers.get(b"if-match")) is not None:
        if not matches(wanted, etag, weak=False):
            return 412
    elif modified is not None and (since := headers.get(b"if-unmodified-since")) is not None:
        limit = parse_date(since)
        if limit is not None and modified > limit:
            return 412
    if (known := headers.get(b"if-none-match")) is not None:
        return 304 if matches(known, etag, weak=True) else None
    if modified is not None and (since := headers.get(b"if-modified-since")) is not None:
        limit = parse_date(since)
        if limit is not None and modified <= limit:
            return 304
    return None


def if_range_holds(header: str, etag: str, modified: int | None) -> bool:
    """Return whether a Range counts: the client's part is of these very bytes.

    A tag is compared strongly, a date exactly (RFC 9110, section 13.1.5).
    """
    header = header.strip(" \t")
    if header.startswith('"'):
        return header == etag
    if header.startswith("W/") or modified is None:
        return False
    return parse_date(header) == modified
