"""What is true of a component now, and whether a call is to run: the rules, without I/O.

A row wins over what a page says, so an old page or an old token can't bring an old state
back. A row that was made for other fields or other constructor's values counts as none,
except that versions go on from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal

import msgspec

from asok.errors import StateRefused
from asok.live.store import Row
from asok.live.token import NO_STATE, Frozen, Joined, Payload

__all__ = [
    "Marks",
    "Standing",
    "Verdict",
    "done",
    "heard_at",
    "judge",
    "standing",
    "started",
    "taken",
]

Verdict = Literal["run", "answered", "unknown"]
#: The numbers of what runs: of one call by its page view, of events by their publisher.
Marks = Mapping[str, Collection[int]]
#: Page views are not named so (`frames.py` refuses it), publishers are.
_PUBLISHER: Final = "$"
#: The entry that says until when, in milliseconds, everything was heard.
_HEARD: Final = "$"
#: Events of one publisher before its latest of which it is known whether they were taken.
_WINDOW: Final = 256


class Standing(msgspec.Struct, frozen=True):
    """`state` is what a component continues with (None: it mounts anew), at `version`;
    `row` what is stored, `fits` whether the state is from there."""

    row: Row | None
    fits: bool
    state: bytes | None
    version: int
    schema: str
    props: str

    @property
    def replaces(self) -> int:
        """The revision that a write replaces; 0 for none."""
        return self.row.revision if self.row else 0


def standing(
    row: Row | None,
    payload: Payload,
    *,
    schema: str,
    props: str,
    owner: str,
    seen: int,
    now: float,
    seconds: float,
) -> Standing:
    """Return where a component stands that a page describes by `payload`.

    `schema` is the class's present version, `props` the digest of the payload's, `seen` the
    highest version that this conversation has shown, `seconds` the life of a joined state.
    Raises `StateRefused` where the page has to be loaded anew: `session`, `schema`, `stale` or
    `expired`.
    """
    if isinstance(payload, Joined):
        if payload.owner != owner:
            raise _refused("session", "belongs to another session")
        if payload.schema != schema:
            raise _refused("schema", "was made for other fields of its class")
    if row is not None and row.schema == schema and row.props == props:
        return Standing(row, True, row.state, row.version, schema, props)
    if row is not None:
        if isinstance(payload, Frozen):
            return Standing(row, False, None, row.version, schema, props)
        if payload.version != row.version:
            raise _refused("stale", "is older than what is stored for other values")
        return Standing(row, False, _state(payload), row.version, schema, props)
    # Nothing stored, though there was once: it expired, or the session was dropped.
    if seen > 0:
        raise _refused("expired", "is no longer stored")
    if isinstance(payload, Frozen):
        return Standing(None, False, None, 0, schema, props)
    if payload.version > 0 or now - payload.issued > seconds:
        raise _refused("expired", "has expired")
    return Standing(None, False, _state(payload), 0, schema, props)


def judge(row: Row | None, tab: str, seq: int) -> Verdict:
    """Whether call `seq` of page view `tab` is to run.

    The caller holds the component's turn, so a call that was started and not done was cut
    off: by a worker that died. What it did, nobody knows; it is never run again.
    """
    begun, finished = row.tabs.get(tab, (0, 0)) if row else (0, 0)
    if seq <= finished:
        return "answered"
    return "unknown" if seq <= begun else "run"


def taken(row: Row | None, publisher: str, seq: int) -> bool:
    """Whether the event was taken, or begun by a worker that died; then it is not run again.

    Of two workers one may hear of an event later than the other of the next one, so it is kept
    of each: the highest number, and a bit for each one below it. What is too old to be known
    counts as taken.
    """
    highest, bits = row.tabs.get(publisher, (0, 0)) if row else (0, 0)
    if seq > highest:
        return False
    return highest - seq >= _WINDOW or bool(bits >> (highest - seq) & 1)


def heard_at(row: Row) -> float | None:
    """Return the moment until which the component has heard everything; None where it does not
    listen."""
    found = row.tabs.get(_HEARD)
    return found[0] / 1000 if found else None


def _with(entry: tuple[int, int], seqs: Collection[int]) -> tuple[int, int]:
    before, bits = entry
    highest = max(before, *seqs)
    # What is out of the window is not shifted there first: a leap would make a number of as many
    # bits as it is wide.
    bits = bits << (highest - before) if highest - before < _WINDOW else 0
    for seq in seqs:
        if highest - seq < _WINDOW:
            bits |= 1 << (highest - seq)
    return highest, bits & ((1 << _WINDOW) - 1)


def started(
    at: Standing,
    state: bytes,
    marks: Marks,
    *,
    now: float,
    tabs: int,
    heard: float | None = None,
) -> Row:
    """Return the row that says: these calls or events run. `state` is the state before them;
    `heard` the moment until which the component has heard everything, where it listens."""
    known = dict(at.row.tabs) if at.row else {}
    for tab, seqs in marks.items():
        entry = known.pop(tab, (0, 0))
        # The latest comes last.
        known[tab] = _with(entry, seqs) if tab[0] == _PUBLISHER else (max(seqs), entry[1])
    if heard is not None:
        known.pop(_HEARD, None)
        known[_HEARD] = (int(heard * 1000), 0)
    # Publishers of broadcasts are counted apart: they push no page view out.
    for kind in (True, False) if len(known) > tabs else ():
        alike = [tab for tab in known if (tab[0] == _PUBLISHER) is kind]
        for tab in alike[: max(0, len(alike) - tabs)]:
            del known[tab]
    # A row that comes after one that expired begins above it: a holder that was stopped all
    # the while must not take it for the one it knew.
    revision = at.row.revision + 1 if at.row else int(now * 1000)
    return Row(state, at.version, at.schema, at.props, revision, known)


def done(row: Row, marks: Marks, state: bytes | None, *, shown: bool = False) -> Row:
    """Return the row that says: these calls are done, with their new state; or, with None, they
    failed or were cut off and the state stays. With `shown`, browsers saw something of them, so
    that the old state is a new version."""
    tabs = dict(row.tabs)
    for tab, seqs in marks.items():
        if tab[0] != _PUBLISHER:
            tabs[tab] = (max(seqs), max(seqs))
    version = row.version + (state is not None or shown)
    kept = row.state if state is None else state
    return Row(kept, version, row.schema, row.props, row.revision + 1, tabs)


def _state(payload: Joined) -> bytes | None:
    return None if payload.state == NO_STATE else bytes(payload.state)


def _refused(reason: str, what: str) -> StateRefused:
    return StateRefused(f"the component's state {what}.", reason=reason)
