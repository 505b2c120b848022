"""Signed values are bound to their purpose and to keys that are in use."""

from __future__ import annotations

import time

import pytest

from asok.errors import ConfigurationError, SignatureError, SignatureExpired
from asok.signing import Keys

KEYS = Keys(["k" * 32])


def test_what_was_signed_comes_back() -> None:
    assert KEYS.purpose("a").unsign(KEYS.purpose("a").sign(b"\x00\xff")) == b"\x00\xff"


def test_every_changed_character_is_noticed() -> None:
    signer = KEYS.purpose("a")
    token = signer.sign(b"payload")
    for index, character in enumerate(token[:-1]):
        changed = token[:index] + ("A" if character != "A" else "B") + token[index + 1 :]
        with pytest.raises(SignatureError):
            signer.unsign(changed)


@pytest.mark.parametrize("token", ["", ".", "é", "a.b.c", "\x00"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(SignatureError):
        KEYS.purpose("a").unsign(token)


def test_another_purpose_is_refused() -> None:
    with pytest.raises(SignatureError):
        KEYS.purpose("b").unsign(KEYS.purpose("a").sign(b"x"))
    assert KEYS.derive("a") != KEYS.derive("b")


def test_keys_are_rotated() -> None:
    old = KEYS.purpose("a").sign(b"x")
    both = Keys(["k" * 32, "n" * 32])
    assert both.purpose("a").unsign(old) == b"x"
    with pytest.raises(SignatureError):
        Keys(["n" * 32]).purpose("a").unsign(old)
    with pytest.raises(SignatureError):
        KEYS.purpose("a").unsign(both.purpose("a").sign(b"x"))
    assert both.derive_all("p") == (both.derive("p"), KEYS.derive("p"))


def test_an_old_value_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    token = KEYS.purpose("a").sign(b"x")
    later = time.time() + 100
    monkeypatch.setattr(time, "time", lambda: later)
    assert KEYS.purpose("a").unsign(token, max_age=200) == b"x"
    with pytest.raises(SignatureExpired, match="older than 50 seconds"):
        KEYS.purpose("a").unsign(token, max_age=50)


@pytest.mark.parametrize("keys", [[], [""], ["a", ""]])
def test_no_key_is_a_configuration_error(keys: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        Keys(keys)
