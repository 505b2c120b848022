"""Asok's filters."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from asok import holes
from asok.errors import TemplateError
from asok.jinja import Templates
from asok.jinja.filters import date_filter, filesize, pluralize, time_ago

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def show(source: str, **context: Any) -> str:
    with holes.use(holes.VisitorSecrets(lambda: "N", lambda: "C")):
        return Templates(roots=[]).render_string(source, context)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, "2026-03-04"),
        (date(2026, 3, 4), "2026-03-04"),
        ("2026-03-04T12:00:00Z", "2026-03-04"),
        ("2026-03-04", "2026-03-04"),
        (NOON.timestamp(), "2026-03-04"),
        (None, ""),
    ],
)
def test_date_takes_what_models_and_json_give(value: object, expected: str) -> None:
    assert date_filter(value) == expected


def test_date_takes_a_format() -> None:
    assert show('{{ day|date("%d.%m.%Y %H:%M") }}', day=NOON) == "04.03.2026 12:00"


@pytest.mark.parametrize("value", ["soon", True, [], object()])
def test_date_says_what_it_can_not_read(value: object) -> None:
    with pytest.raises(TemplateError, match="expected a date"):
        date_filter(value)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3_599, "59 minutes ago"),
        (7_200, "2 hours ago"),
        (86_400, "1 day ago"),
        (8 * 86_400, "1 week ago"),
        (70 * 86_400, "2 months ago"),
        (800 * 86_400, "2 years ago"),
        (-120, "in 2 minutes"),
        (-30, "just now"),
    ],
)
def test_time_ago_names_the_largest_unit(ago: int, expected: str) -> None:
    assert time_ago(NOON - timedelta(seconds=ago), NOON) == expected


def test_time_ago_takes_times_without_a_zone_as_utc() -> None:
    assert time_ago(NOON.replace(tzinfo=None), NOON + timedelta(hours=1)) == "1 hour ago"
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert time_ago(east, NOON + timedelta(hours=1)) == "1 hour ago"


def test_time_ago_of_nothing_and_of_now() -> None:
    assert time_ago(None) == ""
    assert time_ago(datetime.now(UTC)) == "just now"


@pytest.mark.parametrize(
    ("size", "binary", "expected"),
    [
        (0, False, "0 bytes"),
        (1, False, "1 byte"),
        (999, False, "999 bytes"),
        (1000, False, "1.0 kB"),
        (1500, False, "1.5 kB"),
        (999_960, False, "1.0 MB"),
        (1_500_000, False, "1.5 MB"),
        (2 * 10**9, False, "2.0 GB"),
        (3 * 10**15, False, "3000.0 TB"),
        (1023, True, "1023 bytes"),
        (1536, True, "1.5 KiB"),
        (-2_000, False, "-2.0 kB"),
    ],
)
def test_filesize(size: int, binary: bool, expected: str) -> None:
    assert filesize(size, binary) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 1|pluralize }}", ""),
        ("{{ 2|pluralize }}", "s"),
        ("{{ 0|pluralize }}", "s"),
        ("{{ [1]|pluralize }}", ""),
        ("{{ []|pluralize }}", "s"),
        ("{{ '1'|pluralize }}", ""),
        ("{{ 2|pluralize('es') }}", "es"),
        ("{{ 1|pluralize('y,ies') }}", "y"),
        ("{{ 2|pluralize('y,ies') }}", "ies"),
        ("{{ 1|pluralize('ox', 'oxen') }}", "ox"),
        ("{{ 3|pluralize('ox', 'oxen') }}", "oxen"),
    ],
)
def test_pluralize(source: str, expected: str) -> None:
    assert show(source) == expected


@pytest.mark.parametrize("value", ["many", None, object()])
def test_pluralize_says_what_it_can_not_count(value: object) -> None:
    with pytest.raises(TemplateError, match="expected a number or a list"):
        pluralize(value)


def test_markdown_is_html_that_visitors_can_not_abuse() -> None:
    text = "# A\n\n**b** <script>x</script> [c](javascript:d) [e](/f)\n\n|a|\n|-|\n|~~b~~|\n"
    html = show("{{ text|markdown }}", text=text)
    assert "<h1>A</h1>" in html
    assert "<strong>b</strong> &lt;script&gt;" in html
    assert 'href="javascript' not in html
    assert '<a href="/f">e</a>' in html
    assert "<td><s>b</s></td>" in html
    assert show("{{ text|markdown }}", text=None) == ""


class Post:
    def to_dict(self) -> dict[str, int]:
        return {"id": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, '"2026-03-04T12:00:00+00:00"'),
        (date(2026, 3, 4), '"2026-03-04"'),
        (time(1, 2), '"01:02:00"'),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ({3, 1}, "[1, 3]"),
        ([Post()], '[{"id": 1}]'),
        ("</script>", '"\\u003c/script\\u003e"'),
    ],
)
def test_tojson_takes_what_models_hold(value: object, expected: str) -> None:
    assert show("{{ value|tojson }}", value=value) == expected


def test_tojson_takes_the_visitors_values() -> None:
    assert show("{{ {'csrf': csrf_token}|tojson }}") == '{"csrf": "C"}'


def test_tojson_says_what_it_can_not_write() -> None:
    with pytest.raises(TypeError, match="object can't be written as JSON"):
        show("{{ value|tojson }}", value=object())
