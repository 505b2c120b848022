"""Where a redirect may lead: paths of this site, and another site only where that is meant."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from asok.errors import AsokError

__all__ = ["back_path", "redirect_target"]

_LOCAL_URL = re.compile(r"(/(?![/\\])|[?#]|$)")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def redirect_target(url: str, *, mount: str, external: bool) -> str:
    """Return what `Location` says for `url`, a path below `mount`.

    Another site's URL needs `external`, so that a value which a visitor supplied can't lead
    away (open redirect, CWE-601). Raises `AsokError` for anything else.
    """
    if _CONTROL.search(url):
        raise AsokError(
            f"got the redirect target {url!r}, which holds spaces or control characters.",
            fix="Encode it first: urllib.parse.quote(path).",
        )
    if _LOCAL_URL.match(url):
        return mount + url if url.startswith("/") else url
    parts = urlsplit(url)
    if not external:
        raise AsokError(
            f"got the redirect target {url!r}, which is not a path of this site.",
            fix="Begin it with '/', or pass external=True if the visitor shall leave.",
        )
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise AsokError(f"got the redirect target {url!r}, expected an http or https URL.")
    return url


def back_path(referer: str, *, host: str, mount: str) -> str | None:
    """Return the path and query below `mount` that `referer` names.

    None where it is missing, malformed, or of another site, be it on the same host.
    """
    try:
        parts = urlsplit(referer)
    except ValueError:  # "http://["
        return None
    path = parts.path or "/"
    if mount:
        if path != mount and not path.startswith(f"{mount}/"):
            return None
        path = path[len(mount) :] or "/"
    if parts.netloc != host or not _LOCAL_URL.match(path) or _CONTROL.search(path):
        return None
    return f"{path}?{parts.query}" if parts.query else path
