"""What templates show of the visitor, wherever they show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from asok import holes
from asok.errors import HoleError
from asok.jinja import Templates, csrf_field

FIELD = '<input type="hidden" name="csrf_token" value="C">'


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    (tmp_path / "macros.html").write_text(
        "{% macro all() %}{{ nonce }} {{ csrf_token }} {{ csrf_input() }}"
        "<script></script>{% endmacro %}"
    )
    (tmp_path / "part.html").write_text("{{ nonce }}<style></style>")
    return Templates(roots=[tmp_path])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ nonce }} {{ nonce() }}", "N N"),
        ("{{ csrf_token }} {{ csrf_token() }}", "C C"),
        ("{{ csrf_input }}{{ csrf_input() }}", FIELD * 2),
        ("{{ nonce ~ '-' }} {{ 'a-%s'|format(nonce) }}", "N- a-N"),
        ('<meta name="csrf" content="{{ csrf_token }}">', '<meta name="csrf" content="C">'),
        ("{% if nonce %}yes{% endif %}", "yes"),
        (
            "{% from 'macros.html' import all %}{{ all() }}",
            f'N C {FIELD}<script nonce="N"></script>',
        ),
        ("{% include 'part.html' without context %}", 'N<style nonce="N"></style>'),
        ("{% set nonce = 'mine' %}{{ nonce }}<style></style>", 'mine<style nonce="N"></style>'),
    ],
)
def test_each_works_with_and_without_parentheses_and_everywhere(
    templates: Templates, source: str, expected: str
) -> None:
    with holes.use(holes.VisitorSecrets(lambda: "N", lambda: "C")):
        assert templates.render_string(source) == expected


def test_an_imported_macro_shows_the_visitor_of_its_render(templates: Templates) -> None:
    source = "{% from 'macros.html' import all %}{{ all() }}"
    for nonce in ("N1", "N2"):
        with holes.use(holes.VisitorSecrets(lambda n=nonce: n, lambda: "C")):
            assert templates.render_string(source).startswith(f"{nonce} C")


def test_a_stored_render_gets_holes(templates: Templates) -> None:
    sentinels = holes.Sentinels()
    with holes.use(sentinels):
        text = templates.render_string(
            "<script></script>{{ nonce }}{{ csrf_token() }}{{ csrf_input }}"
            "{{ [nonce]|join }}{{ csrf_token|tojson }}"
        )
    holed = sentinels.cut(text.encode())
    assert holed.kinds == ("nonce", "nonce", "csrf", "csrf", "nonce", "csrf")


def test_outside_a_render_there_is_no_value(templates: Templates) -> None:
    with pytest.raises(HoleError, match="outside any render") as caught:
        templates.render_string("a\n<script></script>")
    assert caught.value.line == 2


def test_the_field_is_markup() -> None:
    with holes.use(holes.VisitorSecrets(lambda: "N", lambda: "C")):
        field = csrf_field()
    assert isinstance(field, Markup)
    assert field == FIELD
