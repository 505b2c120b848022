"""Paths that must never reach a file, over the wire, whatever token is in front of them."""

from __future__ import annotations

import os
import shutil

import pytest

from .sites import BIG, SERVERS, Site

FORBIDDEN = {
    "sibling prefix, CVE-2023-29159": "/../static_x/x.css",
    "parent": "/../secret.css",
    "parent behind a folder": "/deep/../../secret.css",
    "encoded parent": "/%2e%2e/secret.css",
    "half encoded parent": "/.%2e/secret.css",
    "doubly encoded parent": "/%252e%252e/secret.css",
    "encoded slash": "/..%2fsecret.css",
    "doubly encoded slash": "/..%252fsecret.css",
    "overlong UTF-8": "/..%c0%afsecret.css",
    "parameters": "/..;/secret.css",
    "normalised inside": "/deep/../style.css",
    "dot segment": "/./style.css",
    "empty segment": "/deep//er/x.css",
    "absolute": "//etc/passwd",
    "encoded absolute": "/%2fetc/passwd",
    "doubly encoded dot": "/app%252ejs",
    "encoded dotfile": "/%2ejs",
    "NUL byte, GHSA-j8g2-6fc7-q8f8": "/style.css%00",
    "NUL before the suffix": "/style%00.css",
    "NUL alone": "/%00",
    "NUL and a way out": "/../secret.css%00.png",
    "backslash": "/..%5csecret.css",
    "raw backslash": "/..\\secret.css",
    "backslash inside": "/deep%5cer%5cx.css",
    "drive": "/C:/windows/win.ini",
    "drive relative": "/C:secret.css",
    "stream": "/style.css::$DATA",
    "UNC": "/%5c%5cserver/share",
    "device": "/NUL",
    "device with a suffix": "/con.css",
    "CRLF": "/style.css%0d%0aSet-Cookie:%20a=b",
    "line feed": "/%0aX:%20y",
    "undecodable": "/%ff",
    "undecodable inside": "/deep/%ff.css",
    "raw byte": "/\xff.css",
    "surrogate": "/%ed%a0%80.css",
    "dotfile": "/.env",
    "dotted folder": "/.git/config",
    "source map": "/app.js.map",
    "compressed": "/style.css.gz",
    "compressed, brotli": "/style.css.br",
    "source": "/app.py",
    "folder": "/deep",
    "folder with a slash": "/deep/",
    "the root itself": "/",
    "file as a folder": "/style.css/x",
    "file with a slash": "/style.css/",
    "open redirect": "//evil.example",
    "open redirect, tab": "/%09/evil.example",
    "open redirect, backslash": "/%5cevil.example",
    "open redirect, encoded slashes": "/%2f%2fevil.example/%2e%2e",
    "long segment": "/" + "a" * 300,
    "deep path": "/" + "a/" * 2000 + "a",
    "absent": "/absent.css",
}

#: A redirect only moves a well-formed path to the current token, where it is 404.
REDIRECTED = {"file as a folder", "folder", "folder with a slash", "file with a slash", "absent",
              "parameters", "deep path"}  # fmt: skip


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_forbidden_path_is_404(site: Site, case: str) -> None:
    for prefix in site.prefixes:
        answer = site.get(prefix + FORBIDDEN[case])
        if answer.status in (301, 503) and case in REDIRECTED:
            continue
        # 400: the server itself refused what is no request line.
        assert answer.status in (404, 400), prefix
        assert b"secret" not in answer.body.replace(b"secret.css", b"")
        assert answer.header("location") is None
        if answer.status == 404:
            assert "no-store" in (answer.header("cache-control") or "no-store")
            assert answer.header("etag") is None


@pytest.mark.parametrize(
    ("there", "absent"),
    [
        ("/../secret.css", "/../absent.css"),
        ("/..%2fsecret.css", "/..%2fabsent.css"),
        ("/%2e%2e/static_x/x.css", "/%2e%2e/static_y/x.css"),
        ("//etc/passwd", "//etc/passwe"),
        ("/.env", "/.enw"),
        ("/app.js.map", "/xpp.js.map"),
        ("/style.css.gz", "/stile.css.gz"),
        ("/app.py", "/xpp.py"),
        ("/deep", "/deeq"),
    ],
)
def test_nobody_learns_what_lies_outside(site: Site, there: str, absent: str) -> None:
    """CVE-2025-69226: both answers are the same but for the path that was asked."""

    def told(path: str) -> tuple[object, ...]:
        answer = site.get(site.prefixes[0] + path)
        words = {path.rpartition("/")[2], path.rpartition("%2f")[2], "static_x", "static_y"}
        body = answer.body
        for word in sorted(words, key=len, reverse=True):
            body = body.replace(word.encode(), b"")
        return answer.status, [h for h in answer.headers if h[0] != "date"], body

    assert told(there) == told(absent)


def test_an_encoded_slash_is_no_separator_where_the_server_tells_it(site: Site) -> None:
    # WSGI hands the decoded path alone (PEP 3333), so that it can't be told there; the file is
    # the one that the plain path gives.
    answer = site.get(site.prefixes[0] + "/deep%2fer%2fx.css")
    if site.name in SERVERS:
        assert answer.stable == site.file("deep/er/x.css").stable
    else:
        assert answer.status == 404


def test_names_beyond_ascii_are_served(site: Site) -> None:
    assert site.file("a b.txt").body == b"with a space"
    assert site.file("été.txt").body == b"with accents"
    assert site.file("style.css").body.startswith(b"a")
    assert site.file("empty.txt").body == b""


def test_a_link_swapped_in_after_the_start_leads_nowhere(site: Site) -> None:
    outside = site.folder / "secret.css"
    for name in ("link.css", "later-link.css"):
        (site.folder / "static" / name).symlink_to(outside)
    (site.folder / "static" / "linked").symlink_to(site.folder / "static_x")
    for prefix in site.prefixes:
        for path in ("/link.css", "/later-link.css", "/linked/x.css", "/linked"):
            assert b"secret" not in site.get(prefix + path).body

    (big,) = site.published.glob("big*.bin")
    assert site.file("big.bin").body == BIG
    kept = big.with_name("kept")
    big.rename(kept)
    secret = site.folder / "large_secret"
    secret.write_bytes(b"secret" * len(BIG))
    try:
        big.symlink_to(secret)
        swapped = site.file("big.bin")
        assert swapped.status == 404
        assert b"secret" not in swapped.body
        big.unlink()
        os.mkfifo(big)  # nobody ever writes to it: an open that waits would hang the worker
        assert site.file("big.bin").status == 404
        big.unlink()
        assert site.file("big.bin").status == 404
    finally:
        kept.replace(big)
    assert site.file("big.bin").body == BIG


def test_a_folder_swapped_for_a_link_leads_nowhere(site: Site) -> None:
    folder, kept = site.folder / "static" / "deep", site.folder / "kept"
    shutil.copytree(folder, kept)
    aside = site.folder / "aside"
    (site.folder / "outside" / "er").mkdir(parents=True)
    (site.folder / "outside" / "er" / "x.css").write_bytes(b"secret")
    folder.rename(aside)
    try:
        folder.symlink_to(site.folder / "outside")
        for prefix in site.prefixes:
            assert b"secret" not in site.get(prefix + "/deep/er/x.css").body
    finally:
        folder.unlink()
        aside.rename(folder)
