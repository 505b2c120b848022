"""Files are named after what they refer to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asok.assets.order import groups


def test_a_file_comes_after_what_it_refers_to_and_a_circle_at_once() -> None:
    graph = {"a": ["b"], "b": ["c", "d"], "c": ["b"], "d": ["gone"], "e": ["e"]}
    assert [sorted(group) for group in groups(graph)] == [["gone"], ["d"], ["b", "c"], ["a"], ["e"]]


def test_a_long_chain_is_no_recursion() -> None:
    chain = {str(number): [str(number + 1)] for number in range(5000)}
    assert list(groups(chain))[-1] == ["0"]


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3)))
def test_every_group_refers_to_earlier_ones_and_to_itself(graph: dict[int, list[int]]) -> None:
    named = {str(a): [str(b) for b in found if b in graph] for a, found in graph.items()}
    seen: set[str] = set()
    for group in groups(named):
        for name in group:
            assert set(named[name]) <= seen | set(group)
        seen.update(group)
    assert seen == named.keys()
