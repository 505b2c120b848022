"""sitemap.xml and robots.txt: which pages search engines are told of (sitemaps.org, RFC 9309)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

__all__ = ["MAX_BYTES", "MAX_URLS", "Entry", "robots", "sitemap"]

#: Limits of one file (sitemaps.org, protocol): more are split and listed by an index.
MAX_URLS: Final = 50_000
MAX_BYTES: Final = 50 * 1024 * 1024

_HEAD: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACE: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_MARGIN: Final = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: its `url` as it is linked, and when it `changed` (seconds since the epoch)."""

    url: str
    changed: float | None = None


def sitemap(
    entries: Iterable[Entry],
    base_url: str,
    *,
    max_urls: int = MAX_URLS,
    max_bytes: int = MAX_BYTES,
) -> dict[str, bytes]:
    """Return the files of the sitemap by name: `sitemap.xml`, and its parts where it has some.

    `entries` hold encoded paths below `base_url`, which has no slash at its end. The same
    entries give the same bytes.
    """
    parts: list[list[bytes]] = [[]]
    changed: list[float] = [0.0]
    size = 0
    for entry in sorted(entries, key=lambda entry: entry.url):
        line = _line("url", base_url + entry.url, entry.changed)
        if parts[-1] and (len(parts[-1]) >= max_urls or size + len(line) > max_bytes - _MARGIN):
            parts.append([])
            changed.append(0.0)
            size = 0
        parts[-1].append(line)
        size += len(line)
        changed[-1] = max(changed[-1], entry.changed or 0.0)
    if len(parts) == 1:
        return {"sitemap.xml": _document("urlset", parts[0])}
    files = {
        f"sitemap-{number}.xml": _document("urlset", part) for number, part in enumerate(parts, 1)
    }
    index = [
        _line("sitemap", f"{base_url}/{name}", moment or None)
        for name, moment in zip(files, changed, strict=True)
    ]
    return {"sitemap.xml": _document("sitemapindex", index), **files}


def _line(kind: str, url: str, changed: float | None) -> bytes:
    # `'` needs no escape in an element, but the protocol asks for all five.
    text = escape(url, {"'": "&apos;", '"': "&quot;"})
    moment = ""
    if changed is not None:
        moment = f"<lastmod>{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(changed))}</lastmod>"
    return f"<{kind}><loc>{text}</loc>{moment}</{kind}>\n".encode()


def _document(root: str, lines: Sequence[bytes]) -> bytes:
    return b"".join(
        [_HEAD, f'<{root} xmlns="{_SPACE}">\n'.encode(), *lines, f"</{root}>\n".encode()]
    )


def robots(base_url: str, hidden: Iterable[str] = ()) -> bytes:
    """Return a robots.txt that lets everything be read and names the sitemap.

    `hidden` are path prefixes that crawlers are asked to leave alone.
    """
    rules = [f"Disallow: {quote(path, safe='/-._~!$&()*+,;=:@%')}" for path in sorted(hidden)]
    lines = ["User-agent: *", *(rules or ["Allow: /"]), "", f"Sitemap: {base_url}/sitemap.xml", ""]
    return "\n".join(lines).encode()
