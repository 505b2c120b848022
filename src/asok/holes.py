"""Per-visitor values in stored bytes: where they go is kept, what they are is not.

While something that will be stored renders, the nonce and the CSRF value are random
sentinels. After the last transform `cut` removes them from the bytes and remembers their
offsets; `Holed.fill` joins the slices with the values of one visitor. Stored bytes hold
no secret, and no text of an author or a visitor can be mistaken for a hole: the sentinels
are drawn anew for every render and never stored.

What a template shows is taken from a context variable, so that macros, includes and
components get it without passing it along.
"""

from __future__ import annotations

import json
import re
import secrets as randomness
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Final, Literal, NoReturn, Protocol

from asok.errors import HoleError

__all__ = ["Holed", "Kind", "Secrets", "Sentinels", "VisitorSecrets", "current", "secrets", "use"]

Kind = Literal["nonce", "csrf"]
KINDS: Final[tuple[Kind, ...]] = ("nonce", "csrf")
#: How many characters a value of each kind has, for every visitor.
VALUE_SIZES: Final[Mapping[Kind, int]] = {"nonce": 22, "csrf": 86}


class Secrets(Protocol):
    """The per-visitor values that a render may show."""

    @property
    def nonce(self) -> str:
        """The CSP nonce of this response (22 characters of base64url, at least 128 bits)."""
        ...

    @property
    def csrf(self) -> str:
        """The visitor's masked CSRF token (86 characters of base64url); empty where a site
        has none, because it checks forms by headers alone."""
        ...

    @property
    def tokens(self) -> bool:
        """Whether there are CSRF tokens."""
        ...


class VisitorSecrets:
    """The values of one visitor's response, each made when it is first shown.

    `nonce` and `csrf` are callables of no arguments that return base64url text; without
    `csrf` there are no tokens, and forms show none. `used` holds the kinds that were shown,
    which decide the response's headers.
    """

    def __init__(self, nonce: Callable[[], str], csrf: Callable[[], str] | None) -> None:
        self.tokens = csrf is not None
        self._make = {"nonce": nonce, "csrf": csrf or str}
        self._made: dict[str, str] = {}

    def _get(self, kind: Kind) -> str:
        value = self._made.get(kind)
        if value is None:
            value = self._made[kind] = self._make[kind]()
        return value

    @property
    def nonce(self) -> str:
        return self._get("nonce")

    @property
    def csrf(self) -> str:
        return self._get("csrf") if self.tokens else ""

    @property
    def used(self) -> frozenset[str]:
        """The kinds that were shown so far."""
        return frozenset(self._made)


current: ContextVar[Secrets | None] = ContextVar("asok.secrets", default=None)


def secrets() -> Secrets:
    """Return the values of the render that is going on.

    Raises `HoleError` outside any render.
    """
    found = current.get()
    if found is None:
        raise HoleError(
            "a nonce or CSRF value was asked for outside any render.",
            fix="Render through request.html(...), or inside `with asok.holes.use(...)`.",
        )
    return found


def use(values: Secrets) -> AbstractContextManager[None]:
    """Make `values` the ones that templates show inside the block."""
    return _Used(values)


class _Used(AbstractContextManager[None]):
    """A generator would do the same, at four times the cost: each request and call uses some."""

    __slots__ = ("_token", "_values")

    def __init__(self, values: Secrets) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._token = current.set(self._values)

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)


_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
#: Every sentinel of every render; whose it is, the mark in it tells. Compiled once: a pattern
#: for each render cost ten times as much as the search.
_PATTERN: Final = re.compile(rb"zq(nonce|csrf)([a-p]{32})qz")


class _Sentinel(str):
    """A stand-in for a value that is not known yet; it can only be written out.

    Comparing, measuring or slicing it would make the page depend on a random text that
    no visitor will ever get.
    """

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise HoleError(
            "a page that is stored compared, measured, hashed or cut its nonce or CSRF value, "
            "which is different for every visitor.",
            fix="Only write the value out ({{ nonce }}, {{ csrf_input() }}), or render this "
            "page per request (remove SSG = True).",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __len__ = __getitem__ = __iter__ = __contains__ = __hash__ = _refuse  # type: ignore[assignment]
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = _refuse  # type: ignore[assignment]
    upper = lower = title = swapcase = replace = split = encode = _refuse  # type: ignore[assignment]


class Sentinels:
    """The sentinels of one storable render; also `Secrets` for it.

    With `tokens` False the site has no CSRF tokens, and `csrf` is empty.
    """

    def __init__(self, *, tokens: bool = True) -> None:
        self.tokens = tokens
        # 128 random bits in letters: no case change, escape or URL-encoding is applied to
        # them, and whatever does change them (a hash, `|upper`) is noticed by `cut`.
        mark = randomness.token_hex(16).translate(_LETTERS)
        self._text: dict[Kind, str] = {kind: f"zq{kind}{mark}qz" for kind in KINDS}
        self._mark = mark.encode()
        self.shown: dict[Kind, int] = {"nonce": 0, "csrf": 0}

    def _show(self, kind: Kind) -> str:
        self.shown[kind] += 1
        return _Sentinel(self._text[kind])

    @property
    def nonce(self) -> str:
        return self._show("nonce")

    @property
    def csrf(self) -> str:
        return self._show("csrf") if self.tokens else ""

    def cut(self, body: bytes) -> Holed:
        """Split `body` at the sentinels.

        Raises `HoleError` where one that was shown is missing, or where a part of one is
        left over: something on the way (a filter, a minifier, a hash) changed it, and the
        stored page would be broken for every visitor.
        """
        slices: list[bytes] = []
        found: list[Kind] = []
        end = 0
        for match in _PATTERN.finditer(body):
            if match[2] == self._mark:
                slices.append(body[end : match.start()])
                found.append("nonce" if match[1] == b"nonce" else "csrf")
                end = match.end()
        slices.append(body[end:])
        for kind, count in self.shown.items():
            if count and kind not in found:
                raise HoleError(
                    f"this page asked for its {kind} {count} times, but the finished page "
                    "does not hold it.",
                    fix="Write the value straight into the page: no filter, hash, encoding or "
                    "variable that is dropped may stand between.",
                )
        rest = b"".join(slices).lower()
        if self._mark[:16] in rest or self._mark[16:] in rest:
            raise HoleError(
                "a part of a nonce or CSRF value was left in the page after it was changed.",
                fix="Write the value straight into the page, without a filter.",
            )
        return Holed(tuple(slices), tuple(found))


class Holed:
    """Bytes with holes: `slices[0] + value(kinds[0]) + slices[1] + … + slices[-1]`."""

    __slots__ = ("_csrf_at", "_nonce_at", "_pieces", "filled_size", "kinds", "size", "slices")

    def __init__(self, slices: tuple[bytes, ...], kinds: tuple[Kind, ...] = ()) -> None:
        if len(slices) != len(kinds) + 1:
            raise ValueError(f"{len(slices)} slices do not go with {len(kinds)} holes")
        self.slices = slices
        self.kinds = kinds
        self.size = sum(map(len, slices))
        self.filled_size = self.size + sum(VALUE_SIZES[kind] for kind in kinds)
        self._pieces = [piece for part in slices for piece in (part, b"")]
        self._nonce_at = [2 * at + 1 for at, kind in enumerate(kinds) if kind == "nonce"]
        self._csrf_at = [2 * at + 1 for at, kind in enumerate(kinds) if kind == "csrf"]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Holed):
            return NotImplemented
        return self.slices == other.slices and self.kinds == other.kinds

    def __hash__(self) -> int:
        return hash((self.slices, self.kinds))

    @property
    def body(self) -> bytes:
        """The bytes without anything in the holes: what is stored."""
        return b"".join(self.slices)

    @property
    def offsets(self) -> list[tuple[int, Kind]]:
        """Where in `body` each hole is, in ascending order."""
        result: list[tuple[int, Kind]] = []
        position = 0
        for piece, kind in zip(self.slices, self.kinds, strict=False):
            position += len(piece)
            result.append((position, kind))
        return result

    @classmethod
    def from_offsets(cls, body: bytes, offsets: list[tuple[int, Kind]]) -> Holed:
        """The inverse of `body` and `offsets`. Raises `ValueError` for offsets that don't fit."""
        slices: list[bytes] = []
        position = 0
        for offset, kind in offsets:
            if not position <= offset <= len(body) or kind not in KINDS:
                raise ValueError(f"hole {kind!r} at {offset} does not fit {len(body)} bytes")
            slices.append(body[position:offset])
            position = offset
        slices.append(body[position:])
        return cls(tuple(slices), tuple(kind for _, kind in offsets))

    def fill(self, nonce: bytes = b"", csrf: bytes = b"") -> bytes:
        """Return the bytes for one visitor."""
        if not self.kinds:
            return self.slices[0]
        pieces = self._pieces.copy()
        for at in self._nonce_at:
            pieces[at] = nonce
        for at in self._csrf_at:
            pieces[at] = csrf
        return b"".join(pieces)

    def fill_from(self, values: Secrets) -> bytes:
        """Fill from `values`, asking only for the kinds that there are holes for."""
        nonce = values.nonce.encode() if "nonce" in self.kinds else b""
        csrf = values.csrf.encode() if "csrf" in self.kinds else b""
        if not csrf and "csrf" in self.kinds:
            # Stored before the site gave its tokens up: nobody reads the field any more.
            csrf = b"-" * VALUE_SIZES["csrf"]
        return self.fill(nonce, csrf)

    def to_json(self) -> str:
        """Text for a store of JSON values: `{"body": str, "holes": [[offset, kind], …]}`."""
        return json.dumps({"body": self.body.decode(), "holes": self.offsets}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Holed:
        """The inverse of `to_json`. Raises `ValueError` for anything else."""
        data: Any = json.loads(text)
        try:
            offsets: list[tuple[int, Kind]] = [(int(at), kind) for at, kind in data["holes"]]
            return cls.from_offsets(data["body"].encode(), offsets)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a stored fragment with holes") from error
