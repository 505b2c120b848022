"""The pure parts of an export: file names, policies, and what hosts read."""

from __future__ import annotations

from pathlib import Path

import pytest

from asok.errors import CommandError
from asok.export.files import file_of, media_of
from asok.export.hosting import headers_file, redirect_page, redirects_file
from asok.export.policy import for_header, for_meta, joined, with_policy
from asok.export.writer import Writer

HTML = "text/html; charset=utf-8"
META = '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'">'


@pytest.mark.parametrize(
    ("path", "media", "folder", "flat"),
    [
        ("/", HTML, "index.html", "index.html"),
        ("/about", HTML, "about/index.html", "about.html"),
        ("/blog/café", HTML, "blog/café/index.html", "blog/café.html"),
        ("/old.html", HTML, "old.html", "old.html"),
        ("/feed.xml", "application/rss+xml", "feed.xml", "feed.xml"),
        ("/api/data", "application/json", "api/data", "api/data"),
    ],
)
def test_path_becomes_a_file(path: str, media: str, folder: str, flat: str) -> None:
    assert file_of(path, media, flat=False) == folder
    assert file_of(path, media, flat=True) == flat


def test_media_types_that_hosts_know() -> None:
    assert media_of("a/feed.XML") == "application/xml"
    assert media_of("api/data") == ""


def test_meta_leaves_out_what_only_headers_can_say() -> None:
    policy = "default-src 'self'; frame-ancestors 'self'; report-uri /x"
    assert for_meta(policy) == "default-src 'self'"
    assert for_header(policy) == "frame-ancestors 'self'; report-uri /x"


def test_joined_policy_allows_what_each_does() -> None:
    assert joined(
        ["script-src 'none'; a b", "script-src 'self' 'sha256-A'", "script-src 'self' 'sha256-B'"]
    ) == ("script-src 'self' 'sha256-A' 'sha256-B'; a b")
    assert joined(["object-src 'none'"]) == "object-src 'none'"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<head><title>x", f"<head>{META}<title>x"),
        ('<HEAD lang="x">\n<link>', f'<HEAD lang="x">{META}\n<link>'),
        (
            '<head>\n  <meta charset="utf-8">\n<link>',
            f'<head>\n  <meta charset="utf-8">{META}\n<link>',
        ),
        (
            '<head><title>x</title><meta http-equiv="a" content="b; charset=utf-8"><link>',
            f'<head><title>x</title><meta http-equiv="a" content="b; charset=utf-8">{META}<link>',
        ),
        ('<head><link><meta charset="utf-8">', f'<head>{META}<link><meta charset="utf-8">'),
        ("<!-- <head> --><head><p>", f"<!-- <head> --><head>{META}<p>"),
        ("<!doctype html><html lang=en><p>", f"<!doctype html><html lang=en>{META}<p>"),
        ("<header>x", f"{META}<header>x"),
        ("", META),
    ],
)
def test_policy_stands_before_all_that_it_governs(html: str, expected: str) -> None:
    assert with_policy(html, "default-src 'self'") == expected


def test_policy_can_not_leave_its_attribute() -> None:
    assert "&quot;&gt;&lt;b>" not in with_policy("", 'default-src "><b')
    assert 'content="default-src &quot;&gt;&lt;b"' in with_policy("", 'default-src "><b')


def test_headers_and_redirects_are_lines() -> None:
    rules = {"/*": [("A", "b"), ("C", "d")], "/none": []}
    assert headers_file(rules) == b"/*\n  A: b\n  C: d\n"
    assert redirects_file({"/b": ("/c", 308), "/a": ("https://e.org", 301)}) == (
        b"/a https://e.org 301\n/b /c 308\n"
    )


def test_redirect_page_sends_on_and_is_escaped() -> None:
    page = redirect_page('/a"><script>').decode()
    assert 'content="0; url=/a&quot;&gt;&lt;script&gt;"' in page
    assert "noindex" in page


def test_writer_refuses_one_file_for_two_pages(tmp_path: Path) -> None:
    out = Writer(tmp_path, compressed=False)
    out.write("a/index.html", b"x", "/a")
    with pytest.raises(CommandError, match=r"/a and /A would both be the file A/index\.html"):
        out.write("A/index.html", b"x", "/A")


def test_writer_refuses_a_file_that_is_a_folder(tmp_path: Path) -> None:
    out = Writer(tmp_path, compressed=False)
    out.write("data", b"{}", "/data")
    with pytest.raises(CommandError, match="a folder that is a file"):
        out.write("data/x/index.html", b"x", "/data/x")
    out.write("api/x/index.html", b"x", "/api/x")
    with pytest.raises(CommandError, match="api would be a file and a folder"):
        out.write("api", b"{}", "/api")


def test_writer_compresses_what_gets_smaller(tmp_path: Path) -> None:
    out = Writer(tmp_path, compressed=True)
    out.write("a.html", b"word " * 1000, "/a", media="text/html")
    out.write("b.html", b"word", "/b", media="text/html")
    out.write("c.png", b"word " * 1000, "/c", media="image/png")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.html",
        "a.html.br",
        "a.html.gz",
        "b.html",
        "c.png",
    ]
    assert out.count == 5
