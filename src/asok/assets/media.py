"""Media types by suffix, the same on every machine, and which of them shrink.

The operating system's own tables are left out: two hosts would answer differently.
"""

from __future__ import annotations

import mimetypes
from os.path import splitext

__all__ = ["is_compressible", "is_font", "is_module", "media_type", "preload_as"]

_UTF8 = "; charset=utf-8"

_WEB: dict[str, str] = {
    ".avif": "image/avif",
    ".css": "text/css" + _UTF8,
    ".csv": "text/csv" + _UTF8,
    ".eot": "application/vnd.ms-fontobject",
    ".gif": "image/gif",
    ".htm": "text/html" + _UTF8,
    ".html": "text/html" + _UTF8,
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript" + _UTF8,  # RFC 9239
    ".json": "application/json",
    ".map": "application/json",  # ECMA-426
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".md": "text/markdown" + _UTF8,
    ".mjs": "text/javascript" + _UTF8,
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain" + _UTF8,
    ".vtt": "text/vtt" + _UTF8,
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_OTHERS = mimetypes.MimeTypes(filenames=())

_COMPRESSIBLE = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xml",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "image/vnd.microsoft.icon",
    }
)


def media_type(name: str) -> str:
    """Return the Content-Type of a file called `name`; unknown suffixes are octet streams."""
    suffix = splitext(name)[1].lower()
    known = _WEB.get(suffix)
    if known is not None:
        return known
    guessed, encoding = _OTHERS.guess_type(f"x{suffix}")
    if guessed is None or encoding is not None:
        return "application/octet-stream"
    return guessed + _UTF8 if guessed.startswith("text/") else guessed


def is_compressible(media: str) -> bool:
    """Return True where a compressed variant is worth trying."""
    kind = media.partition(";")[0]
    return kind.startswith("text/") or kind in _COMPRESSIBLE or kind.endswith(("+json", "+xml"))


def is_module(name: str) -> bool:
    """Return True for the name of a script, which other scripts may import."""
    return name.endswith((".js", ".mjs"))


def preload_as(media: str) -> str:
    """Return what a browser is to fetch a preloaded file as (HTML, section 4.6.7.18)."""
    kind = media.partition(";")[0]
    if is_font(kind):
        return "font"
    if kind == "text/css":
        return "style"
    if kind == "text/javascript":
        return "script"
    if kind == "text/vtt":
        return "track"
    return "image" if kind.startswith("image/") else "fetch"


def is_font(media: str) -> bool:
    """Return True for fonts, which browsers fetch in CORS mode even from the same site."""
    return media.startswith("font/") or media == "application/vnd.ms-fontobject"
