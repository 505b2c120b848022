"""References in SVG, as XML and CSS read them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.assets.references import Edit, Unreadable, edited
from asok.assets.svg import references

SVG = "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'>{}</svg>"


def values(inner: str) -> list[str]:
    return [found.value for found in references(SVG.format(inner))]


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ('<image href="a.png"/>', ["a.png"]),
        ("<image\n  width = '9'\n href\t=\n'a.png' />", ["a.png"]),
        ('<use xlink:href="icons.svg#home"/>', ["icons.svg#home"]),
        ('<g xmlns:x="http://www.w3.org/1999/xlink"><use x:href="b.svg"/></g>', ["b.svg"]),
        ('<image href="a&amp;b&#32;&#x2e;png"/>', ["a&b .png"]),
        ('<image title="> href=&quot;no&quot;" href="é.png"/>', ["é.png"]),
        ("<feImage href='a.png'/><script href='a.js'/><textPath href='#p'/>", ["a.png", "a.js"]),
        ('<a href="/about"><image href="b.png"/></a>', ["b.png"]),
        ("<use href='#here'/><image href='data:image/png;base64,x'/>", []),
        ("<!-- <image href='no.png'/> --><image href='yes.png'/>", ["yes.png"]),
        ("<desc><![CDATA[<image href='no.png'/>]]></desc>", []),
        ("<x:image xmlns:x='urn:x' href='no.png'/>", []),
        ('<rect style="fill:url(a.svg#x);mask:url(&quot;b.svg&quot;)"/>', ["a.svg#x", "b.svg"]),
        ("<rect style='--x: url(\"a b.svg\")' fill='url(#g)'/>", ["a b.svg"]),
        ("<rect fill='url(p.svg#a)' filter='url(&apos;q.svg&apos;)'/>", ["p.svg#a", "q.svg"]),
        ("<style>@import 'x.css'; a{b:url(y.png)}</style>", ["x.css", "y.png"]),
        ("<style><![CDATA[ a > b{c:url('y.png')} ]]></style>", ["y.png"]),
        ("<style>a{b:url(&quot;y.png&quot;)}/* url(no.png) */</style>", ["y.png"]),
        ("<style/><style></style><style><!-- a{b:url(no.png)} --></style>", []),
        ("<rect transform='rotate(9)' d='href'/>", []),
    ],
)
def test_what_refers_to_a_file_is_found(inner: str, found: list[str]) -> None:
    assert values(inner) == found


def test_stylesheets_of_the_document_are_found() -> None:
    text = "<?xml version='1.0'?>\n<?xml-stylesheet type='text/css' href='a.css'?>\n"
    text += '<?xml-stylesheet href="b&amp;c.css"?><?other href="no.css"?>' + SVG.format("")
    found = [(one.value, one.line) for one in references(text)]
    assert found == [("a.css", 2), ("b&c.css", 3)]


def test_what_an_entity_of_the_document_holds_stays() -> None:
    text = "<!DOCTYPE svg [<!ENTITY i \"<image href='a.png'/>\">]>" + SVG.format(
        "&i;<image href='b.png'/>"
    )
    assert [found.value for found in references(text)] == ["b.png"]


def test_the_line_is_told_and_broken_xml_is_an_error() -> None:
    text = SVG.format("\n\n<image href='a.png'/>é\n<image\nhref='b.png'/>")
    assert [found.line for found in references(text)] == [3, 5]
    with pytest.raises(Unreadable, match="well-formed") as caught:
        list(references(SVG.format("\n<image href='a.png'>")))
    assert caught.value.line == 2
    assert list(references("<svg><broken")) == []  # nothing in it names a file


PLACES = (
    '<image href="{}"/>', "<use xlink:href='{}'/>", "<rect style=\"fill:url('{}')\"/>",
    "<style>a{{b:url('{}')}}</style>", "<style><![CDATA[a{{b:url('{}')}}]]></style>",
    "é<desc>x</desc>",
)  # fmt: skip


@given(
    st.lists(st.sampled_from(PLACES), max_size=8),
    st.sampled_from(["new.png", "a&b.png?x=1&y=2#z", "it's (1).png", 'q"q.png', "é😀.png"]),
)
def test_a_rewritten_file_is_the_same_but_for_its_references(places: list[str], name: str) -> None:
    """Read again by another parser, every reference has become `name` and nothing else moved."""
    text = SVG.format("".join(place.format("old.png") for place in places))
    edits = [Edit(found.start, found.end, found.quote(name)) for found in references(text)]
    written = edited(text, edits)
    assert [found.value for found in references(written)] == [name] * len(edits)
    before, after = (list(ElementTree.fromstring(one).iter()) for one in (text, written))
    assert [element.tag for element in before] == [element.tag for element in after]
    for old, new in zip(before, after, strict=True):
        for key, value in old.attrib.items():
            if value == "old.png":
                assert new.attrib[key] == name
            elif "old.png" not in value:
                assert new.attrib[key] == value
        assert (new.tail, old.text is None) == (old.tail, new.text is None)
    assert len(edits) == len(re.findall("old", text))
