"""What handlers return becomes a response, and what has no meaning is named."""

from __future__ import annotations

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
