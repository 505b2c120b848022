"""Files in the forms of components: with and without JavaScript the same POST."""

from __future__ import annotations

import html
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import load_site, write_site

SITE = {
    "src/components/Album.py": """\
        from asok import Component, Upload
        from asok.component import exposed

        class Album(Component):
            names: list[str] = []

            def validate_photo(self, photo: Upload | None):
                if photo and not photo.content_type.startswith("image/"):
                    raise ValueError("Choose a picture.")

            @exposed
            def put(self, photo: Upload, title: str = "", tags: list[str] = []):
                size = len(photo.read())
                self.names = [*self.names, f"{title} {photo.filename} {size} {tags}".strip()]

            @exposed
            def several(self, photos: list[Upload]):
                self.names = [photo.filename for photo in photos]

            @exposed
            def maybe(self, photo: Upload | None = None):
                self.names = [photo.filename if photo else "nothing"]

            @exposed
            def rename(self, title: str, others=None):
                self.names = [title]

            def render(self):
                return self.html("album.html")
        """,
    "src/components/album.html": """\
        <p>{{ names|join("; ") }}</p>{% if errors.photo %}<i>{{ errors.photo }}</i>{% endif %}
        <form ws-submit="put"><input type="file" name="photo"><input name="title"></form>
        <form ws-submit="rename" enctype="text/plain"><input name="title"></form>
        """,
    "src/pages/page.html": "{{ component('Album') }}",
    ".env": "MAX_CONTENT_LENGTH=1M\n",
}
PNG = ("a.png", b"x" * 300_000, "image/png")
TEXT = ("b.txt", b"text", "text/plain")
NOTHING = ("", b"", "application/octet-stream")


@pytest.fixture
def browser(tmp_path: Path) -> Generator[TestClient]:
    app = load_site(write_site(tmp_path, SITE))
    headers = {"sec-fetch-site": "same-origin"}
    with TestClient(app, base_url="http://localhost", headers=headers) as client:
        yield client


def send(
    browser: TestClient,
    call: str,
    *files: tuple[str, tuple[str, bytes, str]],
    accept: str = "text/html",
    **fields: str | list[str],
) -> tuple[int, str]:
    """Send a component's form; return the status and the page that the visitor is led to."""
    found = re.search(r'data-asok-state="([^"]+)"', browser.get("/").text)
    assert found is not None
    answer = browser.post(
        "/asok/live",
        data={"asok-state": html.unescape(found[1]), "asok-call": call, **fields},
        files=[*files, ("none", NOTHING)],
        headers={"accept": accept},
        follow_redirects=False,
    )
    if answer.status_code != 303:
        return answer.status_code, answer.text
    return 303, browser.get(answer.headers["location"]).text


def test_a_form_with_a_file_field_says_how_it_is_sent(browser: TestClient) -> None:
    page = browser.get("/").text
    assert page.count('enctype="multipart/form-data"') == 1
    assert page.count('enctype="text/plain"') == 1


def test_a_file_reaches_the_parameter_that_is_annotated(browser: TestClient) -> None:
    status, page = send(browser, "put", ("photo", PNG), title="Sea", tags="blue")
    assert (status, "Sea a.png 300000 [&#39;blue&#39;]" in page) == (303, True)
    assert "a.png; b.png" in send(
        browser, "several", *(("photos", (name, b"x", "image/png")) for name in ("a.png", "b.png"))
    )[1]  # fmt: skip
    assert "<p>one.png</p>" in send(browser, "several", ("photos", ("one.png", b"", "x/y")))[1]
    assert "<p></p>" in send(browser, "several", ("photos", NOTHING))[1]
    assert "<p>nothing</p>" in send(browser, "maybe", ("photo", NOTHING))[1]


def test_what_is_wrong_with_a_file_is_said_beside_its_field(browser: TestClient) -> None:
    assert "<i>Choose a picture.</i>" in send(browser, "put", ("photo", TEXT))[1]
    assert "<i>Must be filled in.</i>" in send(browser, "put", ("photo", NOTHING))[1]
    assert "<i>This does not fit.</i>" in send(browser, "put", photo="a text")[1]
    assert "<i>" not in send(browser, "put", ("photo", PNG))[1]


def test_only_declared_files_within_the_limit_are_taken(
    browser: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for call, field in [("rename", "others"), ("rename", "more"), ("gone", "photo")]:
        status, told = send(browser, call, (field, PNG), title="x")
        assert (status, told) == (400, "This form may not send that file.\n")
        assert f"takes no file '{field}'" in caplog.text, "which is told where its author looks"
    assert send(browser, "rename", ("title", PNG))[0] == 303  # a text is no file: said beside it
    assert "a.png" not in browser.get("/").text
    big = ("big.png", b"x" * 1_100_000, "image/png")
    assert send(browser, "put", ("photo", big))[0] == 413
    assert send(browser, "put", ("photo", PNG), title="x" * 70_000)[0] == 413
    assert "a.png" not in browser.get("/").text


def test_a_script_is_answered_with_frames(browser: TestClient) -> None:
    status, told = send(browser, "put", ("photo", PNG), accept="application/json")
    assert (status, told.startswith("[["), "a.png 300000" in told) == (200, True, True)
