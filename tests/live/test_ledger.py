"""The rules: what counts, what is refused, what runs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from asok.errors import StateRefused
from asok.live import ledger
from asok.live.store import Row
from asok.live.token import NO_STATE, Frozen, Joined, digest

PROPS = msgspec.Raw(b"{}")
FITS = {"schema": "s", "props": digest(PROPS)}
FROZEN = Frozen("C", "c", "s", PROPS)


def joined(**changes: Any) -> Joined:
    values: dict[str, Any] = {
        "name": "C", "cid": "c", "schema": "s", "props": PROPS, "blank": False, "slot": "",
        "owner": "o", "version": 0, "issued": 1000, "state": msgspec.Raw(b'{"a":1}'),
    }  # fmt: skip
    return Joined(**{**values, **changes})


def row(**changes: Any) -> Row:
    values: dict[str, Any] = {"state": b"row", "version": 5, "revision": 9, **FITS}
    return Row(**{**values, **changes})


def stand(found: Row | None, payload: Frozen | Joined, **changes: Any) -> ledger.Standing:
    values: dict[str, Any] = {
        "schema": "s", "props": digest(payload.props), "owner": "o", "seen": 0, "now": 1500,
        "seconds": 3600,
    }  # fmt: skip
    return ledger.standing(found, payload, **{**values, **changes})


@pytest.mark.parametrize(
    ("found", "payload", "state", "version", "fits"),
    [
        # Nothing stored: the page's own state, or a fresh start.
        (None, FROZEN, None, 0, False),
        (None, joined(), b'{"a":1}', 0, False),
        (None, joined(state=NO_STATE), None, 0, False),
        # What is stored wins over every page, however old or new.
        (row(), FROZEN, b"row", 5, True),
        (row(), joined(version=5, state=NO_STATE), b"row", 5, True),
        (row(), joined(version=3, state=NO_STATE), b"row", 5, True),
        (row(), joined(), b"row", 5, True),
        (row(), joined(issued=-99999), b"row", 5, True),
        # Stored for other values or fields: begin anew, versions go on.
        (row(props="x"), FROZEN, None, 5, False),
        (row(schema="x"), FROZEN, None, 5, False),
        (row(props="x"), joined(version=5), b'{"a":1}', 5, False),
    ],
)
def test_where_a_component_stands(
    found: Row | None, payload: Frozen | Joined, state: bytes | None, version: int, fits: bool
) -> None:
    at = stand(found, payload)

    assert (at.state, at.version, at.fits) == (state, version, fits)
    assert at.replaces == (found.revision if found else 0)


@pytest.mark.parametrize(
    ("found", "payload", "changes", "reason"),
    [
        (row(), joined(owner="somebody else"), {}, "session"),
        (None, joined(schema="old"), {}, "schema"),
        (row(), joined(schema="old"), {}, "schema"),
        (row(props="x"), joined(version=3), {}, "stale"),
        (None, joined(version=3), {}, "expired"),
        (None, joined(issued=0), {"now": 3601}, "expired"),
        (None, joined(), {"seen": 1}, "expired"),
        (None, FROZEN, {"seen": 1}, "expired"),
    ],
)
def test_when_the_page_has_to_be_loaded_anew(
    found: Row | None, payload: Frozen | Joined, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(StateRefused) as refused:
        stand(found, payload, **changes)

    assert refused.value.reason == reason


def test_a_frozen_page_outlives_a_change_of_fields() -> None:
    assert stand(None, Frozen("C", "c", "old", PROPS)).state is None


@pytest.mark.parametrize(
    ("tabs", "seq", "verdict"),
    [
        ({}, 1, "run"),
        ({"other": (9, 9)}, 1, "run"),
        ({"tab": (3, 3)}, 4, "run"),
        ({"tab": (3, 3)}, 9, "run"),
        ({"tab": (3, 3)}, 3, "answered"),
        ({"tab": (3, 3)}, 1, "answered"),
        ({"tab": (4, 3)}, 4, "unknown"),
        ({"tab": (4, 3)}, 3, "answered"),
        ({"tab": (4, 3)}, 5, "run"),
    ],
)
def test_whether_a_call_runs(tabs: dict[str, tuple[int, int]], seq: int, verdict: str) -> None:
    assert ledger.judge(row(tabs=tabs), "tab", seq) == verdict


def test_without_a_row_every_call_runs() -> None:
    assert ledger.judge(None, "tab", 1) == "run"


def test_a_call_is_started_and_then_done() -> None:
    at = stand(row(tabs={"tab": (3, 3)}), FROZEN)

    begun = ledger.started(at, b"row", {"tab": (4,)}, now=0, tabs=16)
    ended = ledger.done(begun, {"tab": (4,)}, b"new")
    failed = ledger.done(begun, {"tab": (4,)}, None)

    assert (begun.tabs, begun.revision, begun.version) == ({"tab": (4, 3)}, 10, 5)
    assert (ended.tabs, ended.revision, ended.version) == ({"tab": (4, 4)}, 11, 6)
    assert (ended.state, failed.state, failed.version) == (b"new", b"row", 5)
    assert failed.tabs == {"tab": (4, 4)}


def test_a_new_row_begins_above_every_earlier_one() -> None:
    first = ledger.started(stand(None, FROZEN), b"{}", {"tab": (1,)}, now=1000, tabs=16)
    later = ledger.started(stand(None, FROZEN), b"{}", {"tab": (1,)}, now=5000, tabs=16)

    assert later.revision > first.revision + 3_000


def test_the_tabs_that_are_remembered_are_bounded() -> None:
    found = row(tabs={f"t{n}": (1, 1) for n in range(16)})

    begun = ledger.started(stand(found, FROZEN), b"", {"t0": (2,)}, now=0, tabs=16)
    more = ledger.started(stand(begun, FROZEN), b"", {"new": (1,)}, now=0, tabs=16)

    assert len(begun.tabs) == 16
    assert list(more.tabs) == [*(f"t{n}" for n in range(2, 16)), "t0", "new"]


def test_a_leap_of_a_publisher_s_numbers_makes_no_large_number() -> None:
    at = stand(row(tabs={"$p": (1, 1)}), FROZEN)
    leapt = ledger.started(at, b"", {"$p": (2, 2**53)}, now=1500, tabs=16)

    assert leapt.tabs["$p"] == (2**53, 1)
    assert ledger.taken(leapt, "$p", 2)
    assert not ledger.taken(leapt, "$p", 2**53 - 1)
