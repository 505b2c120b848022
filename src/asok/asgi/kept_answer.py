"""Answering from a page that `@cache_page` keeps: its holes, validators, age and Cache-Status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from asok.asgi.visitor import Visitor
from asok.cache import CachedPage, PagePolicy, page_ttl
from asok.holes import Holed
from asok.pages import has_current

__all__ = ["ABORTED", "cache_status", "keep", "kept_answer", "with_body"]

#: Not a header, for no header's name has a colon: the handler ended by a 404 with this detail.
ABORTED: Final = ":aborted"
#: Made anew for every response, or about one connection only (RFC 9110, 7.6.1).
_NOT_KEPT: Final = frozenset(
    {"age", "cache-status", "connection", "content-length", "date", "keep-alive"}
    | {"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_VALIDATORS: Final = frozenset({"etag", "last-modified"})


def keep(
    status: int,
    headers: Sequence[tuple[str, str]],
    body: Holed,
    *,
    policy: PagePolicy,
    key: str,
    reads: tuple[str, ...] | None,
) -> CachedPage:
    """Return the page to store.

    One without holes gets an ETag, of its own key, so that a 304 can only be for this page. One
    with holes has none: a browser would apply the new nonce to the old body.
    """
    drop = _NOT_KEPT | _VALIDATORS if body.kinds else _NOT_KEPT
    kept = [(name.lower(), text) for name, text in headers if name.lower() not in drop]
    names = {name for name, _ in kept}
    vary = {
        part.strip().lower() for name, text in kept if name == "vary" for part in text.split(",")
    }
    missing = [name for name in policy.headers if name not in vary]
    if missing:
        kept.append(("vary", ", ".join(missing)))
    if not body.kinds and "etag" not in names and status in (200, 203):
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16)
        digest.update(b"\0" + body.body)
        kept.append(("etag", f'"{digest.hexdigest()}"'))
    return CachedPage(
        status=status, headers=tuple(kept), body=body, stored_at=time.time(), reads=reads
    )


def kept_answer(
    page: CachedPage,
    visitor: Visitor,
    *,
    policy: PagePolicy,
    if_none_match: str | None,
    hit: bool,
    collapsed: bool = False,
) -> Response:
    """Return a page for one visitor, or 304 to who has it. Raises `HTTPException` for one that
    ended by a 404, so that the site's own page of that status is shown.
    """
    age = max(0, int(time.time() - page.stored_at)) if hit else 0
    ttl = page_ttl(policy, page.status)
    left = None if ttl is None else int(ttl) - age
    status = cache_status(hit=hit, left=left, collapsed=collapsed)
    if page.headers and page.headers[0][0] == ABORTED:
        raise HTTPException(page.status, page.headers[0][1], headers={"cache-status": status})
    body, code = page.body.fill_from(visitor.secrets), page.status
    etag = next((text for name, text in page.headers if name == "etag"), None)
    if code == 200 and has_current(if_none_match, etag):
        body, code = b"", 304
    response = Response(body, code)
    for name, text in page.headers:
        response.headers.append(name, text)
    if hit:
        response.headers["age"] = str(age)
    response.headers["cache-status"] = status
    return response


def cache_status(
    *, hit: bool = False, left: int | None = None, collapsed: bool = False, detail: str = ""
) -> str:
    """Return the value of Cache-Status (RFC 9211): `left` are seconds of freshness, which are
    below 0 for a page that is served stale; `detail` says why nothing was stored."""
    parts = ["asok", "hit" if hit else "fwd=miss"]
    if not hit and collapsed:
        parts.append("collapsed")
    elif not hit and not detail:
        parts.append("stored")
    if left is not None and not detail:
        parts.append(f"ttl={left}")
    if detail:
        # A quoted string of ASCII: names may come from anywhere in the site's code.
        plain = detail.encode("ascii", "replace").decode().replace("\\", "?").replace('"', "'")
        parts.append('detail="' + "".join(c if c.isprintable() else "?" for c in plain) + '"')
    return "; ".join(parts)


def with_body(response: Response, body: bytes) -> Response:
    """Return the answer of a handler with another body, for this visitor alone."""
    made = Response(body, response.status_code, background=response.background)
    for name, text in response.headers.items():
        if name not in ("content-length", "transfer-encoding"):
            made.headers.append(name, text)
    return made
