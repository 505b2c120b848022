"""The state machine of regeneration, as a table."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.holes import Holed
from asok.pages import Action, Mark, Note, Rendered, State, StoredPage, decide
from asok.pages.decision import lifetime

from .conftest import MakePage

BLOCK = Note(invalidated="block")
STALE = Note(invalidated="stale")
FAILED = Note(failures=2, retry_at=2000.0)
NOW = 1500.0


@pytest.mark.parametrize(
    ("rendered_at", "revalidate", "expire", "note", "state", "action"),
    [
        # age 100 …
        (1400.0, None, None, None, State.FRESH, Action.SERVE),
        (1400.0, 600.0, None, None, State.FRESH, Action.SERVE),
        (1400.0, 101.0, None, None, State.FRESH, Action.SERVE),
        (1400.0, 50.0, None, None, State.STALE, Action.REFRESH),
        (1400.0, 50.0, 200.0, None, State.STALE, Action.REFRESH),
        (1400.0, 50.0, 100.0, None, State.EXPIRED, Action.RENDER),
        (1400.0, 50.0, 99.0, None, State.EXPIRED, Action.RENDER),
        # invalidated
        (1400.0, None, None, STALE, State.STALE, Action.REFRESH),
        (1400.0, 600.0, None, STALE, State.STALE, Action.REFRESH),
        (1400.0, None, None, BLOCK, State.EXPIRED, Action.RENDER),
        (1400.0, 50.0, None, BLOCK, State.EXPIRED, Action.RENDER),
        # the last try failed, the next one is at 2000
        (1400.0, 600.0, None, FAILED, State.FRESH, Action.SERVE),
        (1400.0, 50.0, None, FAILED, State.ERROR, Action.SERVE),
        (1400.0, 50.0, 99.0, FAILED, State.ERROR, Action.SERVE),
        (1400.0, 50.0, None, Note(failures=2, retry_at=1499.0), State.STALE, Action.REFRESH),
        (1400.0, 50.0, 99.0, Note(failures=2, retry_at=1499.0), State.EXPIRED, Action.RENDER),
        (1400.0, None, None, Note(invalidated="block", failures=1, retry_at=1600.0),
         State.ERROR, Action.SERVE),
        # clocks: slightly ahead is age 0, far ahead is wrong
        (1500.0, 50.0, None, None, State.FRESH, Action.SERVE),
        (1559.0, 50.0, None, None, State.FRESH, Action.SERVE),
        (1561.0, 50.0, None, None, State.STALE, Action.REFRESH),
        (9999.0, None, None, None, State.STALE, Action.REFRESH),
    ],
)  # fmt: skip
def test_a_stored_page(
    page: MakePage,
    rendered_at: float,
    revalidate: float | None,
    expire: float | None,
    note: Note | None,
    state: State,
    action: Action,
) -> None:
    stored = page(rendered_at=rendered_at, revalidate=revalidate, expire=expire)
    decision = decide(stored, NOW, note=note)
    assert (decision.state, decision.action) == (state, action)
    assert decision.age >= 0
    assert decision.reason
    if state is not State.FRESH:
        assert decision.left is not None
        assert decision.left <= 0


@pytest.mark.parametrize(
    ("gone_until", "state", "action"),
    [
        (None, State.MISS, Action.RENDER),
        (1500.0, State.MISS, Action.RENDER),
        (1501.0, State.GONE, Action.NOT_FOUND),
    ],
)
def test_no_stored_page(gone_until: float | None, state: State, action: Action) -> None:
    decision = decide(None, NOW, gone_until=gone_until)
    assert (decision.state, decision.action) == (state, action)


def test_a_fresh_page_says_how_long_it_stays_so(page: MakePage) -> None:
    decision = decide(page("/a", rendered_at=1400.0, revalidate=200.0), NOW)
    assert decision.age == 100.0
    assert decision.left == lifetime("/a", 200.0) - 100.0
    assert decide(page(), NOW).left is None


def test_the_reason_of_an_error_says_when_the_next_try_is(page: MakePage) -> None:
    decision = decide(page(rendered_at=0, revalidate=1), NOW, note=FAILED)
    assert "2 failed, next try in 500 s" in decision.reason


@given(path=st.text(), revalidate=st.floats(min_value=0.1, max_value=1e9))
def test_jitter_only_lengthens_and_at_most_by_a_tenth(path: str, revalidate: float) -> None:
    assert revalidate <= lifetime(path, revalidate) <= revalidate * 1.1000001


def test_jitter_spreads_the_pages_of_one_build() -> None:
    ends = {round(lifetime(f"/blog/{n}", 1000.0)) for n in range(200)}
    assert len(ends) > 50


@pytest.mark.parametrize(
    ("revalidate", "delays"),
    [
        (None, [3, 6, 12, 24, 48, 60, 60]),
        (1.0, [3, 6, 12, 24, 48, 60, 60]),
        (10.0, [10, 20, 40, 60, 60, 60, 60]),
        (3600.0, [30, 60, 60, 60, 60, 60, 60]),
    ],
)
def test_retries_are_put_off_longer_each_time(
    revalidate: float | None, delays: list[float]
) -> None:
    note = Note(path="/a", generation=7)
    found: list[float] = []
    for _ in delays:
        note = note.after_failure(100.0, revalidate=revalidate, error="x" * 1000)
        found.append(note.retry_at - 100.0)
    assert found == delays
    assert (note.failures, note.generation, len(note.error)) == (len(delays), 7, 500)


def test_notes_of_the_other_events() -> None:
    failed = Note(path="/a").after_failure(1.0, revalidate=None, error="x")
    assert not failed.quiet
    blocked = failed.after_invalidation(2.0, block=True)
    assert (blocked.generation, blocked.invalidated, blocked.failures) == (1, "block", 0)
    assert blocked.after_invalidation(3.0, block=False).invalidated == "stale"
    done = blocked.after_success(4.0)
    assert done.quiet
    assert done.generation == 1
    gone = blocked.after_gone(5.0)
    assert (gone.gone, gone.quiet, gone.generation) == (True, False, 1)


#: What is known of a page (columns) at each age (rows): the whole machine.
_WAIT = 2000.0
NOTES = {
    "nothing": None,
    "stale": Note(invalidated="stale"),
    "block": Note(invalidated="block"),
    "failed": Note(failures=3, retry_at=_WAIT),
    "due": Note(failures=3, retry_at=NOW),
    "stale, failed": Note(invalidated="stale", failures=1, retry_at=_WAIT),
    "block, failed": Note(invalidated="block", failures=1, retry_at=_WAIT),
    "stale, due": Note(invalidated="stale", failures=1, retry_at=NOW),
    "block, due": Note(invalidated="block", failures=1, retry_at=NOW),
    "generation": Note(generation=9, at=NOW),
}
AGES = {"young": 10.0, "old": 200.0, "expired": 900.0, "ahead": -30.0, "far ahead": -61.0}
F, S, X, E = State.FRESH, State.STALE, State.EXPIRED, State.ERROR
TABLE = {
    #             nothing stale block failed due s,failed b,failed s,due b,due generation
    "young":     [F,      S,    X,    F,     F,  E,       E,       S,    X,    F],
    "old":       [S,      S,    X,    E,     S,  E,       E,       S,    X,    S],
    "expired":   [X,      X,    X,    E,     X,  E,       E,       X,    X,    X],
    "ahead":     [F,      S,    X,    F,     F,  E,       E,       S,    X,    F],
    "far ahead": [S,      S,    X,    E,     S,  E,       E,       S,    X,    S],
}  # fmt: skip
ACTIONS = {F: Action.SERVE, S: Action.REFRESH, X: Action.RENDER, E: Action.SERVE}


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize(("column", "known"), list(enumerate(NOTES)))
def test_every_age_with_every_note(page: MakePage, age: str, column: int, known: str) -> None:
    stored = page(rendered_at=NOW - AGES[age], revalidate=100.0, expire=800.0)
    # A 404 that is remembered says nothing about a page that is there.
    for gone_until in (None, NOW + 30):
        decision = decide(stored, NOW, note=NOTES[known], gone_until=gone_until)
        assert decision.state is TABLE[age][column]
        assert decision.action is ACTIONS[decision.state]
        assert decision.age == max(AGES[age], 0.0)


@pytest.mark.parametrize("known", NOTES)
def test_no_page_with_every_note(known: str) -> None:
    """A failed or invalidated page that isn't there is made, whatever is noted of it."""
    assert decide(None, NOW, note=NOTES[known]).state is State.MISS
    assert decide(None, NOW, note=NOTES[known], gone_until=NOW + 1).state is State.GONE
    assert decide(None, NOW, note=NOTES[known], gone_until=NOW).state is State.MISS


MOMENTS = st.floats(min_value=0, max_value=4e9)
SECONDS = st.none() | st.floats(min_value=0.001, max_value=1e9)
ANY_NOTE = st.builds(
    Note,
    invalidated=st.sampled_from(["", "stale", "block"]),
    failures=st.integers(0, 50),
    retry_at=MOMENTS,
)


@given(rendered_at=MOMENTS, now=MOMENTS, revalidate=SECONDS, longer=SECONDS, note=ANY_NOTE)
def test_what_holds_for_every_page(
    rendered_at: float, now: float, revalidate: float | None, longer: float | None, note: Note
) -> None:
    expire = revalidate + longer if revalidate is not None and longer is not None else None
    stored = StoredPage.make(
        Rendered(200, [], Holed((b"x",))),
        path="/a",
        pattern="/a",
        params={},
        rendered_at=rendered_at,
        revalidate=revalidate,
        expire=expire,
    )
    decision = decide(stored, now, note=note)
    assert decision.age >= 0
    assert decision.state in ACTIONS
    assert decision.action is ACTIONS[decision.state]
    fresh = decision.state is State.FRESH
    assert fresh or (decision.left is not None and decision.left <= 0)
    if fresh:
        assert not note.invalidated
        assert decision.left is None or decision.left > 0
        assert rendered_at - now <= 60
        assert revalidate is None or decision.age < revalidate * 1.1000001
    elif not note.invalidated and rendered_at - now <= 60:
        assert revalidate is not None
        assert decision.age >= revalidate, "never regenerated before REVALIDATE"
    if note.invalidated == "block":
        assert decision.action is Action.RENDER or (note.failures and now < note.retry_at)
    if note.failures and now < note.retry_at:
        assert decision.action is Action.SERVE, "no try before the delay is over"


@given(note=ANY_NOTE, at=MOMENTS, mark=st.builds(Mark, MOMENTS, MOMENTS), moment=MOMENTS)
def test_what_an_invalidated_tag_does_to_a_note(
    note: Note, at: float, mark: Mark, moment: float
) -> None:
    note = msgspec.structs.replace(note, at=at)
    seen = note.marked(mark, moment)
    if mark.at < moment or not mark.at:
        assert seen == note
        return
    assert seen.invalidated
    assert seen.invalidated == "block" or note.invalidated != "block"
    assert (seen.generation, seen.gone) == (note.generation, note.gone)
    assert seen.failures == (note.failures if at > mark.at else 0)
