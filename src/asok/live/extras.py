"""What is kept beside a component's fields: topics that it subscribed to, messages of its form."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["Extras", "Messages", "read_extras"]

#: No field has that name.
_KEY: Final = b'"$":'


class Messages(dict[str, str]):
    """Messages by field; a template that asks for one that is not there gets none."""

    def __missing__(self, key: str) -> str:
        return ""


class Extras(msgspec.Struct, omit_defaults=True):
    """`topics` were subscribed to by the instance; `errors` says by field what is wrong."""

    topics: list[str] = msgspec.field(default_factory=list[str])
    errors: dict[str, str] = msgspec.field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.errors = Messages(self.errors)

    def beside(self, state: bytes) -> bytes:
        """Return a state, a JSON object, with these in it."""
        if not self.topics and not self.errors:
            return state
        own = _KEY + msgspec.json.encode(self)
        return state[:-1] + (b"," if len(state) > 2 else b"") + own + b"}"


class _Beside(msgspec.Struct):
    extras: Extras = msgspec.field(name="$", default_factory=Extras)


_decoder = msgspec.json.Decoder(_Beside)


def read_extras(state: bytes) -> Extras:
    """Return what `beside` wrote into a state."""
    return _decoder.decode(state).extras if _KEY in state else Extras()
