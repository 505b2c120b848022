"""Names of tables and suggestions."""

from __future__ import annotations

import pytest

from asok.models.naming import snake_case, suggest, table_name


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("Post", "posts"),
        ("BlogPost", "blog_posts"),
        ("Category", "categories"),
        ("Day", "days"),
        ("Box", "boxes"),
        ("Address", "addresses"),
        ("Match", "matches"),
        ("Brush", "brushes"),
        ("Person", "people"),
        ("SalesPerson", "sales_people"),
        ("News", "news"),
        ("HTTPLog", "http_logs"),
        ("OAuth2Token", "o_auth2_tokens"),
    ],
)
def test_the_table_of_a_class(name: str, table: str) -> None:
    assert table_name(name) == table


def test_snake_case() -> None:
    assert snake_case("HeaderCart") == "header_cart"
    assert snake_case("already_snake") == "already_snake"


def test_suggestions() -> None:
    assert suggest("slgu", ["slug", "title"]) == "Did you mean 'slug'?"
    assert suggest("zzz", ["b", "a"]) == "There are: a, b."
