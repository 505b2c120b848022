from __future__ import annotations

import pytest

from asok.pages.links import Answer, LinkCheck, nearest

PAGES = {
    "/": b'<a href="/about#team"><a href="/gone"><a href="mailto:a@b"><a href="/old">',
    "/about": b'<h2 id="team"></h2><a href="#none"><a href="more"><a href="/about#tean">',
    "/script": b"<script>location.href = '/gone'</script>",
    "/form": b'<form method="post" action="/send"></form><form action="/send"></form>',
}


def ask(path: str, method: str) -> Answer:
    if path == "/old":
        return Answer(redirect="/about")
    if path == "/send":
        return Answer("" if method == "POST" else "/send answers POST, not GET")
    return Answer(page=path) if path in PAGES else Answer("no page answers it", "Did you mean /?")


def check(**options: str) -> LinkCheck:
    from asok.pages.outline import candidates

    made = LinkCheck(ask, **options)
    for path, body in PAGES.items():
        made.add(path, candidates(body))
    return made


def test_broken_links_are_named_with_page_and_element() -> None:
    found = {(one.page, str(one.link)): one for one in check().finish(PAGES.__getitem__)}
    assert set(found) == {
        ("/", '<a href="/gone">'),
        ("/about", '<a href="#none">'),
        ("/about", '<a href="more">'),
        ("/about", '<a href="/about#tean">'),
        ("/form", '<form action="/send">'),
    }
    assert found["/", '<a href="/gone">'].fix == "Did you mean /?"
    assert found["/about", '<a href="#none">'].problem == 'nothing on this page has id="none"'
    assert found["/about", '<a href="/about#tean">'].fix == "Did you mean #team?"


def test_redirects_are_told_and_not_broken() -> None:
    made = check()
    made.finish(PAGES.__getitem__)
    assert [(one.page, one.link.value, one.target) for one in made.redirected] == [
        ("/", "/old", "/about")
    ]


def test_each_path_is_asked_about_once() -> None:
    asked: list[str] = []

    def count(path: str, method: str) -> Answer:
        asked.append(path)
        return Answer(page=path)

    made = LinkCheck(count)
    for page in ("/a", "/b", "/c"):
        made.add(page, {"/x", "/x#y", "https://elsewhere.example"})
    assert asked == ["/x"]
    assert made.checked == 9


def test_pages_without_doubt_are_not_read() -> None:
    made = LinkCheck(lambda path, method: Answer(page=path))
    made.add("/a", {"/b"})

    def read(path: str) -> bytes:
        raise AssertionError(path)

    assert made.finish(read) == []


def test_form_of_a_dialog_is_sent_nowhere() -> None:
    body = b'<form method="dialog" action="/gone"></form>'
    made = LinkCheck(ask)
    made.add("/", {"/gone"})
    assert made.finish(lambda _: body) == []


def test_link_beside_the_mount_leads_out_of_the_site() -> None:
    made = LinkCheck(lambda path, method: Answer(), mount="/site")
    body = b'<a href="/about">'
    made.add("/", {"/about"})
    (broken,) = made.finish(lambda _: body)
    assert "leads out of the site, which lives under /site" in broken.problem
    assert "/site/about" in broken.fix


def test_target_of_a_built_redirect_is_a_link() -> None:
    made = LinkCheck(ask)
    assert made.redirects_to("/old", "/about") is None
    assert made.redirects_to("/old", "https://elsewhere.example") is None
    found = made.redirects_to("/old", "/gone")
    assert found is not None
    assert str(found.link) == '<redirect location="/gone">'


def test_redirects_in_a_circle_are_broken() -> None:
    targets = {"/a": "/b", "/b": "/c", "/c": "/b", "/d": "/e"}
    made = LinkCheck(lambda path, _: Answer(redirect=targets.get(path, "")))
    found = made.redirects_to("/a", "/b")
    assert found is not None
    assert found.problem == "redirects in a circle"
    assert made.redirects_to("/d", "/e") is None


@pytest.mark.parametrize(
    ("text", "near"),
    [("/abuot", "/about"), ("/docs/about", "/about"), ("/nothing/alike", ""), ("", "")],
)
def test_nearest_is_a_misspelling_or_the_same_last_part(text: str, near: str) -> None:
    assert nearest(text, ["/about", "/contact"]) == near


def test_nearest_of_very_many_looks_beside_it_only() -> None:
    known = [f"/blog/post-{number}" for number in range(5000)] + ["/about/us"]
    assert nearest("/about/uss", known) == "/about/us"
