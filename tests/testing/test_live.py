"""A component driven without a browser: what a visitor does, and what a test sees of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated, Any

import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser

from asok import Component, broadcast, exposed, listens
from asok.errors import CallRefused, ComponentError, DriveError, StateError
from asok.live import Limits
from asok.testing import live
from asok.testing.document import Document
from asok.testing.events import Event, hear


class Counter(Component):
    start: int = 0
    count: int = 0

    def mount(self) -> None:
        self.count = self.start

    @exposed
    def increment(self, by: int = 1) -> None:
        self.count += by
        self.dispatch("counted", {"count": self.count})

    @exposed
    def fail(self) -> None:
        raise ValueError("its own")

    @exposed
    async def soon(self) -> None:
        await asyncio.sleep(0)
        self.count += 10

    @exposed
    def steps(self) -> Any:
        for self.count in (1, 2, 3):
            yield

    @exposed
    def leave(self) -> None:
        self.redirect("/thanks")

    def hidden(self) -> None: ...

    def render(self) -> str:
        return f"""<h3>Count: {self.count}</h3>
        <button ws-click="increment">Add 1</button>
        <button ws-click="increment(5)"><b>Add</b>  5</button>
        <button ws-click="fail">Fail</button> <button ws-click="soon">Soon</button>
        <button ws-click="steps" class="steps">Steps</button>
        <button ws-click="leave" title="Go away">x</button>
        <button disabled>Never</button> <a href="/elsewhere">Elsewhere</a>
        <p ws-click.once="increment(100)">Once</p>"""


class Form(Component):
    name: str = ""
    note: str = "as it was"
    seen: str = ""
    _bindable = ("note",)

    def validate_name(self, name: str) -> str:
        if name == "root":
            raise ValueError("That name is taken.")
        return name.strip()

    @exposed
    def save(
        self,
        name: str,
        age: Annotated[int, msgspec.Meta(ge=18)],
        colours: list[str] | None = None,
        terms: bool = False,
        size: str = "",
        how: str = "",
    ) -> None:
        self.name = name
        self.seen = f"{name} {age} {colours} {terms} {size} {how}"

    @exposed
    def key(self, key: str, value: str) -> None:
        self.seen = f"key {key} {value}"

    @exposed
    def look(self, value: str) -> None:
        self.seen = f"look {value}"

    @exposed
    def said(self, what: str) -> None:
        self.seen = what

    def render(self) -> str:
        errors = self.errors
        return f"""<form ws-submit="save" ws-keydown.escape="said('escaped')">
        <label>Name <input name="name" value=""></label> {errors["name"]}
        <label for="age">Your age</label> <input id="age" name="age"> {errors["age"]}
        <fieldset>
        <label><input type="checkbox" name="colours" value="red"> Red</label>
        <label><input type="checkbox" name="colours" value="blue" checked> Blue</label>
        </fieldset>
        <label><input type="checkbox" name="terms"> I agree</label>
        <select name="size"><option value="s">Small<option value="l">Large</select>
        <input type="radio" name="how" value="post"><input type="radio" name="how" value="mail">
        <button name="by" value="button">Save</button>
        </form>
        <input ws-model.lazy="note" name="note" value="{self.note}" aria-label="Note">
        <input ws-input.debounce-300="look" name="q" placeholder="Search"
               ws-keydown.enter.prevent="key" ws-focus="said('in')" ws-blur="said('out')">
        <output>{self.seen}</output>"""


class Row(Component):
    id: int
    on: bool = False

    @exposed
    def toggle(self) -> None:
        self.on = not self.on
        self.emit("toggled", id=self.id)

    def render(self) -> str:
        return f"<button ws-click='toggle'>Toggle {self.id}</button> {'on' if self.on else 'off'}"


class Table(Component):
    ids: list[int] = [1, 2]  # noqa: RUF012
    last: int = 0

    @listens("toggled")
    def toggled(self, id: int) -> None:
        self.last = id

    @exposed
    def add(self) -> None:
        self.ids = [*self.ids, len(self.ids) + 1]

    @exposed
    def drop(self, id: int) -> None:
        self.ids.remove(id)

    def render(self) -> str:
        return self.html("table.html")


TABLE = """<p>Last: {{ last }}</p><button ws-click="add">Add</button><ul>
{% for id in ids %}<li key="{{ id }}">{{ component("Row", key=id, id=id) }}
<button ws-click="drop({{ id }})">Drop</button></li>{% endfor %}</ul>"""


class Chat(Component):
    lines: list[str] = []  # noqa: RUF012
    who: str = ""

    def mount(self) -> None:
        self.who = self.session.get("user_id", "nobody")

    @listens("chat")
    def heard(self, line: str) -> None:
        self.lines = [*self.lines, line]

    @exposed
    def say(self, line: str) -> None:
        broadcast("chat", line=f"{self.who}: {line}")

    def render(self) -> str:
        return f"<form ws-submit='say'><input name=line></form>{self.lines} <i ws-poll=5s></i>"


def test_a_click_calls_what_the_button_says() -> None:
    page = live(Counter, start=3)
    page.click("Add 1").click("Add 5")
    assert page.text.startswith("Count: 9")
    assert page.state == {"start": 3, "count": 9}
    assert page.dispatched == [("counted", {"count": 4}), ("counted", {"count": 9})]
    assert page.click("Soon").find("h3").text == "Count: 19"
    page.click(".steps")
    shown = [html.partition("</h3>")[0][-1] for html in page.frames]
    assert shown[:3] == ["1", "2", "3"]
    page.click("Go away")
    assert page.redirected == "/thanks"
    assert page.click("Once").click("Once").state["count"] == 103


def test_what_it_raises_is_raised_and_the_page_goes_on() -> None:
    page = live(Counter)
    with pytest.raises(ValueError, match="its own"):
        page.click("Fail")
    with pytest.raises(CallRefused, match="no exposed method 'hidden'"):
        page.call("hidden")
    with pytest.raises(CallRefused, match="wrong 'by'"):
        page.call("increment", "many")
    assert page.call("increment", 2).state["count"] == 2
    with pytest.raises(DriveError, match="frame has more than"):
        page.call("increment", "x" * 70_000)
    with pytest.raises(ComponentError, match="no field 'counts'"):
        live(Counter, counts=3)
    with pytest.raises(StateError, match=r"Counter.start got 'three'"):
        live(Counter, start="three")


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (
            lambda p: p.click("Ad 1"),
            'no element "Ad 1". Did you mean "Add 1"? buttons are "Add 1", "Add 5"',
        ),
        (lambda p: p.click("Add"), "2 elements are meant by 'Add'"),
        (lambda p: p.click("Never"), 'the button "Never" is disabled'),
        (lambda p: p.click("Elsewhere"), "calls nothing when it is clicked. It leads to /else"),
        (lambda p: p.click("h3"), "no element"),
        (lambda p: p.find("[["), "is no CSS selector"),
        (lambda p: p.click("#gone"), 'no element "#gone"'),
        (lambda p: p.type("Name", "x"), 'no field "Name"'),
        (lambda p: p.submit(), 'no form "form"'),
        (lambda p: p.key("enter"), "no field has the focus"),
        (lambda p: p.component("Gone"), "no component 'Gone' number 0 on the page. There are: Co"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(act: Any, says: str) -> None:
    with pytest.raises(DriveError) as caught:
        act(live(Counter))
    assert says in str(caught.value)


def test_a_form_sends_its_fields_and_shows_what_is_wrong() -> None:
    page = live(Form)
    page.submit("Save", {"Name": "root", "Your age": 17})
    assert page.errors == {"name": "That name is taken.", "age": "Must be at least 18."}
    assert "That name is taken." in page.text
    page.type("Name", " Ada ").type("#age", "36").change("Red", True).click("I agree")
    page.change("size", "Large").change("[value=mail]", True)
    page.key("enter", "Name")
    assert page.state["seen"] == "Ada 36 ['red', 'blue'] True l mail"
    assert page.errors == {}
    page.submit(values={"name": "Bo", "age": 20, "Blue": False})
    assert page.find("output").text == "Bo 20 None False s"
    with pytest.raises(DriveError, match=r'no field "nme"\. Did you mean "Name"'):
        page.submit(values={"nme": 1})
    with pytest.raises(DriveError, match=r"does not offer 'Huge'.* Small, Large"):
        page.change("size", "Huge")


def test_keys_models_and_focus_do_what_the_attributes_say() -> None:
    page = live(Form)
    assert page.type("Search", "tea").state["seen"] == "look tea"
    assert page.key("enter").state["seen"] == "key enter tea"
    assert page.focus("Search").state["seen"] == "in"
    assert page.blur().state["seen"] == "out"
    assert page.key("Escape", "Name").state["seen"] == "escaped"
    assert page.type("Note", "new").state["note"] == "as it was"
    assert page.change("Note", "newer").state["note"] == "newer"
    with pytest.raises(DriveError, match="calls nothing for the key 'x'"):
        page.key("x", "Your age")
    with pytest.raises(CallRefused, match="may not be written"):
        page.call("$model", "seen", "x")


def test_components_inside_have_a_life_of_their_own() -> None:
    page = live(Table, templates={"table.html": TABLE})
    page.click("Toggle 2")
    assert "Last: 2" in page.text
    assert [one.text for one in page.all("li")] == [
        "Toggle 1 off Drop", "Toggle 2 on Drop",
    ]  # fmt: skip
    page.click("Add").click("Toggle 3").click("Drop", within="Toggle 1")
    assert [one.text for one in page.all("li")] == ["Toggle 2 on Drop", "Toggle 3 on Drop"]
    assert page.component("Row", 1).state == {"id": 3, "on": True}
    page.component("Row").call("toggle")
    assert page.find("[key='2']").text == "Toggle 2 off Drop"
    assert page.find("button", within="[key='3'] [id^=asok-]").html.startswith("<button ws-click")


def test_visitors_hear_of_each_other() -> None:
    ada = live(Chat, user="Ada", session={"theme": "dark"})
    other = ada.visitor()
    ada.submit("[name=line]", {"line": "hello"})
    assert ada.state["lines"] == other.state["lines"] == ["Ada: hello"]
    assert ada.session["theme"] == "dark"
    ada.broadcast("chat", line="news")
    broadcast("chat", line="more")
    assert other.state["lines"][1:] == ["news", "more"]
    assert ada.reload().state["lines"] == other.poll().state["lines"]
    assert ada.tab().reconnect().state["lines"] == other.state["lines"]
    assert live(Chat).state["lines"] == []


def test_what_a_guard_refuses_is_not_there() -> None:
    class Secret(Component):
        open: bool = True

        def guard(self) -> bool:
            return self.open

        @exposed
        def lock(self) -> None:
            self.open = False

        def render(self) -> str:
            return "<button ws-click=lock>Lock</button>"

    assert live(Secret, open=False).html == ""
    with pytest.raises(DriveError, match="Its guard may have refused"):
        live(Secret, open=False).call("lock")
    page = live(Secret).click("Lock")
    with pytest.raises(DriveError, match="asked to load anew"):
        page.click("Lock").click("Lock")
    assert page.reloads == ["guard"]
    assert page.reload().html == ""


def test_options_of_component_and_names_that_are_taken() -> None:
    class Late(Component):
        page: int = 0
        user: str = ""

        def render_placeholder(self) -> str:
            return "<p>Loading</p>"

        def render(self) -> str:
            return f"{self.page} {self.user} {self.slot}"

    page = live(Late, lazy=True, slot="<i>x</i>", cid="late", props={"page": 3, "user": "Ada"})
    assert page.text == "3 Ada x"
    assert page.component("late").cid == "late"
    assert live(Late, frozen=True, props={"page": 1}).text == "1"
    with pytest.raises(DriveError, match="no state yet"):
        _ = live(Late, frozen=True).state


def test_limits_are_the_real_ones_and_what_waits_is_waited_for() -> None:
    gate = threading.Event()

    class Slow(Component):
        done: bool = False

        @exposed
        def work(self) -> None:
            gate.wait(5)
            self.done = True

        def render(self) -> str:
            return str(self.done)

    page = live(Slow)
    page.call("work", wait=False)
    assert page.text == "False"
    gate.set()
    assert page.settle().text == "True"
    gate.clear()
    with pytest.raises(CallRefused, match="took too long"):
        live(Slow, limits=Limits(call_seconds=0.01)).call("work")
    gate.set()


def test_a_test_may_be_async_too() -> None:
    async def main() -> None:
        with live(Counter) as page:
            assert page.click("Add 1").state["count"] == 1

    asyncio.run(main())


WRITTEN = """<form ws-submit="say('x">x</form>"""


class Odd(Component):
    said: str = ""
    on: bool = False
    _bindable = ("on", "said")

    @exposed
    def say(self, what: str = "", by: str = "") -> None:
        self.said = what or by

    def render(self) -> str:
        return f"""<div id="outer" ws-click="say('outer')"><i ws-click.stop="say('inner')">In</i>
        <button ws-click.outside="say('away')" title="Out">Out</button></div>
        <input type="checkbox" ws-model="on" aria-label="On"{" checked" if self.on else ""}>
        <form ws-submit="say('x')"><textarea name="t" aria-label="T">\nold</textarea></form>
        <section><form ws-submit="say"><input name="what" value="{self.said}">
        <button name="by" value="a">A</button><input type="submit" name="by" value="b">
        <input name="no" disabled aria-label="No"><fieldset disabled><input name="n2"></fieldset>
        </form></section>
        <label for="gone">Gone</label><select multiple name="m"><option selected>1<option>2
        </select><input name="other" value="" aria-label="Other">{"x" if self.on else ""}"""


def test_events_bubble_stop_and_reach_what_is_outside() -> None:
    page = live(Odd)
    assert page.click("Out").state["said"] == "outer"
    assert page.click("In").state["said"] == "inner"
    assert page.click("On").state["on"] is True
    assert page.change("On", False).state["on"] is False
    assert page.submit("b").state["said"] == "away"
    page.type("what", "").submit("b")
    assert page.state["said"] == "b"
    assert page.click("[type=submit]").state["said"] == "b"
    with pytest.raises(DriveError, match="can't be changed by visitors"):
        page.type("No", "x")
    assert page.click("Gone").state["said"] == "away"
    with pytest.raises(DriveError, match="expected a form, or what is in one"):
        page.submit("#outer")
    assert repr(page).startswith("<LivePage 'In Out")
    page.change("m", ["1", "2"])


def test_a_call_that_can_not_be_read_is_told() -> None:
    class Torn(Component):
        @exposed
        def say(self, what: str = "") -> None: ...

        def render(self) -> str:
            return WRITTEN

    with pytest.raises(ComponentError, match="can't be read"):
        live(Torn)
    inside = f'<div id="asok-c" data-asok-state="x">{WRITTEN}</div>'
    document = Document(LexborHTMLParser(inside))
    with pytest.raises(DriveError, match="can't be read"):
        hear(document, document.css("form")[0], Event("submit", data={}), set())


def test_a_page_that_was_left_says_so() -> None:
    page = live(Counter)
    page.close()
    with pytest.raises(DriveError, match="the page was left"):
        page.click("Add 1")


def test_components_of_the_same_module_are_found_by_name_and_others_are_not() -> None:
    class Outer(Component):
        inner: str = "Counter"

        def render(self) -> str:
            return self.html("outer.html")

    templates = {"outer.html": "{{ component(inner, start=2) }}"}
    page = live(Outer, templates=templates)
    assert page.click("Add 1").find("h3").text == "Count: 3"
    with pytest.raises(ComponentError, match="there is no component 'Gone'"):
        live(Outer, inner="Gone", templates=templates)

    class Gone(Component):
        start: int

        def render(self) -> str:
            return f"given {self.start}"

    page = live(Outer, inner="Gone", templates=templates, components=[Gone])
    assert page.text == "given 2"
