"""Content codings and validators, as RFC 9110 has them."""

from __future__ import annotations

import pytest

from asok.pages import choose_coding, has_current
from asok.pages.encoding import is_compressible

ALL = ("", "br", "gzip")


@pytest.mark.parametrize(
    ("header", "available", "coding"),
    [
        ("gzip, deflate, br, zstd", ALL, "br"),
        ("gzip, deflate", ALL, "gzip"),
        ("br;q=0.5, gzip;q=0.8", ALL, "gzip"),
        ("br;q=0, gzip", ALL, "gzip"),
        ("BR", ALL, "br"),
        ("*", ALL, "br"),
        ("*;q=0", ALL, ""),
        ("br;q=0, *", ALL, "gzip"),
        ("identity", ALL, ""),
        ("", ALL, ""),
        (",,;q=1", ALL, ""),
        ("br;q=x", ALL, ""),
        ("br;level=5", ALL, "br"),
        ("br", ("",), ""),
        ("gzip," * 100, ALL, ""),
        ("zstd", ALL, ""),
    ],
)
def test_the_best_coding_that_the_client_takes(
    header: str, available: tuple[str, ...], coding: str
) -> None:
    assert choose_coding(header, available) == coding


@pytest.mark.parametrize(
    ("header", "etag", "current"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"x", W/"a"', '"a"', True),
        ("*", '"a"', True),
        ('"b"', '"a"', False),
        ('"xa"', '"a"', False),
        ("a", '"a"', False),
        ('"a', '"a"', False),
        ("", '"a"', False),
        (None, '"a"', False),
        ('"a"', None, False),
        ("*", None, False),
    ],
)
def test_a_client_that_has_the_page_already(
    header: str | None, etag: str | None, current: bool
) -> None:
    assert has_current(header, etag) is current


def test_media_types_worth_compressing() -> None:
    for media in ("text/html; charset=utf-8", "application/json", "application/rss+xml",
                  "image/svg+xml", "TEXT/CSS"):  # fmt: skip
        assert is_compressible(media), media
    for media in ("image/png", "application/zip", "video/mp4", "application/octet-stream"):
        assert not is_compressible(media), media
