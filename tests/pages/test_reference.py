from __future__ import annotations

import pytest

from asok.pages.reference import Reference, refer


@pytest.mark.parametrize(
    ("value", "path", "fragment"),
    [
        ("/about", "/about", ""),
        ("/about/", "/about/", ""),
        ("/", "/", ""),
        ("", "/blog/first", ""),
        ("#top", "/blog/first", ""),
        ("#", "/blog/first", ""),
        ("#part", "/blog/first", "part"),
        ("#caf%C3%A9", "/blog/first", "café"),
        ("#part:~:text=word", "/blog/first", "part"),
        ("#/in/the/browser", "/blog/first", ""),
        ("second", "/blog/second", ""),
        ("../about?x=1#part", "/about", "part"),
        ("/caf%C3%A9", "/café", ""),
        ("/a b", "/a b", ""),
        ("https://example.org/about", "/about", ""),
        ("HTTPS://Example.org/about", "/about", ""),
        ("//example.org/about", "/about", ""),
        ("https://example.org", "/", ""),
    ],
)
def test_link_leads_to_a_path_of_the_site(value: str, path: str, fragment: str) -> None:
    found = refer(value, "/blog/first", origin="https://example.org")
    assert found is not None
    assert (found.path, found.fragment, found.inside) == (path, fragment, True)


@pytest.mark.parametrize(
    "value",
    [
        "https://other.example/",
        "//other.example/x",
        "http://example.org/",
        "mailto:a@b.example",
        "javascript:void 0",
        "data:,x",
        "tel:+1",
        "http://[::1/x",
    ],
)
def test_link_to_elsewhere_is_none(value: str) -> None:
    assert refer(value, "/", origin="https://example.org") is None
    assert refer("https://example.org/x", "/") is None


def test_answer_of_a_relative_link_depends_on_its_page() -> None:
    assert refer("x", "/a/b") == Reference("/a/x", here=True)
    assert refer("/x", "/a/b") == Reference("/x")


def test_path_is_below_the_mount() -> None:
    assert refer("/site/about", "/", mount="/site") == Reference("/about")
    assert refer("/site", "/", mount="/site") == Reference("/")
    assert refer("about", "/", mount="/site") == Reference("/about", here=True)
    assert refer("/sitemap", "/", mount="/site") == Reference("/sitemap", inside=False)
