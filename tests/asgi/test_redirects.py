"""Where redirects lead: below the mount, back where a visitor came from, never away unasked."""

from __future__ import annotations

import pytest

from asok.asgi.redirects import back_path, redirect_target
from asok.errors import AsokError


@pytest.mark.parametrize("mount", ["", "/site"])
def test_a_path_is_one_below_the_mount(mount: str) -> None:
    def target(url: str) -> str:
        return redirect_target(url, mount=mount, external=False)

    assert target("/a?b=c#d") == f"{mount}/a?b=c#d"
    assert target("/") == f"{mount}/"
    assert target("?page=2") == "?page=2"
    assert target("#top") == "#top"
    assert target("") == ""


@pytest.mark.parametrize(
    ("url", "external", "message"),
    [
        ("//evil.example", False, "not a path of this site"),
        ("/\\evil.example", False, "not a path of this site"),
        ("https://evil.example", False, "external=True"),
        ("javascript:1", False, "not a path of this site"),
        ("javascript:1", True, "expected an http or https URL"),
        ("//evil.example", True, "expected an http or https URL"),
        ("/a b", True, "spaces or control characters"),
        ("/a\r\nset-cookie: x", False, "spaces or control characters"),
    ],
)
def test_what_is_no_path_is_refused(url: str, external: bool, message: str) -> None:
    with pytest.raises(AsokError, match=message):
        redirect_target(url, mount="", external=external)


def test_another_site_is_led_to_where_that_is_meant() -> None:
    url = "https://example.org/x"
    assert redirect_target(url, mount="/site", external=True) == url


@pytest.mark.parametrize(
    ("referer", "path"),
    [
        ("http://localhost/site/a?b=c", "/a?b=c"),
        ("http://localhost/site", "/"),
        ("http://localhost/site/", "/"),
        ("http://localhost/sitemap", None),
        ("http://localhost/", None),
        ("http://localhost/site//evil.example", None),
        ("http://localhost/site/\\evil", None),
        ("http://localhost:81/site/a", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_back_stays_on_the_site(referer: str, path: str | None) -> None:
    assert back_path(referer, host="localhost", mount="/site") == path


def test_back_of_a_site_at_the_root() -> None:
    assert back_path("http://localhost/a", host="localhost", mount="") == "/a"
    assert back_path("http://localhost", host="localhost", mount="") == "/"
