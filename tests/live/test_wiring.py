"""What a template calls and the class does not have is told while developing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

from asok.component import Component, exposed
from asok.errors import ComponentError, StateError

from .fake_client import FakeClient
from .ports import Site


def site(tmp_path: Path, source: str, *, show_errors: bool = True) -> Site:
    class Counter(Component):
        count: int = 0
        note: str = ""
        _bindable = ("note",)

        @exposed
        def increment(self) -> None:
            self.count += 1

        @exposed
        def add(self, many: int, of: str = "tea") -> None: ...

        def hidden(self) -> None: ...

        def render(self) -> str:
            return source

    class Inner(Component):
        @exposed
        def own(self) -> None: ...

        def render(self) -> str:
            return '<b><i ws-click="own">x</i></b><br>'

    one = Site(show_errors=show_errors)
    one.registry.register(Counter, tmp_path / "Counter.py")
    one.registry.register(Inner)
    (tmp_path / "counter.html").write_text(f"<p>first line</p>\n{source}\n")
    return one


@pytest.mark.parametrize(
    ("source", "says", "fix"),
    [
        ('<a ws-click="incremnt">x</a>', "no exposed method 'incremnt'", "mean 'increment'"),
        ('<a ws-click.prevent="hidden(3)">x</a>', "no exposed method 'hidden'", "Write @exposed"),
        ('<form ws-submit="zzz"></form>', "no exposed method 'zzz'", "It has: add, increment"),
        ('<input ws-model.lazy="count"/>', "count is not in _bindable", "['note', 'count']"),
        ('<input ws-model="cuont">', "no bindable field 'cuont'", "It has: note"),
        ('<a ws-clik="increment">x</a>', "ws-clik, which nothing", "Did you mean ws-click"),
        ('<a ws-mouseover.once="increment">x</a>', "nothing listens to", "There is ws-announce"),
        ('<a ws-click="add(tea)">x</a>', 'ws-click="add(tea)" can\'t be read', "add(3, 'text')"),
        ("<a ws-click=\"add('O'Neil')\">x</a>", "can't be read", "add({{ value|tojson }})"),
        ('<a ws-click="add">x</a>', "got no value for 'many', in ws-click", "add(many: int, of"),
        ('<a ws-click="increment(1)">x</a>', "got 1 argument, expected none", "increment()"),
        ("<a ws-keyup=\"add(1, 'a', 2)\">x</a>", "got 3 arguments, expected at most 2", "add("),
        ("<a ws-change=\"add('x')\">x</a>", "wrong 'many': Expected `int`", "It takes add("),
        ('<i><b key="1"></b><b key="2"></b><b key="1"></b></i>', "two <b> beside", "only it has"),
    ],
)
def test_it_names_the_template_the_line_and_the_likely_word(
    tmp_path: Path, source: str, says: str, fix: str
) -> None:
    with pytest.raises(ComponentError) as caught:
        site(tmp_path, source).page("Counter")

    assert says in str(caught.value)
    assert fix in str(caught.value)
    assert (caught.value.file, caught.value.line) == (tmp_path / "counter.html", 2)
    site(tmp_path, source, show_errors=False).page("Counter")


def test_what_fits_passes_and_components_inside_are_their_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        inner = site(tmp_path, "").page("Inner", session_id="v")
        source = (
            f'<ul><li key="1"><p>{inner}<a ws-click="increment()" ws-poll="5s">x</a></li>'
            '<li key="2"></li></ul><b key="1"></b><input ws-model="note"><br/>'
            '<a ws-click="$refresh" ws-connect="/htmx" ws-input="add">x</a>'
            "<a ws-click='add(3, \"tea\")' ws-keyup.enter='add(4)' ws-announce>x</a>"
        )
        one = site(tmp_path, source)
        client = FakeClient(one.live)
        shown, _ = await client.join(one.page("Counter", cid="c"))
        await client.call(shown, "increment")
        assert shown.errors == []

    asyncio.run(scenario())


def test_a_line_that_is_not_found_leaves_the_file_of_the_class(tmp_path: Path) -> None:
    one = site(tmp_path, '<a ws-click="gone">x</a>')
    (tmp_path / "counter.html").unlink()
    with pytest.raises(ComponentError) as caught:
        one.page("Counter")

    assert (caught.value.file, caught.value.line) == (tmp_path / "Counter.py", None)


SITE = {
    "src/components/Counter.py": """
        from asok import Component, exposed


        class Counter(Component):
            start: int = 0
            items: list[str] = []

            @exposed
            def add(self):
                self.items = [{1}]
        """,
    "src/components/counter.html": """
        {# ws-click="gone" #}
        <!-- <a ws-click="gone"></a> -->
        <a ws-click="{{ 'add' }}" ws-poll="5s" ws-poll.5s="add">x</a>
        """,
    "src/pages/page.html": "<p>\n</p>{{ component('Counter', start='three') }}",
}


def test_a_site_does_not_start_with_a_template_that_calls_what_is_not_there(
    tmp_path: Path,
) -> None:
    load_site(write_site(tmp_path, SITE))
    wrong = '<i>\n</i><a ws-click.once="ad">x</a><input ws-model="start">'
    (tmp_path / "src/components/counter.html").write_text(wrong)
    with pytest.raises(ComponentError, match=r"no exposed method 'ad'.*Did you mean 'add'") as one:
        load_site(tmp_path)
    assert (one.value.file, one.value.line) == (tmp_path / "src/components/counter.html", 2)
    (tmp_path / "src/components/counter.html").write_text('<a ws-poll.5s="ad">x</a>')
    with pytest.raises(ComponentError, match="no exposed method 'ad'"):
        load_site(tmp_path)
    # What is in a slot calls another component.
    slot = '{% component "X" %}<a ws-click="its">x</a>{% endcomponent %}'
    (tmp_path / "src/components/counter.html").write_text(slot)
    load_site(tmp_path)


def test_a_template_that_is_wrong_itself_is_not_said_to_be_given_by_the_page(
    tmp_path: Path,
) -> None:
    app = load_site(write_site(tmp_path, SITE), debug=True)
    (tmp_path / "src/pages/page.html").write_text("{{ component('Counter') }}")
    (tmp_path / "src/components/counter.html").write_text("<div>")
    with pytest.raises(ComponentError, match="never ends its <div>") as caught:
        TestClient(app, base_url="http://localhost").get("/")
    assert caught.value.file == tmp_path / "src/components/counter.html"
    assert "given in" not in str(caught.value)


def test_a_wrong_value_names_the_field_and_the_line_of_the_page_that_gave_it(
    tmp_path: Path,
) -> None:
    app = load_site(write_site(tmp_path, SITE), debug=True)
    declared = tmp_path / "src/components/Counter.py"
    with pytest.raises(StateError) as caught:
        TestClient(app, base_url="http://localhost").get("/")
    page = tmp_path / "src/pages/page.html"
    assert str(caught.value).startswith(f"{declared}:6: Counter.start got 'three' (str), expected ")
    assert f"(given in {page}:2)." in str(caught.value)
    with app.live.page("/", session_id="v"), pytest.raises(StateError) as caught:
        app.live.component("Counter", items=[{1}])
    assert (caught.value.file, caught.value.line) == (declared, 7)


@pytest.mark.parametrize(
    ("source", "says", "fix"),
    [
        ("<div><p>x</div><div>", "never ends its <div>", "Write </div>."),
        ("<b><i>x</b>", "never ends its <i>", "Write </i>."),
        ("<ul/><li>x</ul><section />", "never ends its <section>", "Write </section>."),
        ("<div>x</div></div>", "ends a <div> that is not open", "Take </div> out."),
    ],
)
def test_html_that_would_take_in_the_page_around_it_is_told(
    tmp_path: Path, source: str, says: str, fix: str
) -> None:
    with pytest.raises(ComponentError, match=says) as caught:
        site(tmp_path, source).page("Counter")

    assert caught.value.fix == fix
    assert (caught.value.file, caught.value.line) == (tmp_path / "counter.html", 2)
    site(tmp_path, source, show_errors=False).page("Counter")


def test_what_html_lets_out_may_be_left_out(tmp_path: Path) -> None:
    source = (
        "<ul><li>a<li>b</ul><table><tr><td>x<tr><td>y</table><select><option>1</select><p>a<p>b"
        '</p></p></br><svg><path d="M0"><circle/><g></svg><svg/><textarea></textarea>'
        "<script>if (1 < 2) '<div>'</script><!-- <div> --><br/><dl><dt>a<dd>b</dl>"
    )
    site(tmp_path, source).page("Counter")
