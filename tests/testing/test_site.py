"""Components and pages of a site, driven in their own surroundings."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from tests.site import load_site, write_site

from asok import Asok, Component
from asok.errors import DriveError
from asok.models import configured_database
from asok.testing import client, live, queries, rollback

FILES = {
    "src/models/note.py": """
        from asok import Model
        from asok.models import Mapped


        class Note(Model):
            text: Mapped[str]
        """,
    "src/components/Notes.py": """
        from models import Note

        from asok import Component, broadcast, exposed


        class Notes(Component):
            title: str = "Notes"
            subscriptions = ["notes"]

            @property
            def notes(self):
                return Note.query().order_by("id").get()

            @exposed
            def add(self, text: str):
                Note.create(text=text)
                broadcast("notes")
        """,
    "src/components/notes.html": """
        <h2>{{ title }} of {{ this.session.get("user_id", "nobody") }}</h2>
        <ul>{% for note in this.notes %}
        <li key="{{ note.id }}">{{ note.text }}</li>{% endfor %}</ul>
        <form ws-submit="add"><input name="text" aria-label="Text"><button>Add</button></form>
        <img src="{{ static('a.txt') }}">
        """,
    "src/partials/a.txt": "a",
    "src/pages/page.html": """
        {{ component('Notes') }}{{ component('Notes', title='Others', client='visible') }}
        """,
    "src/pages/admin/page.py": """
        def guard(request):
            if request.session.get("user_id") != 7:
                return request.redirect("/")

        GUARDS = [guard]


        def get(request):
            return request.html("../page.html")
        """,
    "src/pages/write/page.py": """
        from models import Note


        def get(request):
            return request.html("form.html", notes=Note.all())


        def post(request):
            Note.create(text=f"{request.form['text']} {request.form.get('how')}")
            return request.redirect("/write")
        """,
    "src/pages/write/form.html": """
        <form method="post" action="/write"><label>Text <input name="text"></label>
        <input type="hidden" name="how" value="quietly"><button>Keep</button></form>
        <form action="/write"><input name="q"></form>
        {% for note in notes %}<p>{{ note.text }}</p>{% endfor %}
        """,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asok]:
    """A site whose application is found as `app` in `wsgi`."""
    root = write_site(tmp_path_factory.mktemp("site"), FILES)
    made = load_site(root, debug=True, database_url=f"sqlite:///{root / 'db.sqlite3'}")
    configured_database().create_tables()
    module: Any = ModuleType("wsgi")
    module.app = made
    before = sys.modules.get("wsgi")
    sys.modules["wsgi"] = module
    yield made
    del sys.modules["wsgi"]
    if before is not None:
        sys.modules["wsgi"] = before


def component(name: str) -> type[Component]:
    return getattr(importlib.import_module(f"src.components.{name}"), name)


def test_a_class_lives_in_its_site(app: Asok) -> None:
    with rollback():
        ada = live(component("Notes"), user="Ada", title="List")
        other = live(component("Notes"), app=app)
        ada.submit("Add", {"text": "tea"})
        assert ada.find("h2").text == "List of Ada"
        assert [one.text for one in other.all("li")] == ["tea"]
        assert "/static/a.txt" in ada.html
        assert ada.session["user_id"] == "Ada"
        assert ada.reload().find("li").text == "tea"
    assert live(component("Notes"), page="/").all("li") == []


def test_a_whole_page_is_opened_with_all_its_components(app: Asok) -> None:
    with rollback():
        page = live("/", app=app, user=7)
        page.submit("Add", {"text": "milk"}, within="Others")
        assert [one.text for one in page.all("li")] == ["milk", "milk"]
        assert page.component("Notes", 1).state == {"title": "Others"}
    with pytest.raises(DriveError, match="/nowhere answered 404"):
        live("/nowhere", app=app)
    with pytest.raises(DriveError, match="expected a component class"):
        live("/")
    with pytest.raises(DriveError, match="gives its components their values"):
        live("/", app=app, title="x")


def test_guards_of_the_page_are_asked(app: Asok) -> None:
    page = live(component("Notes"), page="/admin", user=8)
    assert page.reloads == ["guard"]
    assert live(component("Notes"), page="/admin", user=7).reloads == []


def test_pages_are_asked_and_forms_are_sent(app: Asok) -> None:
    with rollback(), client(app) as visitor:
        answer = visitor.submit("/write", {"Text": "tea"}, form="Keep")
        assert answer.status_code == 200
        assert "<p>tea quietly</p>" in answer.text
        with pytest.raises(DriveError, match="no field"):
            visitor.submit("/write", {"Txt": "tea"}, form="Keep")
        assert visitor.submit("/write", {"q": "x"}, form="[name=q]").url.params["q"] == "x"
        assert visitor.post("/write", data={"text": "x"}).status_code == 403
    assert "tea" not in client(app).get("/write").text


def test_queries_are_counted_wherever_they_run(app: Asok) -> None:
    with queries() as ran:
        client(app).get("/write")
    assert len(ran) == 1, ran
    assert "note" in ran[0]


def test_what_a_site_has_itself_is_not_replaced(app: Asok, monkeypatch: Any) -> None:
    with pytest.raises(DriveError, match="lives in its site"):
        live(component("Notes"), templates={"notes.html": ""})

    class Notes(Component):
        def render(self) -> str:
            return "x"

    with pytest.raises(DriveError, match="another class than the site's Notes"):
        live(Notes, app=app)
    monkeypatch.setitem(sys.modules, "wsgi", ModuleType("wsgi"))
    with pytest.raises(DriveError, match="Pass it: live"):
        live(component("Notes"))
