"""Every attack and bug of static file servers that we know of, against both modes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asok.assets import NOT_FOUND, Assets, DiskAssets, ManifestAssets, build_assets

from .conftest import FONT, ask, content, header

# Paths as the server hands them over: percent-decoded once.
FORBIDDEN = {
    "sibling prefix, CVE-2023-29159": "/static/../static_x/x.css",
    "sibling folder of the root": "/static/../roots_secret/x.css",
    "parent": "/static/../secret.css",
    "parent behind a folder": "/static/css/../../secret.css",
    "parent at the end": "/static/css/..",
    "dot segment": "/static/./css/base.css",
    "normalised inside": "/static/css/../css/base.css",
    "empty segment": "/static/css//base.css",
    "absolute": "/static//etc/passwd",
    "still encoded parent": "/static/%2e%2e/secret.css",
    "still encoded dot": "/static/js/app%2ejs",
    "encoded dotfile": "/static/.js",
    "NUL byte, GHSA-j8g2-6fc7-q8f8": "/static/css/base.css\0",
    "NUL before the suffix": "/static/css/base\0.css",
    "backslash": "/static/css\\base.css",
    "backslash parent": "/static/..\\secret.css",
    "drive": "/static/C:/windows/win.ini",
    "drive relative": "/static/C:secret",
    "stream": "/static/css/base.css::$DATA",
    "UNC": "/static//server/share/x",
    "UNC, backslashes": "/static/\\\\server\\share\\x",
    "device": "/static/NUL",
    "device with a suffix": "/static/nul.css",
    "device in a folder": "/static/css/COM1.css",
    "CRLF": "/static/css/base.css\r\nSet-Cookie: a=b",
    "undecodable": "/static/css/\udcff.css",
    "replaced": "/static/css/\ufffd.css",
    "dotfile": "/static/.env",
    "dotted folder": "/static/.git/config",
    "source map": "/static/js/app.js.map",
    "compressed": "/static/js/app.js.gz",
    "compressed, other case": "/static/js/app.js.GZ",
    "folder": "/static/css",
    "folder with a slash": "/static/css/",
    "the prefix itself": "/static/",
    "long segment": "/static/" + "a" * 300 + ".css",
    "long path": "/static/" + "a/" * 4000,
    "file as a folder": "/static/css/base.css/x",
    "open redirect": "/static//evil.example",
    "open redirect, tab": "/static/\t/evil.example",
    "open redirect, backslash": "/static/\\evil.example",
    "manifest": "/static/manifest.json",
    "absent": "/static/css/absent.css",
}


@pytest.mark.parametrize("path", FORBIDDEN.values(), ids=FORBIDDEN)
def test_answers_every_forbidden_path_alike(assets: Assets, path: str) -> None:
    assert ask(assets, path) == NOT_FOUND


@pytest.mark.parametrize(
    "path", ["/static_x/base.css", "/static", "/", "/css/base.css", "//static/"]
)
def test_leaves_other_paths_to_the_application(assets: Assets, path: str) -> None:
    assert assets.plan("GET", path, "", []) is None


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "", "X" * 999]
)
def test_only_get_and_head_read(assets: Assets, method: str) -> None:
    plan = ask(assets, assets.url("css/base.css"), method)
    assert plan.status == 405
    assert header(plan, "allow") == "GET, HEAD, OPTIONS"


def test_a_refused_method_tells_nothing_about_existence(assets: Assets) -> None:
    there, absent = assets.url("css/base.css"), "/static/css/absent.css"
    assert ask(assets, there, "POST") == ask(assets, absent, "POST")
    assert ask(assets, there, "OPTIONS") == ask(assets, absent, "OPTIONS")


def test_no_header_ever_holds_a_line_break(assets: Assets) -> None:
    hostile = 'bytes=0-1\r\nX: y, "\r\n'
    for path in (assets.url("fonts/a.woff2"), "/static/a\r\nb"):
        plan = ask(
            assets,
            path,
            query="a\r\nb",
            range=hostile,
            if_none_match=hostile,
            if_range=hostile,
            accept_encoding=hostile,
        )
        assert not any(b"\r" in part or b"\n" in part for pair in plan.headers for part in pair)


@pytest.mark.parametrize(
    "value",
    [
        "bytes=" + ",".join(f"{n}-{n}" for n in range(20_000)),
        "bytes=" + "0-," * 33_000,
        "bytes=" + "9" * 100_000,
        "bytes=" + " " * 100_000 + "0-1",
        "bytes=0-" + "9" * 100_000,
        "=" * 100_000,
    ],
    ids=["ranges", "open ranges", "digits", "spaces", "long end", "noise"],
)
def test_a_range_header_of_100_kb_is_the_whole_file(assets: Assets, value: str) -> None:
    plan = ask(assets, assets.url("fonts/a.woff2"), range=value)
    assert plan.status == 200
    assert content(plan) == FONT


@pytest.mark.parametrize("value", ['"' * 100_000, "W/" * 50_000, ", " * 50_000, '"a' * 50_000])
def test_long_headers_are_read_in_linear_time(assets: Assets, value: str) -> None:
    plan = ask(
        assets,
        assets.url("css/base.css"),
        if_none_match=value,
        accept_encoding=value,
        if_modified_since=value,
        if_range=value,
    )
    assert plan.status == 200


def test_a_link_out_of_the_root_is_absent(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.css").write_text("secret")
    (root / "css" / "link.css").symlink_to(tmp_path / "outside" / "x.css")
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "css" / "inside.css").symlink_to(root / "css" / "base.css")
    (root / "loop").symlink_to(root / "loop")
    assets = DiskAssets([root])
    for name in ("css/link.css", "linked/x.css", "loop", "loop/x"):
        assert ask(assets, f"/static/{name}") == NOT_FOUND
    assert ask(assets, "/static/css/inside.css").status == 200


def test_a_published_file_swapped_for_a_link_is_refused(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.woff2"
    secret.write_bytes(b"s" * len(FONT))
    build_assets([root], tmp_path / "out")
    assets = ManifestAssets(tmp_path / "out", memory=0)
    url = assets.url("fonts/a.woff2")
    plan = ask(assets, url)
    published = tmp_path / "out" / url.removeprefix("/static/")
    published.unlink()
    published.symlink_to(secret)
    with pytest.raises(OSError):
        content(plan)
    assert ask(ManifestAssets(tmp_path / "out"), url) == NOT_FOUND


def test_a_folder_swapped_for_a_link_after_the_check_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.woff2").write_bytes(FONT)
    build_assets([root], tmp_path / "out")
    assets = ManifestAssets(tmp_path / "out", memory=0)
    url = assets.url("fonts/a.woff2")
    plan = ask(assets, url)
    (tmp_path / "out" / "fonts").rename(tmp_path / "outside" / "fonts")
    (tmp_path / "out" / "fonts").symlink_to(tmp_path / "outside" / "fonts")
    with pytest.raises(OSError):
        content(plan)


def test_a_device_in_the_root_is_absent_and_never_waited_for(root: Path) -> None:
    os.mkfifo(root / "css" / "pipe.css")
    assert ask(DiskAssets([root]), "/static/css/pipe.css") == NOT_FOUND
