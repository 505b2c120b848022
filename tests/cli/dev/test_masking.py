from __future__ import annotations

from typing import Any, NoReturn

import pytest

from asok.cli.dev.masking import MASK, Masker


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWD",
        "secret_key",
        "api_key",
        "apikey",
        "csrf_token",
        "session",
        "cookies",
        "authorization",
        "nonce",
        "user_credentials",
        "private_pem",
        "key",
        "database_url",
        "DSN",
    ],
)
def test_variables_with_a_secret_name_are_masked(name: str) -> None:
    assert Masker().show(name, "hunter2-hunter2") == MASK
    assert MASK in Masker().show("values", {name: "hunter2-hunter2"})
    assert "hunter2" not in Masker().show("values", [{"inner": ({name: "hunter2-hunter2"},)}])


@pytest.mark.parametrize("name", ["keyword", "monkey", "spinning", "author", "count", "title"])
def test_ordinary_names_are_shown(name: str) -> None:
    assert Masker().show(name, "plain") == "'plain'"


def test_functions_and_nothing_are_shown_whatever_they_are_called() -> None:
    assert Masker().show("token", None) == "None"
    assert Masker().show("has_password", True) == "True"
    assert "len" in Masker().show("key", len)


def test_known_secrets_are_never_shown_under_any_name() -> None:
    masker = Masker(["s3cr3t-value-1", "short"])
    assert masker.show("x", "before s3cr3t-value-1 after") == f"'before {MASK} after'"
    assert masker.text("short is too short to be told from words") == (
        "short is too short to be told from words"
    )


def test_passwords_in_urls_are_masked() -> None:
    shown = Masker().show("target", "postgresql://me:pa55word@db.example.org/site")
    assert shown == f"'postgresql://me:{MASK}@db.example.org/site'"


def test_long_values_are_cut_unless_they_shall_stay_whole() -> None:
    assert len(Masker().show("x", "a" * 10_000)) < 300
    assert Masker().show("x", list(range(100))) == f"[{', '.join(map(str, range(12)))}]"
    assert Masker().text("a" * 1000, whole=True) == "a" * 1000


def test_deep_values_end() -> None:
    value: list[Any] = []
    value.append(value)
    assert Masker().show("x", value) == "[[[[[…]]]]]"


@pytest.mark.parametrize(
    ("value", "shown"), [((1,), "(1)"), ({1}, "{1}"), (frozenset({1}), "{1}"), ({}, "{}")]
)
def test_collections_are_shown_as_they_are_written(value: object, shown: str) -> None:
    assert Masker().show("x", value) == shown


def test_value_whose_repr_fails_is_named_by_its_type() -> None:
    class Odd:
        def __repr__(self) -> NoReturn:
            raise ZeroDivisionError

    assert Masker().show("x", Odd()) == "<Odd, whose repr failed: ZeroDivisionError>"
