"""Every attack and bug of static views that we know of, against a Pyramid application."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import CSS, App, Make, ask

CURRENT = "1700000000000"
TOKENS = {"current": CURRENT, "older": "9", "newer": "1800000000000", "unknown": "abc"}

# Percent-encoded, as they are sent.
FORBIDDEN = {
    "sibling prefix, CVE-2023-29159": "../static_x/x.css",
    "parent": "../secret.css",
    "encoded parent": "%2e%2e/secret.css",
    "doubly encoded parent": "%252e%252e/secret.css",
    "encoded slash": "..%2fsecret.css",
    "normalised inside": "deep/../style.css",
    "dot segment": "./style.css",
    "empty segment": "deep//er/x.css",
    "absolute": "/etc/passwd",
    "encoded absolute": "%2fetc/passwd",
    "doubly encoded dot": "style%252ecss",
    "NUL byte, GHSA-j8g2-6fc7-q8f8": "style.css%00",
    "NUL alone": "%00",
    "backslash": "..%5csecret.css",
    "backslash inside": "deep%5cer%5cx.css",
    "drive": "C:/windows/win.ini",
    "UNC": "%5c%5cserver/share",
    "device": "NUL",
    "CRLF": "%0d%0aSet-Cookie:a=b",
    "undecodable": "%ff",
    "undecodable inside": "deep/%ff.css",
    "dotfile": ".env",
    "encoded dotfile": "%2eenv",
    "source map": "app.js.map",
    "compressed": "app.js.gz",
    "open redirect": "/evil.example",
    "open redirect, tab": "%09/evil.example",
    "open redirect, backslash": "%5cevil.example",
    "long segment": "a" * 300,
    "long path": "a/" * 4000 + "a",
    "file as a folder, dotted": "style.css/.x",
}


@pytest.fixture
def app(make: Make) -> App:
    return make(CURRENT)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("rest", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_forbidden_path_is_404_whatever_the_token(app: App, token: str, rest: str) -> None:
    answer = ask(app, f"/static/{token}/{rest}")
    assert answer.status_int == 404
    assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_only_get_and_head_read(app: App, method: str, token: str) -> None:
    for name in ("style.css", "absent.css"):
        answer = ask(app, f"/static/{token}/{name}", method)
        # An absent file under the current view is the not-found view's, as for any method.
        assert answer.status_int == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "base", ["http://evil.example", "http://evil.example/mounted", "https://evil.example:444"]
)
def test_the_location_does_not_depend_on_the_host(app: App, base: str) -> None:
    location = ask(app, "/static/9/style.css?x=//evil", base=base).headers["Location"]
    assert re.match(r"^/[^/\\]", location)
    assert "evil.example" not in location


@pytest.mark.parametrize("mount", ["//evil.example", "/\\evil.example", "\\\\evil.example"])
def test_the_location_stays_on_the_site_under_a_hostile_mount(app: App, mount: str) -> None:
    answer = ask(app, "/static/9/style.css", environ={"SCRIPT_NAME": mount})
    assert re.match(r"^/[^/\\]", answer.headers["Location"])


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_no_header_ever_holds_a_line_break(app: App, token: str) -> None:
    for path in ("style.css?a=%0d%0ab", "style.css?\r\nX: y", "a%0d%0ab", "deep%0d/er/x.css"):
        answer = ask(app, f"/static/{token}/{path}")
        assert not any("\r" in text or "\n" in text for pair in answer.headerlist for text in pair)


def test_a_query_of_raw_bytes_is_quoted(app: App) -> None:
    environ = {"QUERY_STRING": "a=\xff\x01 <\"'>&b=%41"}
    location = ask(app, "/static/9/style.css", environ=environ).headers["Location"]
    assert location == f"/static/{CURRENT}/style.css?a=%C3%BF%01%20%3C%22'%3E&b=%41"


@pytest.mark.parametrize("token", ["9" * 5000, "0" * 50_000 + "1", "a" * 50_000])
def test_long_tokens_are_weighed_in_linear_time(app: App, token: str) -> None:
    assert ask(app, f"/static/{token}/style.css").status_int in {200, 301, 503}


def test_a_link_out_of_the_folder_is_absent(app: App, package: ModuleType, tmp_path: Path) -> None:
    folder = Path(str(package.__file__)).parent
    (folder / "static" / "link.css").symlink_to(folder / "secret.css")
    (folder / "static" / "linked").symlink_to(tmp_path)
    (folder / "static" / "inside.css").symlink_to("style.css")
    for token in (CURRENT, "abc"):
        assert ask(app, f"/static/{token}/link.css").status_int == 404
        assert ask(app, f"/static/{token}/linked/{folder.name}/secret.css").status_int == 404
        assert ask(app, f"/static/{token}/inside.css").text == CSS


def test_a_folder_that_is_itself_linked_is_served(
    make: Make, package: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(Path(str(package.__file__)).parent / "static")
    assert ask(make(path=str(tmp_path / "link")), f"/static/{CURRENT}/style.css").text == CSS


def test_a_range_header_of_100_kb_is_the_whole_file(app: App) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(20_000))
    assert ask(app, f"/static/{CURRENT}/style.css", range=ranges).text == CSS
