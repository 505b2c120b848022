"""`{% cache %}`: what is stored, for how long, and how its holes are filled."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import Any

import pytest

from asok import holes
from asok.errors import HoleError, TemplateError, TemplateSourceError
from asok.jinja import Templates

from .conftest import MemoryFragments


@pytest.fixture
def store() -> MemoryFragments:
    return MemoryFragments()


@pytest.fixture
def templates(store: MemoryFragments) -> Templates:
    return Templates(roots=[], fragments=store)


def as_visitor(templates: Templates, source: str, nonce: str = "N1", **context: object) -> str:
    with holes.use(holes.VisitorSecrets(lambda: nonce, lambda: f"C-{nonce}")):
        return templates.render_string(source, context)


def test_a_body_renders_once(templates: Templates) -> None:
    source = '{% cache "k" 60 %}<b>{{ x }}</b>{% endcache %}{{ x }}'
    assert as_visitor(templates, source, x=1) == "<b>1</b>1"
    assert as_visitor(templates, source, x=2) == "<b>1</b>2"


@pytest.mark.parametrize(
    ("tag", "key", "ttl"),
    [
        ('"k"', "k", inf),
        ('"k" 3600', "k", 3600),
        ('"k", 3600', "k", 3600),
        ('"k" ttl=60 * 5', "k", 300),
        ('"k", ttl=minute', "k", 60),
        ('"post-" ~ id 5', "post-7", 5),
        ("name 0.5", "n", 0.5),
        ("id", "[7]", inf),
        ('"k" none', "k", inf),
        ('("post", id) 5', '[{"$tuple":["post",7]}]', 5),
        ('"k" 5 vary=id', '["k",7]', 5),
        ('"k" 5, vary=(id, none), tags="a", stale=5', '["k",{"$tuple":[7,null]}]', 5),
        ('"k", tags=["a", "b"], ttl=minute', "k", 60),
    ],
)
def test_key_and_time_are_any_expressions(
    templates: Templates, store: MemoryFragments, tag: str, key: str, ttl: object
) -> None:
    context: dict[str, Any] = {"id": 7, "name": "n", "minute": timedelta(minutes=1)}
    as_visitor(templates, f"{{% cache {tag} %}}x{{% endcache %}}", **context)
    assert store.ttls == {key: ttl}


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        ('""', "as the key"),
        ("none", "as the key"),
        ("[]", "as the key"),
        ("range", "as the key"),
        ('"k" 5, vary=range', "vary="),
        ('"k" 5, tags=5', "tags=5"),
        ('"k" 5, tags=[""]', "tags="),
        ('"k" 5, stale=0', "as the stale"),
        ('"k" 0', "as the time"),
        ('"k", -1', "as the time"),
        ('"k", "60"', "as the time"),
        ('"k" true', "as the time"),
    ],
)
def test_a_key_or_time_that_is_none_says_what_was_got(
    templates: Templates, tag: str, part: str
) -> None:
    source = f"a\n{{% cache {tag} %}}x{{% endcache %}}"
    with pytest.raises(TemplateError, match=part) as caught:
        as_visitor(templates, source)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "tag", ["", '"k" 5 5', '"k" 5, 5', '"k", other=5', '"k", tags="a", tags="b"', '"k" 5,']
)
def test_a_tag_that_is_none_is_a_syntax_error(templates: Templates, tag: str) -> None:
    with pytest.raises(TemplateSourceError):
        as_visitor(templates, f"{{% cache {tag} %}}x{{% endcache %}}")


def test_what_is_stored_holds_no_visitors_value(
    templates: Templates, store: MemoryFragments
) -> None:
    source = (
        '{% cache "k" %}<script>a()</script><form method="post">x</form>'
        "{{ nonce }}|{{ csrf_token }}{% endcache %}"
    )
    expected = (
        '<script nonce="{0}">a()</script><form method="post">'
        '<input type="hidden" name="csrf_token" value="C-{0}">x</form>{0}|C-{0}'
    )
    assert as_visitor(templates, source, "N1") == expected.format("N1")
    assert as_visitor(templates, source, "N2") == expected.format("N2")
    text = store.stored["k"].text
    assert b"N1" not in text.body
    assert text.kinds == ("nonce", "csrf", "nonce", "csrf")


def test_a_fragment_inside_a_fragment_keeps_its_own_holes(
    templates: Templates, store: MemoryFragments
) -> None:
    source = (
        '{% cache "outer" %}<style></style>'
        '{% cache "inner" 5 %}<script></script>{{ csrf_token }}{% endcache %}{% endcache %}'
    )
    expected = '<style nonce="{0}"></style><script nonce="{0}"></script>C-{0}'
    assert as_visitor(templates, source, "N1") == expected.format("N1")
    del store.stored["outer"]
    assert as_visitor(templates, source, "N2") == expected.format("N2")
    assert as_visitor(templates, source, "N3") == expected.format("N3")
    assert store.ttls == {"outer": 5, "inner": 5}, "the outer ends with the inner"


def test_a_fragment_of_a_stored_page_leaves_its_holes_to_the_page(templates: Templates) -> None:
    source = '{% cache "k" %}<script></script>{% endcache %}'
    as_visitor(templates, source)
    sentinels = holes.Sentinels()
    with holes.use(sentinels):
        text = templates.render_string(source)
    holed = sentinels.cut(text.encode())
    assert holed.body == b'<script nonce=""></script>'
    assert holed.kinds == ("nonce",)


def test_a_visitor_who_sees_no_hole_is_asked_for_nothing(templates: Templates) -> None:
    visitor = holes.VisitorSecrets(lambda: "N", lambda: "C")
    with holes.use(visitor):
        templates.render_string('{% cache "k" %}x{% endcache %}')
    assert visitor.used == frozenset()


def test_without_holes_a_fragment_needs_no_visitor(templates: Templates) -> None:
    source = '{% cache "k" %}x{% endcache %}'
    assert templates.render_string(source) == "x"
    assert templates.render_string(source) == "x"


def test_a_fragment_in_macro_loop_and_block_works(templates: Templates) -> None:
    source = (
        "{% macro m(i) %}{% cache 'm' ~ i %}<i>{{ i }}</i>{% endcache %}{% endmacro %}"
        "{% block b %}{% for i in [1, 2] %}{{ m(i) }}{% endfor %}{% endblock %}"
    )
    assert as_visitor(templates, source) == "<i>1</i><i>2</i>"


def test_a_failing_body_stores_nothing(templates: Templates, store: MemoryFragments) -> None:
    with pytest.raises(ZeroDivisionError):
        as_visitor(templates, '{% cache "k" %}{{ 1 // zero }}{% endcache %}', zero=0)
    assert store.stored == {}


def test_a_value_that_was_changed_fails_instead_of_being_stored(
    templates: Templates, store: MemoryFragments
) -> None:
    with pytest.raises(HoleError):
        as_visitor(templates, '{% cache "k" %}{{ nonce|upper }}{% endcache %}')
    assert store.stored == {}


def test_without_a_store_the_body_renders_each_time() -> None:
    templates = Templates(roots=[])
    source = '{% cache "k" 5 %}<b>{{ x }}</b>{% endcache %}'
    assert as_visitor(templates, source, x=1) == "<b>1</b>"
    assert as_visitor(templates, source, x=2) == "<b>2</b>"
