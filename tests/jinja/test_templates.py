"""`Templates`: where names are found, what is kept, and what reloads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from asok import holes
from asok.errors import ConfigurationError, TemplateNotFound, TemplateSourceError
from asok.jinja import Templates


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, "utf-8")
    # A write within the clock's granularity still has to look like one.
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for folder in ("components", "partials", "templates"):
        (tmp_path / folder).mkdir()
    return tmp_path


def make(site: Path, **options: Any) -> Templates:
    roots = [site / "components", site / "partials", site / "templates"]
    return Templates(roots=roots, **options)


def test_roots_are_searched_in_order(site: Path) -> None:
    put(site / "templates" / "a.html", "last")
    put(site / "partials" / "a.html", "middle")
    assert make(site).render("a.html", {}) == "middle"


def test_the_page_is_searched_before_the_roots(site: Path) -> None:
    put(site / "partials" / "a.html", "shared")
    put(site / "pages" / "x" / "a.html", "own")
    templates = make(site)
    assert templates.render("a.html", {}, page_dir=site / "pages" / "x") == "own"
    assert templates.render("a.html", {}) == "shared"
    assert templates.render("a.html", {}, page_dir=site / "pages" / "y") == "shared"


def test_an_include_is_found_beside_the_page_too(site: Path) -> None:
    put(site / "partials" / "html" / "base.html", "{% include 'aside.html' %}")
    put(site / "partials" / "aside.html", "shared")
    put(site / "pages" / "x" / "aside.html", "own")
    put(site / "pages" / "x" / "page.html", "{% extends 'html/base.html' %}")
    templates = make(site)
    x, y = site / "pages" / "x", site / "pages" / "y"
    put(y / "page.html", "{% extends 'html/base.html' %}")
    assert templates.render("page.html", {}, page_dir=x) == "own"
    assert templates.render("page.html", {}, page_dir=y) == "shared"
    assert templates.render("page.html", {}, page_dir=x) == "own"


def test_a_layout_of_many_pages_is_compiled_once(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site / "partials" / "base.html", "<p>{% block main %}{% endblock %}</p>")
    for number in range(5):
        put(
            site / "pages" / str(number) / "page.html",
            "{% extends 'base.html' %}{% block main %}" + str(number) + "{% endblock %}",
        )
    compiled: list[str] = []
    templates = make(site)
    environment = templates.environment
    compile_ = environment.compile

    def counting(source: Any, name: Any = None, *rest: Any) -> Any:
        compiled.append(Path(name).name)
        return compile_(source, name, *rest)

    monkeypatch.setattr(environment, "compile", counting)
    for number in [*range(5), *range(5)]:
        text = templates.render("page.html", {}, page_dir=site / "pages" / str(number))
        assert text == f"<p>{number}</p>"
    assert sorted(compiled) == ["base.html", *["page.html"] * 5]


@pytest.mark.parametrize(("asked", "there"), [("a.asok", "a.html"), ("a.html", "a.asok")])
def test_asok_and_html_are_the_same_name(site: Path, asked: str, there: str) -> None:
    put(site / "templates" / there, "<b>{{ x }}</b>")
    assert make(site).render(asked, {"x": "<"}) == "<b>&lt;</b>"


def test_the_exact_name_comes_before_its_twin(site: Path) -> None:
    put(site / "templates" / "a.html", "html")
    put(site / "templates" / "a.asok", "asok")
    assert make(site).render("a.asok", {}) == "asok"


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.html", "a/../../secret.html", "/etc/passwd", "", ".", "..", "a\0.html"),
        *("a//b.html", "./a.html", ".hidden/a.html", "a\\b.html", "page.py", "x" * 300 + ".html"),
    ],
)
def test_a_name_can_not_leave_the_folders(site: Path, name: str) -> None:
    put(site / "secret.html", "secret")
    put(site / "templates" / ".hidden" / "a.html", "secret")
    put(site / "templates" / "page.py", "secret")
    put(site / "templates" / "a.html", "x")
    templates = make(site)
    assert not templates.exists(name)
    with pytest.raises(TemplateNotFound):
        templates.render(name, {})
    with pytest.raises(TemplateNotFound):
        templates.render_string("{% include name %}", {"name": name})


def test_a_path_of_the_file_system_is_no_name(site: Path) -> None:
    path = put(site / "secret.html", "secret")
    with pytest.raises(TemplateNotFound):
        make(site).render_string("{% include name %}", {"name": str(path)})


def test_exists_asks_without_rendering(site: Path) -> None:
    put(site / "templates" / "a.html", "{{ broken")
    put(site / "pages" / "b.html", "")
    assert make(site).exists("a.asok")
    assert make(site).exists("b.html", page_dir=site / "pages")
    assert not make(site).exists("b.html")


def test_with_auto_reload_a_changed_file_is_read_again(site: Path) -> None:
    file = put(site / "templates" / "a.html", "one")
    templates = make(site, auto_reload=True)
    assert templates.render("a.html", {}) == "one"
    put(file, "two")
    assert templates.render("a.html", {}) == "two"
    file.unlink()
    with pytest.raises(TemplateNotFound):
        templates.render("a.html", {})


def test_with_auto_reload_a_page_that_appears_wins(site: Path) -> None:
    put(site / "templates" / "a.html", "shared")
    templates = make(site, auto_reload=True)
    assert templates.render("a.html", {}, page_dir=site / "p") == "shared"
    put(site / "p" / "a.html", "own")
    assert templates.render("a.html", {}, page_dir=site / "p") == "own"


def test_with_auto_reload_a_child_follows_where_its_parent_has_the_block(site: Path) -> None:
    base = put(site / "templates" / "base.html", "<script>{% block x %}{% endblock %}</script>")
    put(
        site / "templates" / "a.html",
        "{% extends 'base.html' %}{% block x %}<style></style>{% endblock %}",
    )
    templates = make(site, auto_reload=True)
    with holes.use(holes.VisitorSecrets(lambda: "N", lambda: "C")):
        assert templates.render("a.html", {}) == '<script nonce="N"><style></style></script>'
        put(base, "<div>{% block x %}{% endblock %}</div>")
        assert templates.render("a.html", {}) == '<div><style nonce="N"></style></div>'


def test_without_auto_reload_a_file_is_read_once_until_invalidate(site: Path) -> None:
    file = put(site / "templates" / "a.html", "one")
    templates = make(site)
    assert templates.render("a.html", {}) == "one"
    put(file, "two")
    put(site / "partials" / "a.html", "three")
    assert templates.render("a.html", {}) == "one"
    templates.invalidate()
    assert templates.render("a.html", {}) == "three"


def test_a_template_that_can_not_be_read_stops_no_start(
    site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(site / "partials" / "bad.html", "{% if %}")
    put(site / "partials" / "deep.html", "{{ " + "(" * 3000 + ")" * 3000 + " }}")  # RecursionError
    put(site / "partials" / "latin.html", "").write_bytes(b"caf\xe9")
    good = put(site / "partials" / "good.html", "good")
    beside = put(site / "pages" / "shop" / "beside.html", "beside")
    templates = make(site)
    templates.preload(site / "pages")
    named = [name for name in ("bad", "deep", "latin", "good") if f"/{name}.html" in caplog.text]
    assert named == ["bad", "deep", "latin"]
    for path in (good, beside):
        path.write_text("half a fi")
    assert templates.render("good.html", {}) == "good"
    assert templates.render("beside.html", {}, page_dir=beside.parent) == "beside"
    with pytest.raises(TemplateSourceError, match="UTF-8"):
        templates.render("latin.html", {})


def test_globals_and_filters_are_added(site: Path) -> None:
    templates = make(site, globals={"static": "/s/{}".format}, filters={"twice": lambda x: x * 2})
    assert templates.render_string("{{ static('a') }} {{ 'b'|twice }}") == "/s/a bb"


def test_a_filter_that_is_no_function_is_refused(site: Path) -> None:
    broken: Any = {"twice": 2}
    with pytest.raises(ConfigurationError, match="twice"):
        make(site, filters=broken)


def test_everything_but_plain_text_is_escaped(site: Path) -> None:
    for name in ("a.html", "a.asok", "a.xml", "a.js", "a.txt"):
        put(site / "templates" / name, "{{ x }}")
    templates = make(site)
    assert templates.render("a.txt", {"x": "<"}) == "<"
    for name in ("a.html", "a.xml", "a.js"):
        assert templates.render(name, {"x": "<"}) == "&lt;"


def test_files_that_are_no_html_are_not_read_as_html(site: Path) -> None:
    put(site / "templates" / "a.js", "if (a<b) '<script>'")
    put(site / "templates" / "feed.xml", "<a><![CDATA[<script>]]></a>")
    templates = make(site)
    assert templates.render("a.js", {}) == "if (a<b) '<script>'"
    assert templates.render("feed.xml", {}) == "<a><![CDATA[<script>]]></a>"


def test_a_child_of_a_file_that_is_no_html_is_read_on_its_own(site: Path) -> None:
    put(site / "templates" / "base.xml", "<a>{% block x %}{% endblock %}</a>")
    source = "{% extends 'base.xml' %}{% block x %}b{% endblock %}"
    assert make(site).render_string(source) == "<a>b</a>"


def test_line_breaks_and_byte_order_marks_change_nothing(site: Path) -> None:
    path = site / "templates" / "a.html"
    path.write_bytes("\ufeff<p>\r\n{{ x }}\r\n".encode())
    assert make(site).render("a.html", {"x": 1}) == "<p>\n1"
    path.write_bytes(b"<p>\r\n\r{% if x %}<!--{% endif %}")
    with pytest.raises(TemplateSourceError) as caught:
        make(site).render("a.html", {"x": 1})
    assert caught.value.line == 3


def test_a_file_that_is_no_text_is_named(site: Path) -> None:
    path = site / "templates" / "a.html"
    path.write_bytes(b"abc\xff")
    with pytest.raises(TemplateSourceError, match="byte 3 is no UTF-8") as caught:
        make(site).render("a.html", {})
    assert caught.value.file == path


def test_a_template_that_extends_itself_ends(site: Path) -> None:
    put(site / "templates" / "a.html", "{% extends 'a.html' %}")
    with pytest.raises(RecursionError):
        make(site).render("a.html", {})


def test_a_broken_parent_is_named_when_its_child_renders(site: Path) -> None:
    base = put(site / "templates" / "base.html", "\n<script>{% block x %}{% endblock %}")
    put(site / "templates" / "a.html", "{% extends 'base.html' %}")
    with pytest.raises(TemplateSourceError, match="text of <script>") as caught:
        make(site).render("a.html", {})
    assert (caught.value.file, caught.value.line) == (base, 2)


def test_a_component_gets_its_body_as_slot(site: Path) -> None:
    def component(name: str, slot: str, **props: Any) -> Markup:
        return Markup("<i>{} {} {}</i>").format(name, slot, sorted(props.items()))

    text = make(site, globals={"component": component}).render_string(
        "{% component 'Card', a=1, b=x %}<b>{{ x }}</b>{% endcomponent %}", {"x": "<"}
    )
    assert text == "<i>Card <b>&lt;</b> [(&#39;a&#39;, 1), (&#39;b&#39;, &#39;&lt;&#39;)]</i>"


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("{% component %}{% endcomponent %}", "needs a name"),
        ("{% component 'A', slot=1 %}{% endcomponent %}", "can't take 'slot'"),
        ("{% component 'A', caller=1 %}{% endcomponent %}", "can't take 'caller'"),
        ("{% component 'A', a=1, 'b' %}{% endcomponent %}", "come before"),
        ("{% component 'A' a=1 %}{% endcomponent %}", "expected token ','"),
    ],
)
def test_a_component_tag_that_is_wrong_says_how(site: Path, source: str, part: str) -> None:
    with pytest.raises(TemplateSourceError, match=part):
        make(site).render_string(source)
