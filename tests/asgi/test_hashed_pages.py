"""Static pages with `CSP = "hash"`: shared by everybody, scripts and all."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from tests.site import load_site, write_site

from asok.errors import AsokError, PageOptionError

from .conftest import Open

PAGE = "SSG = True\nCSP = {mode!r}\n\ndef get(request):\n    return request.html('page.html')\n"
SITE = {
    "src/pages/page.py": PAGE.format(mode="hash"),
    "src/pages/page.html": "<h1>Home</h1><script>own()</script>" + "<p>text</p>" * 100,
    "src/pages/nonce/page.py": PAGE.format(mode="nonce"),
    "src/pages/nonce/page.html": "<script>own()</script>",
    "src/pages/silent/page.py": PAGE.replace("CSP = {mode!r}\n", ""),
    "src/pages/silent/page.html": "<script>own()</script>",
    "src/pages/dynamic/page.html": "<script>own()</script>",
    "src/pages/form/page.py": PAGE.format(mode="hash"),
    "src/pages/form/page.html": "<form method=post></form><script>own()</script>",
}


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def policy(headers: object) -> str:
    return headers["content-security-policy"]  # type: ignore[index]  # pyright: ignore


def test_the_page_is_public_with_a_policy_of_its_own(open_site: Open) -> None:
    client = open_site(SITE)
    first = client.get("/", headers={"accept-encoding": "br"})
    answer = client.get("/", headers={"accept-encoding": "br"})
    for one in (first, answer):
        assert one.headers["cache-control"].startswith("public")
        assert one.headers["content-encoding"] == "br"
        assert f"script-src 'self' {hash_of('own()')};" in policy(one.headers)
        assert "nonce" not in one.text + policy(one.headers)
    again = client.get(
        "/", headers={"accept-encoding": "br", "if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    assert policy(again.headers) == policy(answer.headers)


def test_the_setting_speaks_for_pages_that_say_nothing(open_site: Open) -> None:
    client = open_site(SITE, csp="hash")
    assert hash_of("own()") in policy(client.get("/silent").headers)
    assert "'nonce-" in policy(client.get("/nonce").headers)
    assert "'nonce-" in policy(client.get("/dynamic").headers)


def test_without_the_setting_they_have_a_nonce(open_site: Open) -> None:
    client = open_site(SITE)
    answer = client.get("/silent")
    nonce = re.search(r"'nonce-([^']+)'", policy(answer.headers))
    assert nonce is not None
    assert f'<script nonce="{nonce[1]}">' in answer.text
    assert "sha256" not in policy(answer.headers)


def test_a_form_keeps_the_page_private_but_not_its_policy(open_site: Open) -> None:
    client = open_site(SITE)
    for _ in range(2):
        answer = client.get("/form")
        assert answer.headers["cache-control"] == "private, no-cache"
        assert hash_of("own()") in policy(answer.headers)
        assert "nonce" not in answer.text + policy(answer.headers)
        assert 'name="csrf_token" value="' in answer.text


def test_forms_without_tokens_are_public_too(open_site: Open) -> None:
    answer = open_site(SITE, csrf="headers").get("/form")
    assert answer.headers["cache-control"].startswith("public")
    assert hash_of("own()") in policy(answer.headers)


def test_a_guarded_page_has_its_policy(open_site: Open) -> None:
    page = "GUARDS = (lambda request: None,)\n" + SITE["src/pages/page.py"]
    client = open_site({**SITE, "src/pages/page.py": page})
    for _ in range(2):
        answer = client.get("/")
        assert answer.headers["cache-control"] == "private, no-store"
        assert hash_of("own()") in policy(answer.headers)


def test_development_shows_what_production_will(open_site: Open) -> None:
    answer = open_site(SITE, debug=True).get("/")
    assert hash_of("own()") in policy(answer.headers)
    assert "nonce" not in answer.text


def test_components_macros_and_fragments_of_the_page_are_hashed(open_site: Open) -> None:
    files = {
        **SITE,
        "src/components/Card.py": (
            "from asok import Component\n\nclass Card(Component):\n    pass\n"
        ),
        "src/components/card.html": "<style>.card {}</style><b>{{ slot }}</b>",
        "src/partials/macros.html": "{% macro m(x) %}<script>macro({{ x }})</script>{% endmacro %}",
        "src/partials/part.html": "<script>part()</script>",
        "src/pages/page.html": (
            "{% from 'macros.html' import m %}{{ m(1) }}{% include 'part.html' %}"
            "{% cache 'c' 60 %}<script>cached()</script>{% endcache %}"
            "{% component 'Card' %}<script>slot()</script>{% endcomponent %}"
        ),
    }
    client = open_site(files)
    answer = client.get("/")
    told = policy(answer.headers)
    for text in ("macro(1)", "part()", "cached()", "slot()"):
        assert hash_of(text) in told
    assert f"style-src 'self' {hash_of('.card {}')};" in told
    assert "nonce" not in re.sub('data-asok-state="[^"]*"', "", answer.text)
    assert answer.headers["cache-control"].startswith("public")


def test_a_foreign_script_fails_the_build_with_file_and_line(tmp_path: Path) -> None:
    html = "<h1>\n</h1>\n<script src='https://cdn.example/a.js'></script>"
    app = load_site(write_site(tmp_path, {**SITE, "src/pages/page.html": html}))
    with pytest.raises(AsokError) as error:
        app.freeze()
    text = str(error.value)
    assert "page.html:3" in text
    assert "cdn.example" in text
    assert "src/static" in text


def test_a_page_rendered_per_request_has_no_hashes(tmp_path: Path) -> None:
    page = "CSP = 'hash'\n\ndef get(request):\n    return 'x'\n"
    with pytest.raises(PageOptionError, match="needs a static page") as error:
        load_site(write_site(tmp_path, {"src/pages/page.py": page}))
    assert error.value.line == 1


def test_the_setting_makes_the_stored_pages_others(tmp_path: Path) -> None:
    write_site(tmp_path, SITE)
    prints = {load_site(tmp_path, csp=csp).fingerprint for csp in ("nonce", "hash")}
    assert len(prints) == 2
