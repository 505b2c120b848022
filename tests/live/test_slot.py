"""Slots: kept without secrets, filled again at a later render."""

from __future__ import annotations

import pytest

from asok import holes
from asok.errors import ComponentError
from asok.live import SocketSecrets
from asok.live.slot import Html, fill, keep


def test_no_secret_is_kept() -> None:
    slot = (
        '<form><input type="hidden" name="csrf_token" value="secret"></form>'
        '<script nonce="secret">1</script><input name="other" value="kept">'
    )

    kept = keep(slot, "Card", 1000)

    assert "secret" not in kept
    assert 'value="kept"' in kept


def test_the_csrf_value_of_the_render_comes_back() -> None:
    kept = keep('<input type="hidden" name="csrf_token" value="a">', "Card", 1000)

    with holes.use(SocketSecrets(csrf="b")):
        assert fill(kept) == '<input type="hidden" name="csrf_token" value="b">'


def test_a_slot_without_form_needs_no_secrets() -> None:
    assert fill("<b>1</b>").__html__() == "<b>1</b>"
    assert isinstance(fill("x"), Html)


def test_a_slot_that_is_too_large_is_refused() -> None:
    with pytest.raises(ComponentError, match="slot of component Card"):
        keep("x" * 11, "Card", 10)
