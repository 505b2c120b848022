"""RFC 9110 over both modes: methods, conditionals, ranges, encodings."""

from __future__ import annotations

import email
import email.policy
from email.utils import formatdate
from pathlib import Path

import brotli  # pyright: ignore[reportMissingTypeStubs]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asok.assets import Assets, DiskAssets, ManifestAssets, Plan, build_assets
from asok.assets.ranges import UNSATISFIABLE, wanted_ranges

from .conftest import CSS, FONT, ask, content, header


@pytest.fixture
def css(assets: Assets) -> str:
    return assets.url("css/base.css")


@pytest.fixture
def font(assets: Assets) -> str:
    return assets.url("fonts/a.woff2")


def etag(plan: Plan) -> str:
    tag = header(plan, "etag")
    assert tag is not None
    return tag


def test_a_file_comes_whole_with_its_headers(assets: Assets, font: str) -> None:
    plan = ask(assets, font)
    assert plan.status == 200
    assert content(plan) == FONT
    assert header(plan, "content-length") == str(len(FONT))
    assert header(plan, "content-type") == "font/woff2"
    assert header(plan, "x-content-type-options") == "nosniff"
    assert header(plan, "access-control-allow-origin") == "*"
    assert header(plan, "accept-ranges") == "bytes"


def test_head_has_the_headers_of_get_and_no_body(assets: Assets, css: str) -> None:
    for path in (css, "/static/absent.css"):
        got, head = ask(assets, path), ask(assets, path, "HEAD")
        assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


def test_options_names_the_methods(assets: Assets, css: str) -> None:
    plan = ask(assets, css, "OPTIONS")
    assert plan.status == 204
    assert header(plan, "allow") == "GET, HEAD, OPTIONS"
    assert plan.body == b""


def test_an_empty_file_is_served(assets: Assets) -> None:
    plan = ask(assets, assets.url("empty.txt"))
    assert (plan.status, content(plan)) == (200, b"")
    assert header(plan, "content-length") == "0"


def test_the_query_changes_nothing(assets: Assets, css: str) -> None:
    assert ask(assets, css, query="v=1").headers == ask(assets, css).headers


@pytest.mark.parametrize(
    "form", ["{0}", "W/{0}", '"x", {0}', '"x,y",{0} ,"z"', "*", ' "a" , W/{0}']
)
def test_if_none_match_with_the_tag_is_304(assets: Assets, css: str, form: str) -> None:
    whole = ask(assets, css)
    for method in ("GET", "HEAD"):
        plan = ask(assets, css, method, if_none_match=form.format(etag(whole)))
        assert (plan.status, plan.body) == (304, b"")
        assert etag(plan) == etag(whole)
        assert header(plan, "cache-control") == header(whole, "cache-control")
        assert header(plan, "vary") == header(whole, "vary")
        assert header(plan, "content-length") is None
        assert header(plan, "content-type") is None


@pytest.mark.parametrize("value", ['"other"', "unquoted", '"', "", '"x" "y"', "w/*", "* *"])
def test_if_none_match_without_the_tag_is_200(assets: Assets, css: str, value: str) -> None:
    assert ask(assets, css, if_none_match=value).status == 200


def test_a_tag_of_another_encoding_does_not_match(root: Path, tmp_path: Path) -> None:
    build_assets([root], tmp_path / "out")
    assets = ManifestAssets(tmp_path / "out")
    url = assets.url("css/base.css")
    tags = {
        coding: etag(ask(assets, url, accept_encoding=coding)) for coding in ("br", "gzip", "x")
    }
    assert len(set(tags.values())) == 3
    for coding, tag in tags.items():
        for other in tags:
            plan = ask(assets, url, accept_encoding=other, if_none_match=tag)
            assert plan.status == (304 if coding == other else 200)
            assert header(plan, "vary") == "Accept-Encoding"


def test_if_match_is_compared_strongly(assets: Assets, css: str) -> None:
    tag = etag(ask(assets, css))
    assert ask(assets, css, if_match=tag).status == 200
    assert ask(assets, css, if_match="*").status == 200
    assert ask(assets, css, if_match=f"W/{tag}").status == 412
    assert ask(assets, css, if_match='"other"').status == 412


def test_dates_count_where_no_tag_is_sent(root: Path) -> None:
    assets = DiskAssets([root])
    url, modified = "/static/css/base.css", int((root / "css" / "base.css").stat().st_mtime)
    at, before, after = (formatdate(modified + shift, usegmt=True) for shift in (0, -9, 9))
    assert header(ask(assets, url), "last-modified") == at
    for since, status in (
        (at, 304),
        (after, 304),
        (before, 200),
        ("nonsense", 200),
        (" " * 99, 200),
    ):
        assert ask(assets, url, if_modified_since=since).status == status
    for since, status in ((at, 200), (after, 200), (before, 412), ("nonsense", 200)):
        assert ask(assets, url, if_unmodified_since=since).status == status
    # A tag, matching or not, puts the date out of force.
    assert ask(assets, url, if_none_match='"x"', if_modified_since=after).status == 200
    assert ask(assets, url, if_match="*", if_unmodified_since=before).status == 200


def test_dates_do_not_count_in_production(root: Path, tmp_path: Path) -> None:
    build_assets([root], tmp_path / "out")
    assets = ManifestAssets(tmp_path / "out")
    future = "Fri, 31 Dec 9998 23:59:59 GMT"
    plan = ask(assets, assets.url("css/base.css"), if_modified_since=future)
    assert plan.status == 200
    assert header(plan, "last-modified") is None


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1024),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-99999", 1000, 1024),
        ("bytes=1023-", 1023, 1024),
        ("bytes=-1", 1023, 1024),
        ("bytes=-1024", 0, 1024),
        ("bytes=-99999", 0, 1024),
        ("BYTES= 1-2 ", 1, 3),
    ],
)
def test_a_single_range(assets: Assets, font: str, value: str, start: int, end: int) -> None:
    plan = ask(assets, font, range=value)
    assert plan.status == 206
    assert content(plan) == FONT[start:end]
    assert header(plan, "content-range") == f"bytes {start}-{end - 1}/{len(FONT)}"
    assert header(plan, "content-length") == str(end - start)
    assert etag(plan) == etag(ask(assets, font))


@pytest.mark.parametrize("value", ["bytes=1024-", "bytes=9999-10000", "bytes=-0"])
def test_a_range_behind_the_end_is_416(assets: Assets, font: str, value: str) -> None:
    plan = ask(assets, font, range=value)
    assert plan.status == 416
    assert header(plan, "content-range") == f"bytes */{len(FONT)}"


@pytest.mark.parametrize(
    "value",
    ["bytes=5-1", "bytes=0-1,5-1", "bytes=0-1,x", "bytes", "bytes=,", "bytes 0-1",
     "bytes=0-1,x=2-3", "bytes=-", "bytes=", "items=0-1", "bytes=a-b", "bytes=0x1-2",
     "bytes=1-2-3", "bytes=--1", "bytes=+1-2", "bytes=٣-٤".encode().decode("latin-1"), ""],
)  # fmt: skip
def test_any_other_range_is_the_whole(assets: Assets, font: str, value: str) -> None:
    plan = ask(assets, font, range=value)
    assert (plan.status, content(plan)) == (200, FONT)


def parts_of(plan: Plan) -> list[tuple[str, bytes]]:
    """The Content-Range and the bytes of each part, read by the standard library."""
    told = header(plan, "content-type")
    assert told is not None
    assert header(plan, "content-length") == str(len(content(plan)))
    assert header(plan, "content-range") is None
    head = f"MIME-Version: 1.0\r\nContent-Type: {told}\r\n\r\n"
    message = email.message_from_bytes(head.encode() + content(plan), policy=email.policy.HTTP)
    found: list[tuple[str, bytes]] = []
    for part in message.iter_parts():
        assert part["content-type"] == "font/woff2"
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append((part["content-range"], payload))
    return found


@pytest.mark.parametrize(
    ("value", "slices"),
    [
        ("bytes=0-1,500-509", [(0, 2), (500, 510)]),
        ("bytes=500-509, 0-1", [(500, 510), (0, 2)]),
        ("bytes=0-0,,\t-2 ,9999-", [(0, 1), (1022, 1024)]),
        ("bytes=0-9,600-610,5-20", [(0, 21), (600, 611)]),
        ("bytes=600-610,5-20,0-9,300-301", [(600, 611), (0, 21), (300, 302)]),
        # What lies between is less than a part of its own would cost.
        ("bytes=0-1,100-101,1000-1001", [(0, 102), (1000, 1002)]),
    ],
)
def test_several_ranges_are_parts(
    assets: Assets, font: str, value: str, slices: list[tuple[int, int]]
) -> None:
    plan = ask(assets, font, range=value)
    assert plan.status == 206
    assert etag(plan) == etag(ask(assets, font))
    wanted = [(f"bytes {a}-{b - 1}/{len(FONT)}", FONT[a:b]) for a, b in slices]
    assert parts_of(plan) == wanted


def test_several_ranges_of_a_large_file_are_read_from_the_disk(root: Path, tmp_path: Path) -> None:
    build_assets([root], tmp_path / "out")
    large = ManifestAssets(tmp_path / "out", largest=0)
    plan = ask(large, large.url("fonts/a.woff2"), range="bytes=-10,0-9")
    assert parts_of(plan) == [
        ("bytes 1014-1023/1024", FONT[-10:]),
        ("bytes 0-9/1024", FONT[:10]),
    ]


@pytest.mark.parametrize(
    ("value", "start", "end"), [("bytes=0-9,5-19", 0, 20), ("bytes=9999-,3-4", 3, 5)]
)
def test_what_is_left_of_several_ranges_may_be_one(
    assets: Assets, font: str, value: str, start: int, end: int
) -> None:
    plan = ask(assets, font, range=value)
    assert (plan.status, content(plan)) == (206, FONT[start:end])
    assert header(plan, "content-range") == f"bytes {start}-{end - 1}/{len(FONT)}"


def test_several_ranges_behind_the_end_are_416(assets: Assets, font: str) -> None:
    assert ask(assets, font, range="bytes=1024-,9999-10000,-0").status == 416


@pytest.mark.parametrize(
    "value",
    [
        "bytes=" + ",".join(["0-1023"] * 3),
        "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 1024, 200)) + ",0-",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(33)),
        "bytes=" + ",".join(f"{n}-{n}" for n in range(20_000)),
        "bytes=0-1" + "," * 100_000,
    ],
)
def test_too_many_ranges_or_too_much_are_the_whole(assets: Assets, font: str, value: str) -> None:
    """CVE-2025-62727, CVE-2011-3192: neither the time nor the answer grows with the header."""
    plan = ask(assets, font, range=value)
    assert (plan.status, content(plan)) == (200, FONT)


@given(
    size=st.integers(0, 3000),
    asked=st.lists(
        st.one_of(
            st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
            st.tuples(st.none(), st.integers(0, 4000)),
            st.tuples(st.integers(0, 4000), st.none()),
        ),
        min_size=1,
        max_size=12,
    ),
)
def test_ranges_hold_every_byte_that_was_asked_for_once(
    size: int, asked: list[tuple[int | None, int | None]]
) -> None:
    specs = [f"{'' if a is None else a}-{'' if b is None else b}" for a, b in asked]
    found = wanted_ranges("bytes=" + ",".join(specs), size)
    if any(a is not None and b is not None and b < a for a, b in asked):
        assert found is None
        return
    wanted: set[int] = set()
    for a, b in asked:
        if a is None:
            wanted.update(range(max(size - (b or 0), 0), size))
        else:
            wanted.update(range(a, min(size - 1 if b is None else b, size - 1) + 1))
    if isinstance(found, list):
        sent = [place for start, length in found for place in range(start, start + length)]
        assert len(sent) == len(set(sent))
        assert wanted <= set(sent) <= set(range(size))
        assert all(length > 0 for _, length in found)
    else:
        assert (found is UNSATISFIABLE) is not wanted or found is None


def test_a_kept_answer_is_the_one_that_is_worked_out(root: Path, tmp_path: Path) -> None:
    build_assets([root], tmp_path / "out")
    assets = ManifestAssets(tmp_path / "out", largest=1025)
    for name in ("css/base.css", "fonts/a.woff2"):
        url = assets.url(name)
        for accepted in (None, b"br", b"gzip, x;q=0", b"identity", b"x" * 2000):
            given = {b"host": b"x", **({b"accept-encoding": accepted} if accepted else {})}
            whole = assets.plan("GET", url, "", given.items())
            kept = assets.ready(url, given)
            assert kept is None or kept == whole
            assert (kept is None) is (name.endswith("css") and len(accepted or b"") > 1024)
            for asked, value in ((b"if-none-match", b'"x"'), (b"range", b"bytes=0-0")):
                assert assets.ready(url, {**given, asked: value}) is None
    assert assets.ready("/static/absent.css", {}) is None
    # Neither what is read from the disk each time, nor what is there in development.
    large = ManifestAssets(tmp_path / "out", largest=0)
    url = large.url("fonts/a.woff2")
    assert ask(large, url).status == 200
    assert large.ready(url, {}) is None
    assert DiskAssets([root]).ready("/static/css/base.css", {}) is None


def test_made_up_headers_fill_no_memory_and_hide_no_kept_answer(root: Path, tmp_path: Path) -> None:
    build_assets([root], tmp_path / "out")
    assets = ManifestAssets(tmp_path / "out")
    url = assets.url("css/base.css")
    made_up = [f"gzip, x{number}" for number in range(1000)] + ["br" + ", x" * 30]
    for accepted in made_up:
        assert header(ask(assets, url, accept_encoding=accepted), "vary") == "Accept-Encoding"
    ready = [assets.ready(url, {b"accept-encoding": accepted.encode()}) for accepted in made_up]
    assert sum(plan is not None for plan in ready) <= 8
    for usual in ({}, {b"accept-encoding": b"gzip, deflate, br, zstd"}):
        whole = assets.plan("GET", url, "", usual.items())
        assert whole is not None
        assert assets.ready(url, usual) is whole


def test_ranges_are_for_get(assets: Assets, font: str) -> None:
    assert ask(assets, font, "HEAD", range="bytes=0-1").status == 200


def test_if_range_guards_against_parts_of_other_bytes(assets: Assets, font: str) -> None:
    tag = etag(ask(assets, font))
    for held, status in (
        (tag, 206),
        (f" {tag} ", 206),
        (f"W/{tag}", 200),
        ('"other"', 200),
        ("nonsense", 200),
        (formatdate(0, usegmt=True), 200),
    ):
        assert ask(assets, font, range="bytes=0-1", if_range=held).status == status


def test_if_range_takes_the_exact_date(root: Path) -> None:
    assets = DiskAssets([root])
    date = header(ask(assets, "/static/fonts/a.woff2"), "last-modified")
    assert date is not None
    assert ask(assets, "/static/fonts/a.woff2", range="bytes=0-1", if_range=date).status == 206


def test_a_precondition_goes_before_a_range(assets: Assets, font: str) -> None:
    tag = etag(ask(assets, font))
    assert ask(assets, font, range="bytes=9999-", if_none_match=tag).status == 304
    assert ask(assets, font, range="bytes=0-1", if_match='"other"').status == 412


def test_a_range_of_a_compressed_form_is_a_part_of_it(root: Path, tmp_path: Path) -> None:
    build_assets([root], tmp_path / "out", minify=False)
    assets = ManifestAssets(tmp_path / "out")
    url = assets.url("css/base.css")
    parts = [
        content(ask(assets, url, accept_encoding="br", range=value))
        for value in ("bytes=0-9", "bytes=10-")
    ]
    assert brotli.decompress(b"".join(parts)).decode() == CSS
    several = ask(assets, url, accept_encoding="br", range="bytes=0-0,-1")
    assert (several.status, header(several, "content-encoding")) == (200, "br")
    assert brotli.decompress(content(several)).decode() == CSS


def test_lists_in_several_lines_are_one_list(assets: Assets, css: str) -> None:
    tag = etag(ask(assets, css)).encode()
    plan = assets.plan("GET", css, "", [(b"if-none-match", b'"x"'), (b"if-none-match", tag)])
    assert plan is not None
    assert plan.status == 304
