"""Asok's template filters: date, time_ago, filesize, pluralize, markdown, and what tojson takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sized
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from markupsafe import Markup

from asok.errors import TemplateError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["FILTERS", "to_json"]

_STEPS: Final = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("week", 7 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)


def _moment(value: object, name: str) -> datetime:
    """A point in time from what models, JSON and clocks give; without a zone it is UTC."""
    found: datetime | None = None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = datetime.fromtimestamp(value, UTC)
    elif isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            found = None
    if found is None:
        raise TemplateError(
            f"got {value!r} for the filter {name!r}, expected a date, a datetime, ISO 8601 text "
            "or seconds since 1970.",
            fix=f"Use |default(…) before |{name} where the value may be missing.",
        )
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def date_filter(value: object, format: str = "%Y-%m-%d") -> str:
    """`{{ post.created_at|date("%d %B %Y") }}`: `strftime` of a date; nothing for None."""
    return "" if value is None else _moment(value, "date").strftime(format)


def time_ago(value: object, now: datetime | None = None) -> str:
    """`{{ post.created_at|time_ago }}`: "3 hours ago", "in 2 days", "just now".

    On a stored page it is as old as the page. `now` is for tests.
    """
    if value is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - _moment(value, "time_ago")).total_seconds()
    for unit, size in _STEPS:
        count = int(abs(seconds) // size)
        if count:
            text = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def filesize(value: float, binary: bool = False) -> str:
    """`{{ file.size|filesize }}`: bytes as "1.5 MB", or with `binary` as "1.4 MiB"."""
    base = 1024 if binary else 1000
    size = float(value)
    if abs(size) < base:
        return f"{size:.0f} byte{'' if size == 1 else 's'}"
    units = iter(("KiB", "MiB", "GiB", "TiB") if binary else ("kB", "MB", "GB", "TB"))
    unit = next(units)
    size /= base
    # What would be shown as 1000.0 belongs to the next unit.
    while round(abs(size), 1) >= base and (larger := next(units, None)):
        unit, size = larger, size / base
    return f"{size:.1f} {unit}"


def pluralize(value: object, one: str = "", many: str | None = None) -> str:
    """`item{{ n|pluralize }}`, `cherr{{ n|pluralize("y,ies") }}`, `{{ n|pluralize("ox","oxen") }}`.

    `value` is a number or something that has a length. With one text it is the ending for
    many, or both endings separated by a comma.
    """
    if many is None:
        one, _, many = one.rpartition(",") if one else ("", "", "s")
    if isinstance(value, Sized) and not isinstance(value, str):
        return one if len(value) == 1 else many
    try:
        return one if float(value) == 1 else many  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise TemplateError(
            f"got {value!r} for the filter 'pluralize', expected a number or a list."
        ) from error


@cache
def _markdown() -> MarkdownIt:
    # Imported at first use: most renders need none, and it costs 40 ms.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markdown(value: object) -> Markup:
    """`{{ post.body|markdown }}`: CommonMark with tables and strikethrough as HTML.

    HTML in the text is shown as text, and links to `javascript:`, `vbscript:`, `file:` and
    `data:` stay text, so it is safe for what visitors wrote.
    """
    return Markup(_markdown().render("" if value is None else str(value)))  # noqa: S704


def to_json(value: Any, **options: Any) -> str:
    """What `tojson` writes: JSON, with dates as ISO 8601, and `to_dict()` where there is one."""
    return json.dumps(value, default=_plain, **options)


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)  # type: ignore[type-var]
    if callable(to_dict := getattr(value, "to_dict", None)):
        return to_dict()
    if hasattr(value, "__html__"):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON: {value!r}")


#: The filters of this module, by the name that templates use.
FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "date": date_filter,
    "filesize": filesize,
    "markdown": markdown,
    "pluralize": pluralize,
    "time_ago": time_ago,
}
