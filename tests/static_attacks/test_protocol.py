"""Methods, conditionals, encodings and ranges (RFC 9110), over the wire."""

from __future__ import annotations

import gzip
import time

import pytest

from .sites import Site


def test_only_get_and_head_read(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get"):
        answer = site.file("style.css", method)
        # 400: a server that takes no method in lower case.
        assert answer.status in ((405, 400) if method == "get" else (405,)), method
        if answer.status == 405:
            assert answer.header("allow") == "GET, HEAD, OPTIONS"
            assert site.get(site.prefixes[0] + "/absent.css", method).status == 405
    options = site.file("style.css", "OPTIONS")
    assert (options.status, options.header("allow")) == (204, "GET, HEAD, OPTIONS")


def test_head_is_get_without_the_body(site: Site) -> None:
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        get, head = (site.file("style.css", method, headers) for method in ("GET", "HEAD"))
        assert head.stable == (200, get.stable[1], b"")


def test_etags_are_compared_as_they_should_be(site: Site) -> None:
    whole = site.file("style.css")
    tag = whole.header("etag")
    assert tag is not None
    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"x", {tag}', f'W/"x",{tag},"y"', "*", f', , {tag} ,"b,c"'):
        answer = site.file("style.css", headers={"If-None-Match": known})
        assert (answer.status, answer.body) == (304, b""), known
        for name in ("cache-control", "etag", "expires", "vary"):
            assert name == "expires" or answer.header(name) == whole.header(name), name
    for other in ('"x"', 'W/"x"', tag.strip('"'), f"x{tag}", '"*"', "", f'"{tag}'):
        assert site.file("style.css", headers={"If-None-Match": other}).status == 200, other
    assert site.file("style.css", headers={"If-Match": tag}).status == 200
    for other in ('"x"', f"W/{tag}"):
        assert site.file("style.css", headers={"If-Match": other}).status == 412


def test_dates_count_only_where_there_is_no_tag(site: Site) -> None:
    modified = site.file("style.css").header("last-modified")
    if modified is None:  # a name with a digest: its tag says all there is to say
        for date in ("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 31 Dec 2099 23:59:59 GMT"):
            assert site.file("style.css", headers={"If-Modified-Since": date}).status == 200
        return
    same = {"If-Modified-Since": modified}
    assert site.file("style.css", headers=same).status == 304
    assert site.file("style.css", headers={**same, "If-None-Match": '"x"'}).status == 200
    early = "Thu, 01 Jan 1970 00:00:00 GMT"
    for date in (early, "yesterday", "0", "9" * 5000):
        assert site.file("style.css", headers={"If-Modified-Since": date}).status == 200
    assert site.file("style.css", headers={"If-Unmodified-Since": early}).status == 412


def test_each_encoding_has_its_own_tag(site: Site) -> None:
    plain = site.file("style.css")
    tags = {plain.header("etag")}
    for accepted in ("gzip", "br", "zstd", "gzip, br", "*"):
        answer = site.file("style.css", headers={"Accept-Encoding": accepted})
        coding = answer.header("content-encoding")
        # Pyramid has the one that the user made, Asok what is worth it.
        assert coding in {"gzip", "br", "zstd", None}
        if coding is not None:
            tags.add(answer.header("etag"))
            assert answer.header("vary") == plain.header("vary") == "Accept-Encoding"
            if coding == "gzip" and site.name == "asok-production":
                assert gzip.decompress(answer.body).startswith(b"a")
    # A build makes what is worth it, Pyramid has the one that the user made.
    made = {"asok-production": 4, "asok-release": 4, "asok-development": 1}
    assert len(tags) == made.get(site.name, 2)


@pytest.mark.parametrize(
    "accepted",
    ["gzip;q=0", "gzip;q=0.0, br;q=0", "identity", "", "gzip;q=0, *;q=0", "deflate", "gzip;q=x"],
)
def test_what_is_not_accepted_is_not_sent(site: Site, accepted: str) -> None:
    answer = site.file("style.css", headers={"Accept-Encoding": accepted})
    assert answer.header("content-encoding") is None
    assert answer.body.startswith(b"a")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-0", 0, 0), ("1-4", 1, 4), ("100-", 100, -1), ("-5", -5, -1), ("0-999999", 0, -1)],
)
def test_one_range_is_a_part(site: Site, asked: str, first: int, last: int) -> None:
    whole = site.file("style.css").body
    size = len(whole)
    first, last = first % size, last % size
    answer = site.file("style.css", headers={"Range": f"bytes={asked}"})
    assert (answer.status, answer.body) == (206, whole[first : last + 1])
    assert answer.header("content-range") == f"bytes {first}-{last}/{size}"
    head = site.file("style.css", "HEAD", {"Range": f"bytes={asked}"})
    assert (head.status, head.header("content-length")) == (200, str(size))


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416(site: Site, asked: str) -> None:
    size = len(site.file("style.css").body)
    answer = site.file("style.css", headers={"Range": asked})
    assert (answer.status, answer.header("content-range")) == (416, f"bytes */{size}")
    assert site.file("empty.txt", headers={"Range": "bytes=0-"}).status == 416


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,4-1", "bytes=4-1", "lines=0-1", "bytes=a-b", "bytes=", "bytes=--1", "bytes=0-1x",
     "bytes=" + "9" * 4000 + "-", "bytes=0-" + "9" * 4000],
)  # fmt: skip
def test_any_other_range_is_the_whole(site: Site, asked: str) -> None:
    answer = site.file("style.css", headers={"Range": asked})
    assert answer.status == 200
    assert answer.header("content-range") is None


def test_several_ranges_are_parts_of_one_answer(site: Site) -> None:
    for name in ("style.css", "big.bin"):  # from memory, and from the disk
        whole = site.file(name).body
        size = len(whole)
        answer = site.file(name, headers={"Range": "bytes=-4, 0-9"})
        assert answer.status == 206
        kind, _, boundary = (answer.header("content-type") or "").partition("; boundary=")
        assert kind == "multipart/byteranges"
        assert answer.header("content-range") is None
        first, *parts, end = answer.body.split(b"--" + boundary.encode())
        assert (first, end) == (b"", b"--\r\n")
        heads, bodies = zip(*(part.split(b"\r\n\r\n", 1) for part in parts), strict=True)
        assert bodies == (whole[-4:] + b"\r\n", whole[:10] + b"\r\n")
        assert f"content-range: bytes {size - 4}-{size - 1}/{size}".encode() in heads[0].lower()
        assert f"content-range: bytes 0-9/{size}".encode() in heads[1].lower()


def test_a_range_holds_for_the_very_bytes_of_its_tag(site: Site) -> None:
    tag = site.file("style.css").header("etag")
    for held, status in ((tag, 206), (f"W/{tag}", 200), ('"x"', 200), ("yesterday", 200)):
        headers = {"Range": "bytes=0-0", "If-Range": str(held)}
        assert site.file("style.css", headers=headers).status == status, held


def test_long_headers_take_linear_time(site: Site) -> None:
    """CVE-2025-62727. Servers refuse them from 8 KB (gunicorn) to 256 KB (waitress) on."""

    def seconds(length: int) -> float:
        many = ",".join(f"{n}-{n}" for n in range(length))
        started = time.perf_counter()
        for name, value in (
            ("Range", f"bytes={many}"),
            ("If-None-Match", '"' * length),
            ("If-None-Match", '"a",' * (length // 4)),
            ("Accept-Encoding", "gzip;q=0," * (length // 9)),
        ):
            assert site.file("style.css", headers={name: value}).status in {200, 400, 431}
        return time.perf_counter() - started

    # Not a measure of speed: a quadratic reader of 100 KB takes minutes, and this is a second.
    assert seconds(17_000) < 10


def test_no_header_ever_holds_what_was_asked(site: Site) -> None:
    hostile = "bytes=0-1%0d%0aX-Injected: y"
    for prefix in site.prefixes:
        for path in ("/style.css", "/app.js%0d%0aX-Injected:%20y", "/deep?a=%0d%0aX-Injected:%20y"):
            answer = site.get(prefix + path, headers={"Range": hostile, "If-None-Match": hostile})
            assert answer.header("x-injected") is None
