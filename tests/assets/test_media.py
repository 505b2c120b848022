"""Media types that no machine's own tables change."""

from __future__ import annotations

import pytest

from asok.assets.media import is_compressible, is_font, media_type


@pytest.mark.parametrize(
    ("name", "media", "compressible", "font"),
    [
        ("a.css", "text/css; charset=utf-8", True, False),
        ("A.JS", "text/javascript; charset=utf-8", True, False),
        ("a.svg", "image/svg+xml", True, False),
        ("a.woff2", "font/woff2", False, True),
        ("a.ttf", "font/ttf", True, True),
        ("a.png", "image/png", False, False),
        ("a.rtx", "text/richtext; charset=utf-8", True, False),
        ("a.zip", "application/zip", False, False),
        ("a.tar.gz", "application/octet-stream", False, False),
        ("a.unknown", "application/octet-stream", False, False),
        ("a", "application/octet-stream", False, False),
    ],
)
def test_by_suffix(name: str, media: str, compressible: bool, font: bool) -> None:
    assert media_type(name) == media
    assert is_compressible(media) is compressible
    assert is_font(media) is font
