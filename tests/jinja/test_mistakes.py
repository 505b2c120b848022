"""What a template's author did wrong, with file, line and fix; everything else as it is."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from asok import errors
from asok.errors import TemplateError, TemplateNotFound, TemplateSourceError, UndefinedVariable
from asok.jinja import Templates


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "base.html").write_text("<p>\n{% block main %}{% endblock %}</p>")
    return tmp_path


def failing(site: Path, source: str, **context: object) -> TemplateError:
    (site / "page.html").write_text(source)
    with pytest.raises(TemplateError) as caught:
        Templates(roots=[site]).render("page.html", context)
    return caught.value


class Post:
    title = "t"


@pytest.mark.parametrize(
    ("source", "line", "kind", "parts"),
    [
        ("\n{{ titel }}", 2, UndefinedVariable, ["'titel' is undefined", "'title'"]),
        ("{{ post.titel }}", 1, UndefinedVariable, ["no attribute 'titel'", "'title'"]),
        ("{{ data.nmae }}", 1, UndefinedVariable, ["no attribute 'nmae'", "'name'"]),
        ("{{ data['x'] }}", 1, UndefinedVariable, ["no attribute 'x'", "|default"]),
        ("{{ wholly.unknown }}", 1, UndefinedVariable, ["'wholly' is undefined", "request.html"]),
        ("{% if titel %}{% endif %}", 1, UndefinedVariable, ["'titel' is undefined"]),
        ("{% for x in itms %}{% endfor %}", 1, UndefinedVariable, ["'itms'", "'items'"]),
        (
            "\n\n{% for number in items %}{{ numbr }}{% endfor %}",
            3,
            UndefinedVariable,
            ["'number'"],
        ),
        ("{{ items[9] }}", 1, UndefinedVariable, ["no element 9"]),
        ("{{ self.nope() }}", 1, UndefinedVariable, ["has no attribute 'nope'"]),
        ("{{ empty|first ~ 'a' }}", 1, UndefinedVariable, ["No first item"]),
        ("a\n{{ title|dat }}", 2, TemplateSourceError, ["No filter named 'dat'", "'date'"]),
        ("{{ title is defnd }}", 1, TemplateSourceError, ["No test named 'defnd'", "'defined'"]),
        ("{% cahce 'a' %}", 1, TemplateSourceError, ["unknown tag 'cahce'", "'cache'"]),
        ("{% if %}{% endif %}", 1, TemplateSourceError, ["Expected an expression"]),
        ("\n{{ 1 +", 2, TemplateSourceError, ["unexpected"]),
        ("{{ 'a", 1, TemplateSourceError, ["unexpected char"]),
        ("\n{% raw %}x", 2, TemplateSourceError, ["Missing end of raw"]),
        ("{# a", 1, TemplateSourceError, ["Missing end of comment"]),
        ("{% %}", 1, TemplateSourceError, ["tag name expected"]),
        (
            "\n{% include 'html/bse.html' %}",
            2,
            TemplateNotFound,
            ["'html/bse.html'", "'html/base.html'"],
        ),
        ("{% extends 'qqq' %}", 1, TemplateNotFound, ["no template 'qqq'", "Create"]),
        ("{% include ['a', 'b'] %}", 1, TemplateNotFound, ["'a' or 'b'"]),
        ("{% import 'x.html' as x %}", 1, TemplateNotFound, ["'x.html'"]),
        ("{% if items %}{{ 1|nope }}{% endif %}", 1, TemplateSourceError, ["No filter named"]),
        (
            "{% from 'html/base.html' import b %}{{ b() }}",
            1,
            UndefinedVariable,
            ["does not export"],
        ),
        ("{{ dict(a=1).a.b.c }}", 1, UndefinedVariable, ["has no attribute 'b'"]),
        ("{% set a.b = 1 %}", 1, TemplateError, ["cannot assign attribute"]),
    ],
)
def test_a_mistake_names_its_place_and_what_was_meant(
    site: Path, source: str, line: int, kind: type[TemplateError], parts: list[str]
) -> None:
    error = failing(site, source, title="t", post=Post(), data={"name": 1}, items=[1], empty=[])
    assert isinstance(error, kind)
    assert (error.file, error.line) == (site / "page.html", line)
    assert all(part in str(error) for part in parts), str(error)
    assert error.__cause__ is not None


class Counter:
    """What a component's template is given: its fields by name, and itself."""

    count = 1
    _seen = 0

    @property
    def double(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        ("{{ coumt }}", "Did you mean 'count'? Pass it to self.html(…, coumt=…), or"),
        ("{{ double }}", "It is no field, but the component has it: write this.double."),
        ("{{ _seen }}", "It is no field, but the component has it: write this._seen."),
        ("{{ self.count }}", "`self` is a template's blocks: write count for a field, or this.co"),
    ],
)
def test_a_mistake_in_the_template_of_a_component_says_what_it_has(
    site: Path, source: str, fix: str
) -> None:
    one = Counter()
    error = failing(site, source, count=1, this=one, self=one)
    assert str(error.fix).startswith(fix)


def test_a_mistake_in_a_parent_names_the_parent(site: Path) -> None:
    (site / "html" / "base.html").write_text("<p>\n\n{{ titel }}</p>")
    error = failing(site, "{% extends 'html/base.html' %}", title="t")
    assert (error.file, error.line) == (site / "html" / "base.html", 3)


def test_a_missing_template_names_the_folders_that_were_searched(site: Path) -> None:
    with pytest.raises(TemplateNotFound) as caught:
        Templates(roots=[site]).render("pag.html", {}, page_dir=site / "html")
    assert str(site / "html") in str(caught.value)
    assert caught.value.file is None
    (site / "todo.html").write_text("")
    with pytest.raises(
        TemplateNotFound, match=rf"searched: {site}/html, {site}\).* Create"
    ) as caught:
        Templates(roots=[site / "html", site]).render("oops.html", {}, page_dir=site / "html")


def test_an_optional_include_may_be_missing(site: Path) -> None:
    (site / "page.html").write_text("a{% include 'x.html' ignore missing %}b")
    assert Templates(roots=[site]).render("page.html", {}) == "ab"


def test_the_first_of_several_includes_that_is_there_is_taken(site: Path) -> None:
    (site / "page.html").write_text("{% include ['x.html', 'html/base.html'] %}")
    assert Templates(roots=[site]).render("page.html", {}) == "<p>\n</p>"


def test_a_name_may_be_tested_for(site: Path) -> None:
    source = "{{ x is defined }} {{ x|default('d') }} {{ data.x is defined }}"
    (site / "page.html").write_text(source)
    text = Templates(roots=[site]).render("page.html", {"data": {}})
    assert text == "False d False"


def test_what_python_raises_passes_through_with_a_traceback_into_the_template(
    site: Path,
) -> None:
    (site / "page.html").write_text("a\n{{ 1 // zero }}")
    with pytest.raises(ZeroDivisionError) as caught:
        Templates(roots=[site]).render("page.html", {"zero": 0})
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(caught.tb)]
    assert (str(site / "page.html"), 2) in places


def test_an_asok_error_without_a_file_gets_the_templates_line(site: Path) -> None:
    def fail() -> None:
        raise errors.FrozenPageError("request.session was read")

    (site / "page.html").write_text("a\n\n{{ fail() }}")
    with pytest.raises(errors.FrozenPageError) as caught:
        Templates(roots=[site]).render("page.html", {"fail": fail})
    assert (caught.value.file, caught.value.line) == (site / "page.html", 3)


def test_an_asok_error_with_a_file_keeps_it(site: Path) -> None:
    def fail() -> None:
        raise errors.FrozenPageError("request.session was read", file="page.py", line=7)

    with pytest.raises(errors.FrozenPageError) as caught:
        Templates(roots=[site]).render_string("{{ fail() }}", {"fail": fail})
    assert (caught.value.file, caught.value.line) == (Path("page.py"), 7)


def test_an_error_of_a_render_inside_a_render_names_the_inner_template(site: Path) -> None:
    (site / "inner.html").write_text("\n{{ titel }}")
    templates = Templates(roots=[site])

    def inner() -> str:
        return templates.render("inner.html", {})

    with pytest.raises(UndefinedVariable) as caught:
        templates.render_string("{{ inner() }}", {"inner": inner})
    assert (caught.value.file, caught.value.line) == (site / "inner.html", 2)


def test_a_property_that_lacks_something_itself_is_not_called_missing(site: Path) -> None:
    class Owner:
        missing = ("none",)

        @property
        def found(self) -> object:
            return self.missing.pop  # pyright: ignore

        @property
        def late(self) -> object:
            missing, self.missing = self.missing, list(self.missing)
            return missing.pop  # pyright: ignore

    error = failing(site, "\n{{ owner.found }}", owner=Owner())
    assert error.line == 2
    assert "a property that failed itself: 'tuple' object has no attribute 'pop'" in str(error)
    assert f"({__file__}:" in str(error)
    assert "It is there now." in str(failing(site, "{{ owner.late }}", owner=Owner()))
