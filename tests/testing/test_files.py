"""Files in the forms of components and pages that tests drive."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.site import load_site, write_site

from asok import Component, Upload, exposed
from asok.errors import CallRefused, DriveError
from asok.testing import client, live


class Album(Component):
    told: str = ""

    def validate_cover(self, cover: Upload | None) -> None:
        if cover is not None and not cover.content_type.startswith("image/"):
            raise ValueError("Choose a picture.")

    @exposed
    def put(self, title: str, cover: Upload | None = None, more: list[Upload] = []) -> None:  # noqa: B006
        names = [f"{one.filename} {one.content_type} {len(one.read())}" for one in more]
        self.told = f"{title}: {cover.filename if cover else 'none'}, {names}"

    @exposed
    def blind(self, title: str) -> None: ...

    @exposed
    def look(self, value: str) -> None:
        self.told = value

    def render(self) -> str:
        return f"""<form ws-submit="put"><input name="title"><label>Cover
        <input type="file" name="cover" ws-change="look"></label>
        <input type="file" name="more" multiple><button>Put</button></form>
        <form ws-submit="blind" id="blind"><input name="title"><input type="file" name="own"></form>
        <p>{self.told}</p>"""


def test_a_form_brings_the_files_that_a_test_chooses(tmp_path: Path) -> None:
    page = live(Album).submit("Put", {"title": "a"})
    assert page.find("p").text == "a: none, []"
    page.submit("Put", {"title": "b", "Cover": ("b.txt", b"text")})
    assert page.errors == {"cover": "Choose a picture."}
    (tmp_path / "c.png").write_bytes(b"png")
    more = [tmp_path / "c.png", ("d", b"1234", "text/css")]
    page.submit("Put", {"title": "c", "Cover": tmp_path / "c.png", "more": more})
    assert page.errors == {}
    assert page.find("p").text == "c: c.png, ['c.png image/png 3', 'd text/css 4']"
    assert page.submit("Put", {"title": "d"}).find("p").text == "d: none, []"
    assert page.change("Cover", ("e.png", b"")).find("p").text == "e.png"
    with pytest.raises(CallRefused, match="takes no file 'own'"):
        page.submit("#blind", {"own": ("a.txt", b"")})
    with pytest.raises(DriveError, match="a file field got 3"):
        page.change("Cover", 3)


SITE = {
    "src/pages/page.py": """
        def get(request):
            return request.html("form.html")


        def post(request):
            files = [one.filename + one.read().decode() for one in request.files.getlist("scan")]
            return f"{request.form['title']} {files}"
        """,
    "src/pages/form.html": """
        <form method="post" enctype="multipart/form-data">
        <input name="title"><input type="file" name="scan"></form>
        """,
}


def test_the_form_of_a_page_brings_files_too(tmp_path: Path) -> None:
    app = load_site(write_site(tmp_path, SITE))
    with client(app) as visitor:
        assert visitor.submit("/", {"title": "a"}).text == "a []"
        answer = visitor.submit("/", {"title": "b", "scan": ("x.txt", b"yes")})
    assert answer.text == "b ['x.txtyes']"
