"""Readable file names for pages: the words of the path, then a digest that makes them unique."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final

__all__ = ["body_name", "page_name"]

_WORDS: Final = re.compile(r"[^a-z0-9]+")
_SUFFIXES: Final = {
    "text/html": "html",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
    "text/plain": "txt",
    "text/css": "css",
    "text/markdown": "md",
}


def page_name(path: str) -> str:
    """Return the name that a page's files begin with: `blog-hello.5f2c…`.

    The digest is of the whole path, so no two paths share a name, whatever the file system
    thinks of case, Unicode forms or length.
    """
    words = _WORDS.sub("-", path.lower()).strip("-")[:60].strip("-") or "index"
    key = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
    return f"{words}.{key}"


def body_name(name: str, digest: str, content_type: str) -> str:
    """Return the file name of a page's body: page, content, and a suffix for editors."""
    return f"{name}.{digest[:16]}.{_suffix(content_type)}"


@lru_cache
def _suffix(content_type: str) -> str:
    return _SUFFIXES.get(content_type.partition(";")[0].strip().lower(), "bin")
