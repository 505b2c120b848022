"""Forms checked by headers alone: where a request comes from, said by the browser itself.

`Sec-Fetch-Site` (Fetch Metadata) and `Origin` (Fetch, 3.2) can't be set by a page of another
site. Every browser since 2020 sends one of them with every unsafe request, so a site that
needs no older ones needs no token, and pages with forms can be the same for everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

__all__ = ["headers_problem"]


def headers_problem(
    headers: Mapping[str, str], *, scheme: str, host: str, trusted: Collection[str] = ()
) -> str | None:
    """Return why an unsafe request is refused, or None where the browser vouches for it.

    `headers` has lower-case names; `scheme` and `host` (with port) are those that the
    request arrived at; `trusted` are further origins such as `https://admin.example.org`.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site in ("same-origin", "none"):
        return None
    own = f"{scheme}://{host}".lower()
    if origin is not None and (origin.lower() == own or origin in trusted):
        return None
    if site is not None:
        return f"its Sec-Fetch-Site is {site!r}, expected 'same-origin'"
    if origin is not None:
        return f"its Origin is {origin!r}, expected {own!r}"
    return (
        "it carries neither Sec-Fetch-Site nor Origin, so nothing says that it comes from this "
        "site. Use a browser of 2020 or later; a page that other programs call says CSRF = False"
    )
