"""A file of the site that a handler sends: never source, never what is hidden or outside."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

__all__ = ["find_file", "send_file"]


def send_file(site: Path, path: Path | str, root: Path | None, download: str | None) -> Response:
    """Return the answer with a file. Raises `HTTPException` 404 where it may not be sent."""
    target = find_file(site, path, root)
    if target is None:
        raise HTTPException(404)
    return FileResponse(target, filename=download)


def find_file(site: Path, path: Path | str, root: Path | None) -> Path | None:
    """Return the file `path` below `root`, or None where it may not be sent.

    Without `root` it is one in a folder of the site itself: neither below `src/` nor beside
    wsgi.py (the database, for one), whatever a visitor may ask for.
    """
    base = (root or site).resolve()
    try:
        target = (base / path).resolve()
        if not target.is_relative_to(base) or not target.is_file():
            return None
    except (ValueError, OSError):  # a NUL; a name or path that is too long
        return None
    parts = target.relative_to(base).parts
    private = root is None and (len(parts) < 2 or parts[0] == "src")
    if private or any(part.startswith(".") for part in parts):
        return None
    return target
