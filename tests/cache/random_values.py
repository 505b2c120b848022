"""Values by chance, of every type that a store gives back."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

__all__ = ["values"]


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.dates())
    return st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(), inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.tuples(inner, inner),
    )


def values() -> st.SearchStrategy[Any]:
    """Anything that may be stored."""
    zones = st.one_of(st.none(), st.just(UTC), st.just(ZoneInfo("Europe/Paris")))
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(exclude_categories=())),
        st.binary(),
        st.decimals(allow_nan=False),
        st.uuids(),
        st.dates(),
        st.datetimes(timezones=zones),
        st.times(timezones=zones),
        st.timedeltas(),
        st.sets(st.one_of(st.integers(), st.text())),
        st.frozensets(st.dates()),
    )
    return st.recursive(scalars, _nested, max_leaves=12)
