"""Values of the user's program as short text, with everything that looks secret left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Final, cast

__all__ = ["MASK", "Masker"]

MASK: Final = "••••••••"
_SECRET: Final = re.compile(
    r"secret|passw|passphrase|token|api_?key|private|credential|cookie|session|csrf|nonce"
    r"|authori[sz]ation|signature|dsn|(^|_)(key|keys|auth|pin|otp|ssn|iban)$|database_url|redis_url",
    re.IGNORECASE,
)
#: scheme://user:password@host
_URL_PASSWORD: Final = re.compile(
    r"(\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)[^\s/@'\"]+@", re.IGNORECASE
)
#: Shorter values would mask ordinary text by chance.
_SHORTEST: Final = 8
_LONGEST: Final = 240
_ITEMS: Final = 12
_DEEPEST: Final = 4
_BRACKETS: Final[dict[type, str]] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


class Masker:
    """Shows values; `secrets` are texts that are never shown, whatever they are called."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(
            sorted((text for text in secrets if len(text) >= _SHORTEST), key=len, reverse=True)
        )

    def show(self, name: str, value: object) -> str:
        """Return the variable `name`'s value as text of at most a few lines."""
        if _SECRET.search(name) and not _harmless(value):
            return MASK
        return self.text(_shown(value, 0))

    def text(self, text: str, *, whole: bool = False) -> str:
        """Return `text` without the secrets and without passwords in URLs.

        It is shortened unless it shall stay `whole`.
        """
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)
        return text if whole or len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _harmless(value: object) -> bool:
    """Functions, classes and modules may be called `token` or `session`: they hold nothing."""
    return value is None or callable(value) or isinstance(value, (bool, ModuleType))


def _shown(value: object, depth: int) -> str:
    kind = type(value)
    if depth > _DEEPEST:
        return "…"
    if kind is dict:
        items = [
            f"{_repr(key)}: "
            + (
                f"'{MASK}'"
                if isinstance(key, str) and _SECRET.search(key) and not _harmless(item)
                else _shown(item, depth + 1)
            )
            for key, item in _some(cast("Mapping[Any, Any]", value).items())
        ]
        return "{" + ", ".join(items) + "}"
    brackets = _BRACKETS.get(kind)
    if brackets is not None:
        items = [_shown(item, depth + 1) for item in _some(cast("Iterable[Any]", value))]
        return brackets[0] + ", ".join(items) + brackets[1]
    return _repr(value)


def _some(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if len(found) == _ITEMS:
            break
        found.append(value)
    return found


def _repr(value: object) -> str:
    # Somebody else's `__repr__` runs while an error is shown already: whatever it raises is
    # shown in its place.
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001
        return f"<{type(value).__name__}, whose repr failed: {type(error).__name__}>"
    return text if len(text) <= 4 * _LONGEST else text[: 4 * _LONGEST]
