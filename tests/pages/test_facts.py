from __future__ import annotations

from pathlib import Path

from asok.holes import Holed
from asok.pages import Rendered, StoredPage, encode
from asok.pages.facts import FILE_NAME, FactsBook
from asok.pages.stored import Record


def record(path: str, body: bytes) -> Record:
    page = StoredPage.make(
        Rendered(200, [], Holed((body,))), path=path, pattern=path, params={}, rendered_at=0
    )
    return encode(page)[0]


def book(folder: Path | None, now: float, **pages: bytes) -> FactsBook:
    made = FactsBook(folder, now=now)
    for name, body in pages.items():
        made.add(record(f"/{name}", body), lambda body=body: body)
    if folder is not None:
        (folder / FILE_NAME).write_bytes(made.encode())
    return made


def test_unchanged_page_is_not_read_again(tmp_path: Path) -> None:
    assert book(tmp_path, 1.0, a=b'<a href="/x">', b=b"<p>").read == 2
    again = book(tmp_path, 2.0, a=b'<a href="/x">', b=b'<meta name="robots" content="none">')
    assert again.read == 1
    assert again.links(again.pages["/a"]) == {"/x"}
    assert again.pages["/b"].noindex


def test_change_is_known_from_the_second_build_on(tmp_path: Path) -> None:
    first = book(tmp_path, 1.0, a=b"one", b=b"one")
    assert [facts.changed for facts in first.pages.values()] == [None, None]
    second = book(tmp_path, 2.0, a=b"two", b=b"one", c=b"new")
    assert [facts.changed for facts in second.pages.values()] == [2.0, None, 2.0]
    third = book(tmp_path, 3.0, a=b"two", b=b"one", c=b"newer")
    assert [facts.changed for facts in third.pages.values()] == [2.0, None, 3.0]


def test_new_name_of_an_asset_is_no_change_of_the_text(tmp_path: Path) -> None:
    book(tmp_path, 1.0, a=b'<link href="/static/a-0123456789ab.css">')
    later = book(tmp_path, 2.0, a=b'<link href="/static/a-ba9876543210.css">')
    assert later.read == 1
    assert later.pages["/a"].changed is None


def test_damaged_file_counts_as_none(tmp_path: Path) -> None:
    book(tmp_path, 1.0, a=b"one")
    (tmp_path / FILE_NAME).write_bytes(b"\xff")
    assert book(tmp_path, 2.0, a=b"two").pages["/a"].changed is None
    assert book(None, 2.0, a=b"two").read == 1


def test_links_that_no_page_has_any_more_leave(tmp_path: Path) -> None:
    for number in range(20):
        made = book(
            tmp_path,
            float(number),
            a=b'<a href="/stays"><img src="/too">',
            b=f'<a href="/{number}"><a href="/too">'.encode(),
            **{f"c{number}": b'<a href="/gone">'},
        )
        assert made.links(made.pages["/a"]) == {"/stays", "/too"}
        assert made.links(made.pages["/b"]) == {f"/{number}", "/too"}
    assert len((tmp_path / FILE_NAME).read_bytes()) < 400
    again = book(tmp_path, 20.0, a=b'<a href="/stays"><img src="/too">')
    assert again.links(again.pages["/a"]) == {"/stays", "/too"}
