"""Rows of a database as fields of a component: kept by their key, loaded anew for each call.

The port is `Records`; the composition root sets what stands behind it, so that this room knows
no database.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

__all__ = [
    "Records",
    "configure_records",
    "encode",
    "encode_in_order",
    "is_gone",
    "is_record",
    "load",
    "name_of",
]


class RowGone(ValueError):
    """The row that a key names is no longer there."""


class Records(Protocol):
    """What can be kept by its key."""

    def holds(self, cls: type) -> bool:
        """Whether instances of `cls` are rows."""
        ...

    def key(self, record: Any) -> Any:
        """Return a row's key in JSON types; None for one that was not saved."""
        ...

    def find(self, cls: Any, key: Any) -> Any:
        """Return the row of that key as it is now, or None."""
        ...


_configured: Records | None = None


def configure_records(records: Records | None) -> None:
    """Set what rows are; None takes the setting back. Before the first component is loaded."""
    global _configured
    _configured = records


def is_record(cls: Any) -> bool:
    """Whether instances of `cls` are kept by their key."""
    return _configured is not None and isinstance(cls, type) and _configured.holds(cls)


def _key(value: Any) -> Any:
    """What msgspec asks for what it does not know. Raises `TypeError`."""
    if _configured is None or not is_record(type(value)):
        raise TypeError(f"objects of type {type(value).__name__} have no JSON form")
    key = _configured.key(value)
    if key is None:
        raise TypeError(f"this {type(value).__name__} has no key yet: save it first")
    return key


def load(cls: type, key: Any) -> Any:
    """Return the row of that key, for msgspec. Raises `ValueError` where there is none."""
    if _configured is None or not is_record(cls):
        raise ValueError(f"{cls.__name__} can't be made from {key!r}")
    # A key of several columns is a tuple, which JSON made a list.
    found = _configured.find(cls, tuple(key) if isinstance(key, list) else key)  # pyright: ignore[reportUnknownArgumentType]
    if found is None:
        raise RowGone(f"there is no {cls.__name__} with the key {key!r} any more")
    return found


def is_gone(error: BaseException) -> bool:
    """Whether an error came of a row that is no longer there."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, RowGone):
        cause = cause.__cause__
    return cause is not None


def name_of(cls: type) -> dict[str, Any]:
    """Describe a row's type, for the digest of a schema. Raises `TypeError` for other types."""
    if not is_record(cls):
        raise TypeError(f"{cls.__name__} has no JSON form")
    return {"record": cls.__name__}


encode = msgspec.json.Encoder(enc_hook=_key).encode
"""Return a value as JSON bytes, rows as their keys."""
encode_in_order = msgspec.json.Encoder(enc_hook=_key, order="deterministic").encode
"""The same, with the keys of dictionaries in one order."""
