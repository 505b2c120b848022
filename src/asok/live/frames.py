"""The frames of `/asok/live`: JSON arrays of which the first element names the kind.

From the browser: `["j", n, token, tab, version?]`, `["c", n, seq, method, args, data]`,
`["l", n]`. To the browser: `["h", n, version, html, seq]`,
`["s", n, version, base, [[at, del, text], …], seq]`, `["o", n, version, seq]`,
`["e", n, seq, code, message]`, `["t", csrf]`, `["r", reason]`,
`["d", n, name, detail, 0]`, `["g", n, url, 0]`.

`n` is the component's number on this socket, `seq` the call that is answered (0 for none),
`at` and `del` count UTF-16 units of the base version's HTML, as JavaScript does.

An answer with `seq` 0 was not asked for: a broadcast, or a render from within a method that
still runs. The latter has a version and a half (4.5 after 4), so that it is later than what is
stored and earlier than what comes of it.

`["d", n, name, detail, 0]` is `self.dispatch(name, detail)`: the browser dispatches a
`CustomEvent(name, {detail, bubbles: true})` on the component's wrapper. `["g", n, url, 0]` is
`self.redirect(url)`: it goes to `url`, a path of this site or an http(s) URL that was checked
here. Both come after the frame that answers the call, and end in 0, like an answer to none.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import msgspec

from asok.errors import CallRefused

__all__ = [
    "CALL_FAILED",
    "Call",
    "Frame",
    "Join",
    "Leave",
    "Splice",
    "csrf",
    "dispatched",
    "failed",
    "go",
    "html",
    "parse",
    "reload",
    "same",
    "spliced",
]

#: A replacement of `del` units at `at` by `text`.
Splice = tuple[int, int, str]

#: The code of a method that raised.
CALL_FAILED: Final = "failed"

_Number = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
#: What begins with `$` is the ledger's own: publishers of events, beside the page views.
_Tab = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^$]")]


class Join(msgspec.Struct, array_like=True, tag="j", forbid_unknown_fields=True, frozen=True):
    """A component of the page wants to live. `version` is what the browser shows: None is the
    page's own HTML, -1 nothing that the server could refer to."""

    n: _Number
    token: str
    tab: _Tab
    version: int | float | None = None


class Call(msgspec.Struct, array_like=True, tag="c", forbid_unknown_fields=True, frozen=True):
    """A method is to run. `seq` rises within `tab`; one that was answered is not run again."""

    n: _Number
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    method: _Name
    args: list[Any] | None = None
    data: dict[str, Any] | None = None


class Leave(msgspec.Struct, array_like=True, tag="l", forbid_unknown_fields=True, frozen=True):
    """A component has gone from the page."""

    n: _Number


Frame = Join | Call | Leave

_decoder = msgspec.json.Decoder(Frame)
_encode = msgspec.json.Encoder().encode


def parse(text: str | bytes, *, depth: int, arguments: int) -> Frame:
    """Return the frame in `text`.

    The caller has bounded its bytes. Raises `CallRefused` for anything that is no frame, that
    nests deeper than `depth` or has more than `arguments` arguments or fields.
    """
    try:
        frame = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise CallRefused(f"this is no frame: {error}.", code="malformed") from error
    if frame.__class__ is Call and (frame.args or frame.data):
        _check(frame, text, depth=depth, arguments=arguments)
    return frame


def _check(call: Call, text: str | bytes, *, depth: int, arguments: int) -> None:
    args, data = call.args, call.data
    if len(args or ()) > arguments or len(data or ()) > arguments:
        raise CallRefused(
            f"a call has more than {arguments} arguments or fields.", code="malformed"
        )
    if (args and _deeper(args, depth)) or (data and _deeper(data, depth)):
        raise CallRefused(f"a call nests deeper than {depth}.", code="malformed")
    if "{" in text if isinstance(text, str) else b"{" in text:
        # msgspec takes the last of two equal keys, and what another reader took of them is not
        # known. The depth is bounded by now.
        try:
            json.loads(text, object_pairs_hook=_unique)
        except ValueError as error:  # a number of more digits than Python reads
            raise CallRefused(f"this is no frame: {error}.", code="malformed") from error


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) != len(dict(pairs)):
        raise CallRefused("an object has one key twice.", code="malformed")


def _deeper(value: Any, depth: int) -> bool:
    """Whether containers nest more than `depth` deep; level by level, so no recursion."""
    level: list[Any] = [value]
    for _ in range(depth):
        inner: list[Any] = []
        for container in level:
            inner.extend(container.values() if isinstance(container, dict) else container)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        level = [one for one in inner if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def _text(*frame: object) -> str:
    return _encode(frame).decode()


def html(n: int, version: float, inside: str, seq: int) -> str:
    """The whole inside of a component."""
    return _text("h", n, version, inside, seq)


def spliced(n: int, version: float, base: float, splices: list[Splice], seq: int) -> str:
    """What changed from version `base`, by ascending offsets on that version's text."""
    return _text("s", n, version, base, splices, seq)


def same(n: int, version: float, seq: int) -> str:
    """The call was made and nothing changed on the screen."""
    return _text("o", n, version, seq)


def failed(n: int, seq: int, code: str, message: str) -> str:
    """The call was not made, or failed; n = 0 where no component is known."""
    return _text("e", n, seq, code, message)


def dispatched(n: int, name: str, detail: object) -> str:
    """An event for the page's own scripts."""
    return _text("d", n, name, detail, 0)


def go(n: int, url: str) -> str:
    """The browser is to go to `url`, which was checked."""
    return _text("g", n, url, 0)


def csrf(value: str) -> str:
    """The new value of every hidden CSRF field on the page."""
    return _text("t", value)


def reload(reason: str) -> str:
    """The page is to be loaded anew (at most once)."""
    return _text("r", reason)
