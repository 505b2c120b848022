"""Stored pages hold no secret, and nothing that an author or a visitor writes gets one."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.site import KEY, load_site, write_site

from asok.holes import Holed, Sentinels
from asok.sessions import NONCES

from .conftest import Open

#: Texts that look like holes, sentinels and what is filled in, as somebody may write them.
HOSTILE = [
    "{{ nonce }} {{ csrf_input() }} {% csrf %}",
    f"zqnonce{'a' * 32}qz zqcsrf{'p' * 32}qz",
    str.__str__(Sentinels().nonce) + str.__str__(Sentinels().csrf),
    '<script nonce="">evil()</script><style nonce>evil{}</style>',
    "<script>evil()</script><form method=post></form>",
    "\0nonce\0 <!-- nonce --> «nonce» 'nonce-\0'",
    '[[0, "nonce"]] {"holes": [[0, "csrf"]]}',
]
PAGE = """
SSG = True
CSP = {csp!r}

def get_static_paths():
    return [{{"n": n}} for n in range({count})]

def get(request):
    from src.hostile import HOSTILE
    return request.html("page.html", text=HOSTILE[request.params["n"]])
"""
HTML = """
{% extends "html/base.html" %}{% block main %}
<script>own()</script>{{ text|safe }}<form method="post"><i>{{ text }}</i></form>
{% cache "fragment-" ~ text 60 %}<script>cached()</script>{{ text|safe }}{% endcache %}
{% endblock %}
"""
SITE = {
    "src/hostile.py": f"HOSTILE = {HOSTILE!r}\n",
    "src/pages/[n:int]/page.py": PAGE.format(csp="nonce", count=len(HOSTILE)),
    "src/pages/[n:int]/page.html": HTML,
    "src/pages/hash/[n:int]/page.py": PAGE.format(csp="hash", count=len(HOSTILE)),
    "src/pages/hash/[n:int]/page.html": HTML,
    "src/pages/enter/page.py": (
        "def get(request):\n    request.session.login(user='x')\n    return 'in'\n"
    ),
}
NONCE = re.compile(r'nonce="([A-Za-z0-9_-]{22})"')
TOKEN = re.compile(r'name="csrf_token" value="([A-Za-z0-9_-]{86})"')


def stored(root: Path) -> bytes:
    """Everything that was written for pages and fragments."""
    folders = (root / ".asok" / "ssg_cache", root / ".asok" / "cache")
    return b"\n".join(
        f"{file}\n".encode() + file.read_bytes()
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file()
    )


def test_no_secret_is_stored(tmp_path: Path) -> None:
    """C9: every artefact is searched for what the visitors were shown."""
    root = write_site(tmp_path, SITE)
    load_site(root, cache_backend="file", cache_path=root / ".asok/cache").freeze()
    app = load_site(root, cache_backend="file", cache_path=root / ".asok/cache")
    secrets: set[str] = {KEY}
    for _ in range(2):
        with TestClient(app, base_url="http://localhost") as client:
            client.get("/enter")
            for n in range(len(HOSTILE)):
                for path in (f"/{n}", f"/hash/{n}"):
                    text = client.get(path).text
                    secrets |= {*NONCE.findall(text), *TOKEN.findall(text)}
            secrets |= set(client.cookies.values())
    assert len(secrets) > 3 * len(HOSTILE)
    everything = stored(root)
    assert b"own()" in everything
    assert b"cached()" in everything
    for secret in secrets:
        assert secret.encode() not in everything
    # What stands for them while a page renders is gone as well; only the hostile text stays.
    marks = set(re.findall(rb"zq(?:nonce|csrf)([a-p]{32})", everything))
    assert marks <= {mark.encode() for mark in re.findall("zq(?:nonce|csrf)([a-p]{32})",
                                                          "".join(HOSTILE))}  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "/hash"])
@pytest.mark.parametrize("n", range(len(HOSTILE)))
def test_hostile_text_stays_what_it_is(open_site: Open, prefix: str, n: int) -> None:
    """C11, C12: neither a nonce nor a token gets into what was written into the page."""
    client = open_site(SITE)
    for _ in range(2):
        answer = client.get(f"{prefix}/{n}")
        assert answer.status_code == 200
        text = answer.text
        assert text.count(HOSTILE[n]) >= 2
        assert (
            escape(HOSTILE[n], quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
            in text
        )
        assert len(TOKEN.findall(text)) == 1
        own = [] if prefix else [text.split('nonce="')[1][:22]] * 2
        assert NONCE.findall(text) == own
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_values_break_out_of_nothing(open_site: Open) -> None:
    """C14: in comments, attributes and text fields the values are letters, digits, - and _."""
    html = (
        "<!-- {{ nonce }} {{ csrf_token }} --><p title='{{ nonce }}' data-x={{ csrf_token }}></p>"
        '<textarea>{{ nonce }} {{ csrf_token }}</textarea><a href="?n={{ nonce }}">x</a>'
        "<script>let n = '{{ nonce }}', t = \"{{ csrf_token }}\"</script>"
    )
    shape = html.replace("<script>", '<script nonce="{{ nonce }}">')
    expected = re.escape(shape).replace(r"\{\{\ nonce\ \}\}", "[A-Za-z0-9_-]{22}")
    expected = expected.replace(r"\{\{\ csrf_token\ \}\}", "[A-Za-z0-9_-]{86}")
    client = open_site({"src/pages/page.py": "SSG = True", "src/pages/page.html": html})
    for _ in range(20):
        assert re.fullmatch(expected, client.get("/").text)


def test_each_answer_has_the_nonce_of_its_own_policy(open_site: Open) -> None:
    """C13: header and body say the same, and never twice."""
    client = open_site(SITE)
    seen: set[str] = set()
    for _ in range(500):
        answer = client.get("/0")
        (told,) = set(re.findall("'nonce-([^']+)'", answer.headers["content-security-policy"]))
        assert set(NONCE.findall(answer.text)) == {told}
        seen.add(told)
    assert len(seen) == 500


@pytest.mark.soak
def test_a_million_filled_pages_have_a_million_nonces() -> None:
    """C13, where nonces are drawn for hits."""
    holed = Holed((b"<script nonce=", b">"), ("nonce",))
    assert len({holed.fill(NONCES.take()) for _ in range(1_000_000)}) == 1_000_000
