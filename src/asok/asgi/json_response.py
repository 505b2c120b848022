"""JSON of what handlers return, of rows too: moments, decimals, UUIDs and enumerations as text."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse

__all__ = ["JSON"]


class JSON(JSONResponse):
    """A response of JSON. Raises `TypeError` for a value that has no form in it."""

    def render(self, content: Any) -> bytes:
        """Return the body: compact, in UTF-8, without NaN and infinity (RFC 8259, 6)."""
        return json.dumps(
            content,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            default=_plain,
        ).encode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)  # a float would lose digits
    if isinstance(value, enum.Enum):
        return value.value
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
