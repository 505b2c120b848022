"""What hosts read beside the pages: `_headers`, `_redirects`, and pages that redirect.

The two files are Netlify's, and Cloudflare Pages reads them too:
https://docs.netlify.com/manage/routing/headers/,
https://developers.cloudflare.com/pages/configuration/headers/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

__all__ = ["LONGEST_LINE", "headers_file", "redirect_page", "redirects_file"]

#: Cloudflare passes over longer lines.
LONGEST_LINE: Final = 2000

Header = tuple[str, str]


def headers_file(rules: Mapping[str, Sequence[Header]]) -> bytes:
    """Return `_headers`: path pattern -> headers."""
    lines: list[str] = []
    for path, headers in rules.items():
        if headers:
            lines += [path, *(f"  {name}: {value}" for name, value in headers)]
    return ("\n".join(lines) + "\n").encode()


def redirects_file(redirects: Mapping[str, tuple[str, int]]) -> bytes:
    """Return `_redirects`: encoded path -> (target, status)."""
    lines = [f"{path} {target} {status}" for path, (target, status) in sorted(redirects.items())]
    return ("\n".join(lines) + "\n").encode()


def redirect_page(target: str) -> bytes:
    """Return a page that sends its reader on, for hosts without `_redirects`."""
    url = escape(target)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<title>Redirecting</title><meta http-equiv="refresh" content="0; url={url}">'
        f'<meta name="robots" content="noindex"><link rel="canonical" href="{url}"></head>'
        f'<body><p>This page is at <a href="{url}">{url}</a>.</p></body></html>\n'
    ).encode()
