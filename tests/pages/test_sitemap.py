from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from asok.pages.sitemap import Entry, robots, sitemap

SPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def locations(data: bytes) -> list[str | None]:
    return [found.text for found in ElementTree.fromstring(data).iterfind(".//s:loc", SPACE)]


def test_every_page_stands_in_it_with_its_whole_address() -> None:
    entries = [Entry("/b?a&c"), Entry("/"), Entry("/caf%C3%A9'", 0.0)]
    files = sitemap(entries, "https://example.org/site")
    assert list(files) == ["sitemap.xml"]
    assert locations(files["sitemap.xml"]) == [
        "https://example.org/site/",
        "https://example.org/site/b?a&c",
        "https://example.org/site/caf%C3%A9'",
    ]
    assert b"<lastmod>1970-01-01T00:00:00Z</lastmod>" in files["sitemap.xml"]
    assert files["sitemap.xml"].count(b"lastmod") == 2
    assert b"&apos;" in files["sitemap.xml"]


def test_no_pages_are_an_empty_sitemap() -> None:
    assert locations(sitemap([], "https://example.org")["sitemap.xml"]) == []


def test_more_than_the_limit_is_split_and_listed() -> None:
    entries = [Entry(f"/{number}", float(number)) for number in range(5)]
    files = sitemap(entries, "https://example.org", max_urls=2)
    assert list(files) == ["sitemap.xml", "sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml"]
    root = ElementTree.fromstring(files["sitemap.xml"])
    assert root.tag.endswith("sitemapindex")
    assert locations(files["sitemap.xml"])[2] == "https://example.org/sitemap-3.xml"
    assert b"1970-01-01T00:00:04Z" in files["sitemap.xml"]
    assert len(locations(files["sitemap-3.xml"])) == 1


def test_bytes_are_limited_too() -> None:
    entries = [Entry("/" + str(number) * 100) for number in range(9)]
    files = sitemap(entries, "https://example.org", max_bytes=1500)
    assert len(files) > 2
    assert all(len(data) <= 1500 for name, data in files.items() if name != "sitemap.xml")


def test_order_of_the_entries_makes_no_difference() -> None:
    entries = [Entry("/b"), Entry("/a")]
    assert sitemap(entries, "https://e.org") == sitemap(entries[::-1], "https://e.org")


def test_robots_name_the_sitemap() -> None:
    assert robots("https://example.org").decode().splitlines() == [
        "User-agent: *",
        "Allow: /",
        "",
        "Sitemap: https://example.org/sitemap.xml",
    ]
    assert b"Disallow: /a%20b" in robots("https://example.org", ["/a b"])
