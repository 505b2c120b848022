"""Where a link leads: from its text and the page that it stands on to a path of the site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from asok.pages.route import encode_path

__all__ = ["Reference", "refer"]

#: Nearly every link of a site: nothing to decode, to join or to cut off.
_PLAIN = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*[A-Za-z0-9._~-]*")
#: The top of the page, whatever it holds (HTML, 7.4.6.4).
_TOP = frozenset({"", "top"})
_TEXT_DIRECTIVE = ":~:"


@dataclass(frozen=True, slots=True)
class Reference:
    """A place of this site: the decoded `path` below its mount, and the `fragment` in it.

    `inside` is False where the URL has the site's host but lies beside its mount. `here` is
    True where the answer depends on the page that the link stands on.
    """

    path: str
    fragment: str = ""
    inside: bool = True
    here: bool = False


def refer(value: str, page: str, *, mount: str = "", origin: str = "") -> Reference | None:
    """Return the place that `value`, written on the page at `page`, leads to.

    `page` is decoded and below the `mount`, the path that the site lives under; `origin` is
    its scheme and host. None for another host and other schemes.
    """
    if not mount and _PLAIN.fullmatch(value):
        return Reference(value)
    here = not value.startswith("/")
    try:
        parts = urlsplit(value)
        if parts.scheme or parts.netloc:
            same = origin and f"{parts.scheme or urlsplit(origin).scheme}://{parts.netloc}"
            if not same or same.lower() != origin.lower():
                return None
            here = False
        elif here:
            parts = urlsplit(urljoin(mount + encode_path(page), value))
    except ValueError:  # an impossible host or port
        return None
    fragment = unquote(parts.fragment).partition(_TEXT_DIRECTIVE)[0]
    if fragment.lower() in _TOP or fragment[:1] in ("/", "!"):  # of a router in the browser
        fragment = ""
    path = unquote(parts.path) or "/"
    if mount:
        if path != mount and not path.startswith(f"{mount}/"):
            return Reference(path, fragment, inside=False, here=here)
        path = path[len(mount) :] or "/"
    return Reference(path, fragment, here=here)
