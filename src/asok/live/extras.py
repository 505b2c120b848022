"""What is kept beside a component's fields: topics that it subscribed to, messages of its form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, cast

import msgspec

__all__ = ["Extras", "Messages", "keep_typed", "read_extras"]

#: No field has that name.
_KEY: Final = b'"$":'


#: Names of fields whose text is never kept.
_SECRET: Final = re.compile(
    r"pass(?:w|phrase|code|key|e$)|pwd|kennwort|contrase|senha|secret|token|cv[vc]|card_?n"
    r"|(?:^|_)(?:otp|pin|iban|ssn)(?:$|_)",
    re.IGNORECASE,
)
#: Characters of what is kept of one refused form; beyond it nothing is.
_MOST_TYPED: Final = 16 * 1024


class Messages(dict[str, Any]):
    """Texts by field, or lists of them; a template that asks for what is not there gets no text."""

    def __missing__(self, key: str) -> Any:
        return ""


class Extras(msgspec.Struct, omit_defaults=True):
    """`topics` were subscribed to by the instance; `errors` says by field what is wrong, and
    `typed` what was sent with it."""

    topics: list[str] = msgspec.field(default_factory=list[str])
    errors: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    typed: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self.errors = Messages(self.errors)
        self.typed = Messages(self.typed)

    def settle(self) -> None:
        """Forget what was sent, unless there is something wrong with it."""
        if not self.typed.keys() & self.errors.keys():
            self.typed.clear()

    def beside(self, state: bytes) -> bytes:
        """Return a state, a JSON object, with these in it."""
        if not (self.topics or self.errors or self.typed):
            return state
        own = _KEY + msgspec.json.encode(self)
        return state[:-1] + (b"," if len(state) > 2 else b"") + own + b"}"


def keep_typed(
    typed: dict[str, Any],
    sent: Mapping[str, Any],
    *,
    several: Collection[str] = (),
    fields: Iterable[str] = (),
) -> None:
    """Keep what was sent while it may have to be shown again: texts, and no secrets.

    Those of `several` are kept as lists. Of the other `fields` of the form no text is kept, but
    that they belong to it: what is wrong with a file is a reason to keep the rest.
    """
    texts: dict[str, Any] = {}
    for name, value in sent.items():
        values = _texts(value)
        if values and not _SECRET.search(name):
            texts[name] = values if name in several or isinstance(value, list) else value
    if sum(len(text) for value in texts.values() for text in _texts(value)) <= _MOST_TYPED:
        typed.update(dict.fromkeys(fields, ""))
        typed.update(texts)


def _texts(value: Any) -> list[str]:
    values = cast("list[Any]", value if isinstance(value, list) else [value])
    return values if all(isinstance(one, str) for one in values) else []


class _Beside(msgspec.Struct):
    extras: Extras = msgspec.field(name="$", default_factory=Extras)


_decoder = msgspec.json.Decoder(_Beside)


def read_extras(state: bytes) -> Extras:
    """Return what `beside` wrote into a state."""
    return _decoder.decode(state).extras if _KEY in state else Extras()
