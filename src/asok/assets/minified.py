"""CSS, JavaScript and SVG made smaller by tdewolff-minify, without changing what they mean."""

from __future__ import annotations

import re
from pathlib import Path

from asok.assets.media import media_type
from asok.errors import AssetError

__all__ = ["minified"]

_TYPES = {
    "text/css": "text/css",
    "text/javascript": "text/javascript",
    "image/svg+xml": "image/svg+xml",
}

# White space between the pieces of SVG text is drawn, and the minifier takes it away, as it does
# with the stylesheets of a document; script and embedded HTML have rules of their own.
_DELICATE_SVG = re.compile(
    r"<(?:text|script|foreignObject)\b|<\?xml-stylesheet|xml:space", re.IGNORECASE
)
_LINE = re.compile(r"on line (\d+)")


def minified(name: str, text: str, *, file: Path) -> str:
    """Return `text` minified, or as it is where its kind has no minifier.

    `x.min.js` is taken as minified already. Raises `AssetError` naming `file` and the line
    for source that can't be parsed.
    """
    kind = _TYPES.get(media_type(name).partition(";")[0])
    if kind is None or ".min." in name or not text:
        return text
    if kind == "image/svg+xml" and _DELICATE_SVG.search(text):
        return text
    import minify  # pyright: ignore[reportMissingTypeStubs] # the shared library takes 10 ms to load, and only a build needs it

    try:
        return minify.string(kind, text)
    except minify.MinifyError as error:
        first = str(error).partition("\n")[0]
        where = _LINE.search(first)
        raise AssetError(
            f"can't be minified: {first}.",
            fix="Correct the file, or name it `.min` to publish it as it is.",
            file=file,
            line=int(where[1]) if where else None,
        ) from error
