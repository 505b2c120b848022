"""The difference of two texts, as a browser would apply it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.live.splice import apply, difference

ROWS = "".join(f'<tr key="{i}"><td>row {i}</td><td>{i * 7}</td></tr>' for i in range(200))
PIECES = st.sampled_from(
    ["<li>", "</li>", "<b>", "</b>", "a", "b", "é", "😀", "👩‍👩‍👧", " ", "x" * 30, "<", "&amp;"]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def size(splices: list[tuple[int, int, str]]) -> int:
    return len(json.dumps(splices, separators=(",", ":"), ensure_ascii=False).encode())


@given(TEXTS, TEXTS)
def test_any_text_becomes_any_other(old: str, new: str) -> None:
    splices = difference(old, new)

    assert apply(old, splices) == new
    assert [at for at, _, _ in splices] == sorted(at for at, _, _ in splices)


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.text(max_size=4))))
def test_edits_all_over_a_text_are_found(old: str, edits: list[tuple[int, str]]) -> None:
    new = old
    for at, text in edits:
        new = new[:at] + text + new[at + 1 :]

    assert apply(old, difference(old, new)) == new


def test_equal_texts_have_no_difference() -> None:
    assert difference("<p>1</p>", "<p>1</p>") == []


def test_a_changed_number_is_one_short_splice() -> None:
    assert difference("<p>Count: 9</p>", "<p>Count: 10</p>") == [(10, 1, "10")]


def test_offsets_count_utf16_units() -> None:
    assert difference("<p>😀 9</p>", "<p>😀 10</p>") == [(6, 1, "10")]


def test_a_character_beyond_the_bmp_is_never_cut() -> None:
    # Both share the first UTF-16 unit, which is no character.
    assert difference("a😀b", "a😁b") == [(1, 2, "😁")]


def test_changes_far_apart_are_splices_of_their_own() -> None:
    new = ROWS.replace("row 3<", "ROW 3<").replace("row 190<", "ROW 190<")

    splices = difference(ROWS, new)

    assert len(splices) == 2
    assert apply(ROWS, splices) == new
    assert size(splices) < 60


def test_a_moved_row_costs_the_row_and_not_what_lies_between() -> None:
    row = '<tr key="5"><td>row 5</td><td>35</td></tr>'
    new = ROWS.replace(row, "") + row

    splices = difference(ROWS, new)

    assert apply(ROWS, splices) == new
    assert size(splices) < 120


def test_what_has_nothing_in_common_is_one_splice() -> None:
    old = "".join(f"<p>{i}</p>" for i in range(200))
    new = "".join(f"<i>{i + 9000}</i>" for i in range(200))

    splices = difference(old, new)

    assert len(splices) == 1
    assert apply(old, splices) == new


def test_texts_beyond_the_bound_of_work_are_one_splice() -> None:
    old = "x" + "<p>a</p>" * 3000 + "y"
    new = "z" + "<p>b</p>" * 3000 + "w"

    assert len(difference(old, new)) == 1


@pytest.mark.parametrize(("old", "new"), [("", "abc"), ("abc", ""), ("aaa", "aaaa"), ("aba", "a")])
def test_ends_may_overlap(old: str, new: str) -> None:
    assert apply(old, difference(old, new)) == new


def test_the_browsers_own_splice_makes_the_same_text() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is not installed, and this test needs the real one: apt install nodejs")
    cases = [
        (old, new, difference(old, new))
        for old, new in [
            ("<p>😀 9 é</p>" * 9, "<p>😀 10 é</p>" + "<p>😁 9 é</p>" * 8),
            (ROWS, ROWS.replace("row 77<", "😀<").replace("row 150", "x")),
        ]
    ]
    script = """
      const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
      for (const [old, wanted, splices] of cases) {
        let html = old;
        for (const [at, del, text] of splices.reverse())
          html = html.slice(0, at) + text + html.slice(at + del);
        if (html !== wanted) throw new Error(html);
      }
    """

    subprocess.run([node, "-e", script], input=json.dumps(cases).encode(), check=True)
