"""Which file of a static host answers which path."""

from __future__ import annotations

import posixpath
from typing import Final

__all__ = ["file_of", "media_of"]

#: What hosts serve under the name's own ending; anything else becomes a page's folder.
_MEDIA: Final = {
    ".atom": "application/atom+xml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".html": "text/html",
    ".ics": "text/calendar",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".rss": "application/rss+xml",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".xml": "application/xml",
}


def file_of(path: str, media: str, *, flat: bool) -> str:
    """Return the file, relative to the export, that answers the decoded `path` of a page.

    HTML becomes `about/index.html`, or `about.html` where `flat`; what isn't HTML keeps its
    name. `media` is the page's media type.
    """
    name = path.strip("/")
    if not media.startswith("text/html") or name.endswith(".html"):
        return name or "index.html"
    if not name:
        return "index.html"
    return f"{name}.html" if flat else f"{name}/index.html"


def media_of(file: str) -> str:
    """Return the media type that a host sends with `file`, as far as that is certain."""
    return _MEDIA.get(posixpath.splitext(file)[1].lower(), "")
