"""Where a form's action leads, as a browser reads it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from asok.jinja.forms import Target, target
from asok.jinja.tag import DYNAMIC

KNOWN = {
    Target.SAME: [
        *("", "/", "/x", "/x//y", "x", "./x", "../x", "?a=b", "#a", "/x?u=https://other.example"),
        *("a/b:c", "?a:b", "1a:b", " /x ", "\t/x", "/&amp;x", "%2F%2Fother.example", ".a:b"),
        *("x y", "&#32;/x", "/ /other.example", "/;//other.example"),
    ],
    Target.FOREIGN: [
        *(
            "https://other.example",
            "HTTPS://other.example/x",
            "//other.example",
            "/\\other.example",
        ),
        *(
            "\\\\other.example",
            "\\/other.example",
            "javascript:a()",
            "mailto:a@b",
            "data:text/html,a",
        ),
        *(
            " //other.example",
            "/\t/other.example",
            "ht\ntps://other.example",
            "&#47;/other.example",
        ),
        *("\x01//other.example", "http&colon;//other.example", "a+b-c.1:x", "/&bsol;other.example"),
    ],
}
UNKNOWN = [
    *("*", "/*", "save*", "*/x", "h*ttps://x", "/\n*", " *", "a+b.c-1*", "&sol;*", "&#47;*"),
]
KNOWN_BEGINNING = ["/x*", "/x/*", "?*", "#*", "x/*", "./*", "../*", "/ *", "x?*", "1*"]


@pytest.mark.parametrize("action", KNOWN[Target.SAME])
def test_an_action_of_this_site(action: str) -> None:
    assert target(action) is Target.SAME


@pytest.mark.parametrize("action", KNOWN[Target.FOREIGN])
def test_an_action_of_another_site(action: str) -> None:
    assert target(action) is Target.FOREIGN


@pytest.mark.parametrize("action", UNKNOWN)
def test_an_action_whose_beginning_is_only_known_at_render(action: str) -> None:
    assert target(action.replace("*", DYNAMIC)) is Target.UNKNOWN


@pytest.mark.parametrize("action", KNOWN_BEGINNING)
def test_an_action_whose_beginning_is_known(action: str) -> None:
    assert target(action.replace("*", DYNAMIC)) is Target.SAME


def test_a_form_without_an_action_posts_to_its_own_page() -> None:
    assert target(None) is Target.SAME


RESOLVE = """actions => actions.map(action => {
  const page = new DOMParser().parseFromString(
    '<base href="https://site.example/dir/page"><form action="' + action + '"></form>',
    'text/html');
  return new URL(page.querySelector('form').getAttribute('action'), page.baseURI).origin;
})"""


@pytest.mark.browser
def test_chromium_resolves_them_the_same_way(chromium: Browser) -> None:
    tab = chromium.new_page()
    for kind, actions in KNOWN.items():
        origins: list[str] = tab.evaluate(RESOLVE, actions)
        same = {
            action: origin == "https://site.example"
            for action, origin in zip(actions, origins, strict=True)
        }
        assert set(same.values()) == {kind is Target.SAME}, same
    # Whatever a dynamic rest turns out to be, a known beginning keeps the form on the site.
    for rest in (
        "//other.example",
        "https://other.example",
        ":x",
        "\\other.example",
        "@other.example",
    ):
        filled = [action.replace("*", rest) for action in KNOWN_BEGINNING]
        assert set(tab.evaluate(RESOLVE, filled)) == {"https://site.example"}, rest
    tab.close()
