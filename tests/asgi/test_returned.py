"""What handlers return becomes a response, and what has no meaning is named."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from markupsafe import Markup
from starlette.responses import PlainTextResponse, StreamingResponse

from asok.asgi.returned import to_response
from asok.errors import AsokError


def test_text_is_html_and_data_is_json() -> None:
    assert to_response("<p>", where="get").body == b"<p>"
    assert to_response(Markup("<p>"), where="get").media_type == "text/html"
    assert to_response({"a": 1}, where="get").body == b'{"a":1}'
    assert to_response([1], where="get").body == b"[1]"
    assert to_response(b"x", where="get").media_type == "application/octet-stream"
    response = PlainTextResponse("x")
    assert to_response(response, where="get") is response


class Colour(enum.Enum):
    RED = "red"


def test_values_that_rows_hold_have_a_form_in_json() -> None:
    row = {
        "made": datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC),
        "day": datetime.date(2026, 1, 2),
        "hour": datetime.time(3, 4),
        "price": Decimal("1.50"),
        "token": uuid.UUID(int=1),
        "colour": Colour.RED,
    }
    assert json.loads(bytes(to_response([row], where="get").body)) == [
        {
            "made": "2026-01-02T03:04:00+00:00",
            "day": "2026-01-02",
            "hour": "03:04:00",
            "price": "1.50",
            "token": "00000000-0000-0000-0000-000000000001",
            "colour": "red",
        }
    ]
    with pytest.raises(TypeError, match="type object is not JSON"):
        to_response([object()], where="get")


@pytest.mark.parametrize("value", [("gone", 410), (410, "gone"), ("gone", 410, {"x-a": "b"})])
def test_a_tuple_carries_a_status(value: Any) -> None:
    response = to_response(value, where="get")
    assert response.status_code == 410
    assert response.body == b"gone"
    if len(value) == 3:
        assert response.headers["x-a"] == "b"


def test_an_iterator_is_streamed() -> None:
    assert isinstance(to_response(iter(["a"]), where="get"), StreamingResponse)
    assert isinstance(to_response((part for part in "ab"), where="get"), StreamingResponse)

    async def parts() -> Any:
        yield "a"

    assert isinstance(to_response(parts(), where="get"), StreamingResponse)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "no return statement"),
        (object(), "returned object"),
        (7, "returned int"),
        ((), "tuple"),
        (("a", 199), "status from 200 to 599"),
        (("a", 200, {}, 1), "tuple"),
        (("a", "b"), "tuple"),
        ((None, 200), "None"),
    ],
)
def test_other_values_are_refused(value: Any, message: str) -> None:
    with pytest.raises(AsokError, match=message):
        to_response(value, where="get in page.py")
