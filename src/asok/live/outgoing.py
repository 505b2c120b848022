"""What a method may hand to browsers and other components: checked where it is called."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from asok.errors import LiveError

__all__ = ["check_url", "plain"]

#: A path of this site; `//host` and `/\\host` are other sites to browsers (WHATWG URL).
_LOCAL: Final = re.compile(r"/(?![/\\])|[?#]")
#: Browsers strip these before they read the scheme: "\x01javascript:", "/\t/evil".
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")


def check_url(url: str, *, external: bool) -> str:
    """Return `url` where a browser may be sent there. Raises `LiveError`."""
    if _CONTROL.search(url) or "\\" in url:
        raise LiveError(
            f"got the redirect target {url[:200]!r}, which holds spaces, control characters or "
            "backslashes.",
            fix="Encode it first: urllib.parse.quote(path).",
        )
    if _LOCAL.match(url):
        return url
    parts = urlsplit(url)
    if not external or parts.scheme not in ("http", "https") or not parts.netloc:
        raise LiveError(
            f"got the redirect target {url[:200]!r}, which is not a path of this site.",
            fix="Begin it with '/', or pass external=True with an http or https URL.",
        )
    return url


def plain(name: str, value: Any) -> Any:
    """Return `value` in JSON types. Raises `LiveError` for what has no JSON form."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise LiveError(
            f"sending {name!r} failed: {error}.",
            fix="Send texts, numbers, dates, lists and dictionaries.",
        ) from error
