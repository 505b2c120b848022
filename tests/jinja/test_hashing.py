"""A template's own inline tags are hashed where a nonce would stand; nothing else is."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok import holes
from asok.errors import HoleError, TemplateError
from asok.jinja import Hashing, Templates
from asok.sessions import Policy

from .conftest import CASES, CONTEXT, SHARED, Case, MemoryFragments


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def finished(
    source: str, *, policy: Policy | None = None, templates: Templates | None = None, **more: Any
) -> tuple[str, str | None]:
    """Render `source` under `CSP = "hash"`; return the body and the policy."""
    templates = templates or Templates(roots=[SHARED])
    hashing = Hashing(policy or Policy())
    with holes.use(hashing.sentinels):
        text = templates.render_string(source, {**CONTEXT, **more})
    holed, header = hashing.finish(text.encode())
    assert "nonce" not in holed.kinds
    return holed.body.decode(), header


@pytest.mark.parametrize(
    ("source", "body", "scripts", "styles"),
    [
        ("<script>a()</script>", "<script>a()</script>", ["a()"], []),
        ("<style>p {}</style>", "<style>p {}</style>", [], ["p {}"]),
        ("<SCRIPT DEFER>a()</SCRIPT >", "<SCRIPT DEFER>a()</SCRIPT >", ["a()"], []),
        ("<script nonce='{{ nonce }}'>a()</script>", "<script>a()</script>", ["a()"], []),
        ("<script nonce={{ nonce() }}>a()</script>", "<script>a()</script>", ["a()"], []),
        (
            '<script type=module nonce = "{{ nonce }}" defer>a()</script>',
            "<script type=module defer>a()</script>",
            ["a()"],
            [],
        ),
        ("<script></script>", "<script></script>", [""], []),
        ("<script>\na()\n</script>", "<script>\na()\n</script>", ["\na()\n"], []),
        ("<script>{{ items }}</script>", "<script>[1, 2]</script>", ["[1, 2]"], []),
        (
            "{% for i in items %}<script>a({{ i }})</script>{% endfor %}",
            "<script>a(1)</script><script>a(2)</script>",
            ["a(1)", "a(2)"],
            [],
        ),
        (
            "<script>a()</script><p></p><script>a()</script>",
            "<script>a()</script><p></p><script>a()</script>",
            ["a()"],
            [],
        ),
        (
            "{% set s %}<script>a()</script>{% endset %}<style>b{}</style>{{ s }}",
            "<style>b{}</style><script>a()</script>",
            ["a()"],
            ["b{}"],
        ),
        (
            "{% macro m(x) %}<script>{{ x }}</script>{% endmacro %}{{ m(1) }}{{ m(2) }}",
            "<script>1</script><script>2</script>",
            ["1", "2"],
            [],
        ),
        (
            "<p title='{{ attributes }}'></p><script {{ attributes }}>a > b</script>",
            "<p title='data-x=1'></p><script data-x=1>a > b</script>",
            ["a > b"],
            [],
        ),
        (
            '<script>x = "<!-- <script> </script>"; y()</script>',
            '<script>x = "<!-- <script> </script>"; y()</script>',
            ['x = "<!-- <script> </script>"; y()'],
            [],
        ),
        (
            "{% set n = nonce() %}<script nonce='{{ n }}'>1</script><style nonce={{ n }}></style>",
            "<script>1</script><style></style>",
            ["1"],
            [""],
        ),
        ("<svg><style>p { a: b }</style></svg>", "<svg><style>p { a: b }</style></svg>", [],
         ["p { a: b }"]),
        ("<svg></svg><script>a && b</script>", "<svg></svg><script>a && b</script>", ["a && b"],
         []),
        ("<script>1</SCRIPT><p></script>", "<script>1</SCRIPT><p></script>", ["1"], []),
        ("<script>1 <b> 2 <!-- 3</script>", "<script>1 <b> 2 <!-- 3</script>",
         ["1 <b> 2 <!-- 3"], []),
        ("<script>1 </b></script>", "<script>1 </b></script>", ["1 </b>"], []),
        ("<svg/><script>a && b</script>", "<svg/><script>a && b</script>", ["a && b"], []),
        (
            "<script>x = '<svg>'</script><script>a && b</script>",
            "<script>x = '<svg>'</script><script>a && b</script>",
            ["x = '<svg>'", "a && b"],
            [],
        ),
        ("<script src='{{ url }}'></script>", "<script src='/u'></script>", [], []),
    ],
)  # fmt: skip
def test_the_exact_text_is_hashed_and_the_nonce_gone(
    source: str, body: str, scripts: list[str], styles: list[str]
) -> None:
    text, header = finished(source)
    assert text == body
    expected = {"script-src": scripts, "style-src": styles}
    for directive, texts in expected.items():
        wanted = " ".join([directive, "'self'", *map(hash_of, texts)])
        assert wanted in (header or "").split("; ")


def test_what_browsers_change_while_parsing_is_hashed_as_changed() -> None:
    text, header = finished("<script>{{ x }}</script>", x="a\r\nb\rc\0d")
    assert "a\r\nb\rc\0d" in text
    assert hash_of("a\nb\nc\ufffdd") in (header or "")


def test_markup_in_a_value_gets_no_hash() -> None:
    bad = "<script>evil()</script><style>evil{}</style>"
    text, header = finished("{{ bad|safe }}<script>a()</script>{{ bad|safe }}", bad=bad)
    assert text.count(bad) == 2
    assert header is not None
    assert header.count("sha256-") == 1
    assert hash_of("a()") in header


def test_a_value_that_ends_the_script_gets_no_hash_for_the_rest() -> None:
    _, header = finished("<script>x = '{{ x|safe }}'</script>", x="</script><script>evil()")
    assert hash_of("x = '") in (header or "")
    assert hash_of("evil()'") not in (header or "")


def test_a_page_without_inline_tags_has_the_policy_of_the_site() -> None:
    text, header = finished("<script src='/a.js'></script><p>{{ name }}</p>")
    assert "nonce" not in text
    assert header is None


def test_a_csrf_value_stays_a_hole() -> None:
    hashing = Hashing(Policy())
    with holes.use(hashing.sentinels):
        text = Templates(roots=[SHARED]).render_string(
            "<script>a()</script><form method=post></form>", CONTEXT
        )
    holed, header = hashing.finish(text.encode())
    assert holed.kinds == ("csrf",)
    assert hash_of("a()") in (header or "")


def test_a_cached_fragment_is_stored_with_a_hole_and_hashed_where_it_is_shown() -> None:
    fragments = MemoryFragments()
    templates = Templates(roots=[SHARED], fragments=fragments)
    source = "{% cache 'k' 60 %}<script>a()</script>{% endcache %}"
    with holes.use(holes.VisitorSecrets(lambda: "NoNcE", str)):
        assert "NoNcE" in templates.render_string(source, CONTEXT)
    for _ in range(2):
        text, header = finished(source, templates=templates)
        assert text == "<script>a()</script>"
        assert hash_of("a()") in (header or "")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("<p>\n<meta name=csp content='{{ nonce }}'>", "no attribute of a <script> or <style>"),
        ("<p>\n<script>x = '{{ nonce }}'</script>", "no attribute of a <script> or <style>"),
        ("<p>\n<script data-n='{{ nonce }}'></script>", "no attribute of a <script> or <style>"),
        ("<p>\n<script-x nonce='{{ nonce }}'></script-x>", "no attribute of a <script> or <style>"),
        ("<p>\n<link rel=stylesheet nonce={{ nonce }}>", "no attribute of a <script> or <style>"),
        ("<p>\n<script async/nonce='{{ nonce }}'></script>", "not understood"),
        ("<p>\n<script src='https://cdn.example/a.js'></script>", "file of another site"),
        ("<p>\n<script src='//cdn.example/a.js'></script>", "file of another site"),
        ("<p>\n<script src='{{ away }}'></script>", "file of another site"),
        ("<svg>\n<style>p { content: '&amp;' }</style></svg>", "read as markup"),
        ("<p>\n<script>{{ open|safe }}</script>", "<script> never ends"),
    ],
)
def test_what_can_not_be_hashed_names_the_line_and_the_fix(source: str, problem: str) -> None:
    with pytest.raises(TemplateError) as error:
        finished(source, away="https://cdn.example/a.js", open="<!--<script>")
    assert problem in str(error.value)
    assert error.value.line == 2
    assert error.value.file is not None
    assert error.value.fix


def test_the_line_is_that_of_the_file_that_wrote_the_tag(tmp_path: Path) -> None:
    (tmp_path / "part.html").write_text(
        "<p>\n</p>\n<script src='https://cdn.example/a.js'></script>"
    )
    with pytest.raises(TemplateError) as error:
        finished("{% include 'part.html' %}", templates=Templates(roots=[tmp_path]))
    assert (Path(str(error.value.file)).name, error.value.line) == ("part.html", 3)


def test_an_origin_of_the_policy_needs_no_hash() -> None:
    policy = Policy({"script-src": "'self' https://cdn.example"})
    text, header = finished(
        "<script src='https://cdn.example/a.js'></script><script>a()</script>", policy=policy
    )
    assert "nonce" not in text
    assert f"script-src 'self' https://cdn.example {hash_of('a()')}" in (header or "")


@pytest.mark.parametrize(
    "source",
    [
        "{{ nonce|upper }}",
        "<script nonce='{{ nonce|replace('z', 'y') }}'>a()</script>",
        "{% set s %}<script>a()</script>{% endset %}",
        "<script>a()</script>{{ nonce()|upper }}",
    ],
)
def test_a_nonce_that_was_changed_or_dropped_is_refused(source: str) -> None:
    with pytest.raises(HoleError):
        finished(source)


def test_a_handler_that_asks_for_the_nonce_itself_is_named() -> None:
    hashing = Hashing(Policy())
    with holes.use(hashing.sentinels):
        good = f"<script nonce='{holes.secrets().nonce}'>a()</script>"
        bad = f"<link nonce='{holes.secrets().nonce}'>"
    with pytest.raises(TemplateError) as error:
        hashing.finish((good + bad).encode())
    assert error.value.file == Path(__file__)


PIECES = [
    "<", ">", "/", "script", "</script>", "<script>", "<style>", "</style>", "<!--", "-->", "<svg>",
    "</svg>", "<svg/>", '"', "'", "=", " nonce=", "&amp;", "text", "\n", "\r\n", "<textarea>",
    "<p x=",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_whatever_stands_around_only_its_own_texts_are_hashed(value: str) -> None:
    source = "{{ v|safe }}<script>a && b</script>{{ v|safe }}<style>p > a {}</style>{{ v|safe }}"
    try:
        text, header = finished(source, v=value)
    except TemplateError as error:
        assert "inside <svg> or <math>" in str(error)  # noqa: PT017 (only sometimes)
        assert "<svg>" in value
        return
    assert text == source.replace("{{ v|safe }}", value)
    assert header == Policy().hashed([hash_of("a && b")[8:-1]], [hash_of("p > a {}")[8:-1]])


#: Fixtures with a nonce that no hash can stand for.
REFUSED = {"script-src-foreign", "svg-style-markup"}


@pytest.mark.parametrize("case", [one for one in CASES if one.error is None], ids=lambda c: c.name)
def test_every_fixture_is_hashed_or_says_why_not(case: Case) -> None:
    if case.name in REFUSED:
        with pytest.raises((TemplateError, HoleError)) as error:
            finished(case.source)
        assert error.value.fix
    else:
        text, _ = finished(case.source)
        assert "zqnonce" not in text
