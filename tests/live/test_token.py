"""Signed states: whole or refused."""

from __future__ import annotations

import msgspec
import pytest

from asok.errors import SignatureError, StateRefused
from asok.live.token import PURPOSE, Frozen, Joined, Tokens, digest
from asok.signing import Keys

FROZEN = Frozen("Counter", "abc", "1", msgspec.Raw(b'{"count":10}'), False, "<b>é</b>")
JOINED = Joined(
    "Counter", "abc", "1", msgspec.Raw(b"{}"), False, "", "owner", 3, 99, msgspec.Raw(b"{}")
)
tokens = Tokens(Keys(["first-key"]))


@pytest.mark.parametrize("payload", [FROZEN, JOINED])
def test_what_was_signed_is_read(payload: Frozen | Joined) -> None:
    assert tokens.read(tokens.sign(payload)) == payload


def test_a_frozen_state_is_the_same_at_every_build() -> None:
    assert Tokens(Keys(["first-key"])).sign(FROZEN) == tokens.sign(FROZEN)


@pytest.mark.parametrize("payload", [FROZEN, JOINED])
def test_no_character_may_be_changed(payload: Frozen | Joined) -> None:
    token = tokens.sign(payload)
    for at in range(len(token)):
        for other in "A_-.é":
            if token[at] != other:
                with pytest.raises(StateRefused):
                    tokens.read(token[:at] + other + token[at + 1 :])


def test_nothing_may_be_cut_or_added() -> None:
    token = tokens.sign(FROZEN)
    for wrong in [token[:-1], token[1:], token + "A", "A" + token, "", ".", "x" * 44, token[:10]]:
        with pytest.raises(StateRefused) as refused:
            tokens.read(wrong)
        assert refused.value.reason == "signature"


def test_a_cookie_is_no_state_and_a_state_no_cookie() -> None:
    keys = Keys(["first-key"])

    with pytest.raises(StateRefused):
        tokens.read(keys.purpose("session").sign(msgspec.json.encode(FROZEN)))
    with pytest.raises(StateRefused):
        tokens.read(keys.purpose(PURPOSE).sign(msgspec.json.encode(FROZEN)))
    with pytest.raises(SignatureError):
        keys.purpose("session").unsign(tokens.sign(FROZEN))


def test_what_is_signed_but_no_state_is_refused() -> None:
    signed = tokens.sign(msgspec.Raw(b'{"a":1}'))  # type: ignore[arg-type]

    with pytest.raises(StateRefused):
        tokens.read(signed)


def test_keys_rotate() -> None:
    old = tokens.sign(FROZEN)
    both = Tokens(Keys(["first-key", "second-key"]))
    only_new = Tokens(Keys(["second-key"]))

    assert both.read(old) == FROZEN
    assert only_new.read(both.sign(FROZEN)) == FROZEN
    with pytest.raises(StateRefused):
        only_new.read(old)


def test_other_values_have_another_digest() -> None:
    assert digest(b'{"a":1}') != digest(b'{"a":2}')
