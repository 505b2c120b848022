"""Sentinels are cut out of stored bytes and filled for one visitor; damage is noticed."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok import holes
from asok.errors import HoleError
from asok.holes import Holed, Sentinels, VisitorSecrets


def test_a_render_is_cut_and_filled() -> None:
    sentinels = Sentinels()
    body = f'<script nonce="{sentinels.nonce}"></script><i>{sentinels.csrf}</i>'.encode()
    holed = sentinels.cut(body)
    assert holed.body == b'<script nonce=""></script><i></i>'
    assert holed.kinds == ("nonce", "csrf")
    assert holed.fill(b"N", b"C") == b'<script nonce="N"></script><i>C</i>'
    assert holed.fill_from(VisitorSecrets(lambda: "n", lambda: "c")) == (
        b'<script nonce="n"></script><i>c</i>'
    )


def test_bytes_without_holes_are_sent_as_they_are() -> None:
    holed = Sentinels().cut(b"plain")
    assert holed.fill() == b"plain"
    assert holed.kinds == ()
    values = VisitorSecrets(lambda: "n", lambda: "c")
    assert holed.fill_from(values) == b"plain"
    assert values.used == frozenset()


def test_text_that_looks_like_a_hole_stays_literal() -> None:
    other = Sentinels()
    text = str(other.nonce).encode()
    assert Sentinels().cut(text).fill(b"N", b"C") == text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: hashlib.sha256(text.encode()).hexdigest(),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: "",
    ],
)
def test_a_sentinel_that_did_not_arrive_fails_the_render(change: Any) -> None:
    sentinels = Sentinels()
    text = "".join([sentinels.nonce])
    with pytest.raises(HoleError, match="does not hold it"):
        sentinels.cut(change(text).encode())


@pytest.mark.parametrize("change", [str.upper, lambda t: t[:-4], lambda t: t[6:]])
def test_a_part_of_a_sentinel_fails_the_render(change: Any) -> None:
    sentinels = Sentinels()
    text = "".join([sentinels.nonce])
    with pytest.raises(HoleError, match="a part of"):
        sentinels.cut((text + change(text)).encode())


@pytest.mark.parametrize(
    "use",
    [
        len,
        hash,
        lambda s: s[:3],
        lambda s: s == "x",
        lambda s: s < "x",
        lambda s: s + "x",
        lambda s: "x" + s,
        lambda s: s.upper(),
        lambda s: "a" in s,
        list,
    ],
)
def test_a_sentinel_can_only_be_written_out(use: Any) -> None:
    with pytest.raises(HoleError, match="different for every visitor"):
        use(Sentinels().nonce)


def test_values_are_found_through_the_context() -> None:
    values = VisitorSecrets(lambda: "n", lambda: "c")
    with holes.use(values):
        assert holes.secrets().nonce == "n"
        assert holes.secrets().nonce == "n"
    assert values.used == {"nonce"}
    with pytest.raises(HoleError, match="outside any render"):
        holes.secrets()


@given(st.lists(st.tuples(st.binary(max_size=20), st.sampled_from(["nonce", "csrf"]))), st.binary())
def test_offsets_and_json_give_the_same_bytes_back(parts: list[Any], last: bytes) -> None:
    slices = (*(part for part, _ in parts), last)
    holed = Holed(slices, tuple(kind for _, kind in parts))
    assert Holed.from_offsets(holed.body, holed.offsets) == holed
    assert hash(holed) == hash(Holed.from_offsets(holed.body, holed.offsets))


def test_a_fragment_survives_its_store() -> None:
    holed = Holed(("é".encode(), b"b"), ("csrf",))
    assert Holed.from_json(holed.to_json()) == holed
    assert holed != "something else"
    for bad in (
        "[]",
        "{}",
        '{"body": 1, "holes": []}',
        '{"body": "a", "holes": [[5, "csrf"]]}',
        "x",
    ):
        with pytest.raises(ValueError):
            Holed.from_json(bad)
    with pytest.raises(ValueError):
        Holed((b"a",), ("nonce",))
