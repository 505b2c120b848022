"""Random templates: what is added, and nothing else; and a real parser sees the same tags."""

from __future__ import annotations

from typing import Any

import jinja2
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from asok import holes
from asok.errors import TemplateSourceError
from asok.jinja import Templates, html
from asok.jinja.state import State
from asok.jinja.tag import Tag

NONCE = ' nonce="NoNcE"'
FIELD = '<input type="hidden" name="csrf_token" value="CsRf">'

#: Bits of HTML that change the tokeniser's state, whole and in parts.
BITS = st.sampled_from(
    [
        *("<script>", "</script>", "<script src='a'>", "<style>", "</style>", "<SCRIPT x>"),
        *("<!--", "-->", "--!>", "<!-->", "<!", "<?", "</", "<", ">", "/>", "</ >", "<![CDATA["),
        *('<p a="', '"', "<p a='", "'", "<p ", "<p", "</p>", "a=b ", "a", "=", " ", "/", "\n"),
        *("<textarea>", "</textarea>", "<title>", "</title>", "<xmp>", "</xmp>", "x<y", "--"),
        *("<form method=post>", "</form>", "<form method='post' action='//x'>", "<b>"),
    ]
)
WHOLE = st.sampled_from(
    [
        *("<script>x</script>", "<style>p{}</style>", "<p title='<script>'>a</p>", "<b>t</b>"),
        *("<!-- <script> -->", "<textarea><style></textarea>", "<title>a<b</title>", "text "),
        *("<form method='post' action='/x/{{ n }}'>f</form>", "{{ n }}", "{# <script> #}", "\n"),
        *("{% raw %}<script>{{ x }}</script>{% endraw %}", "<p {{ n }}>"),
        *("<svg><style>a</style><title>t</title></svg>", "<script {{ n }} src='a'>x</script>"),
        *("<script><!-- <script> </script> --></script>", "<iframe><script></iframe>"),
    ]
)


def statements(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    dash = st.sampled_from(["", "-"])
    return st.one_of(
        st.builds("{{% if y {1}%}}{0}{{%{1} else %}}{2}{{% endif %}}".format, body, dash, body),
        st.builds("{{%{1} if z %}}{0}{{% endif {1}%}}".format, body, dash),
        st.builds("{{% for i in l %}}{0}{{% endfor %}}".format, body),
        st.builds("{{% set s %}}{0}{{% endset %}}{{{{ s }}}}".format, body),
        st.builds("{{% filter trim %}}{0}{{% endfilter %}}".format, body),
        st.builds("{{% macro k() %}}{0}{{% endmacro %}}{{{{ k() }}}}".format, body),
        st.builds("{{% with w = 1 %}}{0}{{% endwith %}}".format, body),
        st.builds("<p title='{0}'>".format, body),
    )


TEMPLATES = st.recursive(
    st.lists(st.one_of(WHOLE, WHOLE, BITS), max_size=5).map("".join),
    lambda inner: st.lists(st.one_of(inner, statements(inner), WHOLE), max_size=4).map("".join),
    max_leaves=8,
)
CONTEXT: dict[str, Any] = {
    "n": "n<script>\"'",
    "m": "<script data-evil>evil()</script><style data-evil>e</style>",
    "y": True,
    "z": False,
    "l": [1, 2],
}


def rendered(source: str) -> str:
    visitor = holes.VisitorSecrets(lambda: "NoNcE", lambda: "CsRf")
    with holes.use(visitor):
        return Templates(roots=[]).render_string(source, CONTEXT)


def tags(text: str) -> list[str]:
    """The start tags of scripts and styles in `text`, as the tokeniser reads it."""
    found: list[str] = []

    def seen(state: State, tag: Tag, end: int) -> None:
        if not tag.closing and tag.name in ("script", "style"):
            found.append(tag.name)

    html.feed(State(), text, 0, raw=False, seen=seen)
    return found


def parsed(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(f"<!doctype html><body>{text}")


@settings(max_examples=400, deadline=None)
@given(TEMPLATES)
def test_without_its_additions_a_page_is_what_jinja_makes_of_it(source: str) -> None:
    plain = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    expected = plain.from_string(source).render(CONTEXT)
    try:
        text = rendered(source)
    except TemplateSourceError:
        assume(False)
        return
    assert text.replace(NONCE, "").replace(FIELD, "") == expected


@settings(max_examples=400, deadline=None)
@given(TEMPLATES)
def test_a_nonce_is_only_ever_on_a_script_or_style_tag_of_the_template(source: str) -> None:
    try:
        text = rendered("{{ m|safe }}" + source + "{{ m|safe }}")
    except TemplateSourceError:
        assume(False)
        return
    tree = parsed(text)
    blessed = [node for node in tree.css("[nonce]") if node.attributes["nonce"] == "NoNcE"]
    assert {node.tag for node in blessed} <= {"script", "style"}
    assert len(blessed) == text.count("NoNcE")
    assert not any("data-evil" in node.attributes for node in blessed)
    assert len(tree.css("input[type=hidden][value=CsRf]")) == text.count("CsRf")


@settings(max_examples=1000, deadline=None)
@given(st.lists(BITS, max_size=14).map("".join))
def test_a_real_parser_finds_the_same_scripts_and_styles(text: str) -> None:
    assert tags(text) == [str(node.tag) for node in parsed(text).css("script, style")]


@settings(max_examples=300, deadline=None)
@given(st.lists(BITS, max_size=10), st.data())
def test_text_reads_the_same_in_one_piece_and_in_many(bits: list[str], data: st.DataObject) -> None:
    text = "".join(bits)
    whole: list[tuple[str, bool]] = []
    parts: list[tuple[str, bool]] = []
    end = html.feed(
        State(), text, 0, raw=False, seen=lambda _, tag, __: whole.append((tag.name, tag.closing))
    )
    state, at = State(), 0
    while at < len(text):
        size = data.draw(st.integers(1, len(text) - at))
        piece = text[at : at + size]
        state = html.feed(
            state,
            piece,
            at,
            raw=False,
            seen=lambda _, tag, __: parts.append((tag.name, tag.closing)),
        )
        at += size
    assert parts == whole
    assert state.mode is end.mode
