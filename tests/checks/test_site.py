from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.site import load_site, write_site

from asok import Asok, dependencies, site_modules
from asok.checks import Findings, SiteChecks
from asok.errors import BudgetError, LinkError
from asok.pages import Release
from asok.pages.links import LinkCheck

STATIC = "SSG = True\n"
SLUGS = """\
SSG = True
def get_static_paths():
    return [{"slug": "first"}]
def get(request):
    if request.params["slug"] == "broken":
        raise ValueError("no such thing")
    if request.params["slug"] == "moved":
        return request.redirect("/blog/first", 301)
    if request.params["slug"] not in ("first", "unlisted"):
        request.abort(404)
    return request.html("page.html")
"""


def page(body: str) -> str:
    return '{% extends "html/base.html" %}{% block main %}' + body + "{% endblock %}"


def site(root: Path, body: str, **files: str) -> Path:
    return write_site(
        root,
        {
            "src/pages/page.py": STATIC,
            "src/pages/page.html": page(body),
            "src/pages/about/page.py": STATIC,
            "src/pages/about/page.html": page('<h2 id="team">Team</h2>'),
            "src/pages/blog/[slug]/page.py": SLUGS,
            "src/pages/blog/[slug]/page.html": page("<p>A post</p>"),
            "src/pages/contact/page.py": "def get(request):\n    return 'x'\n",
            "src/pages/send/page.py": "def post(request):\n    return 'x'\n",
            "src/partials/css/base.css": "body { color: red }",
            **files,
        },
    )


def built(root: Path, **options: object) -> tuple[Asok, Findings]:
    app = load_site(root, base_url=str(options.pop("base_url", "")))
    checks = SiteChecks(app, served=app.front.doors, **options)  # type: ignore[arg-type]
    app.freeze(checks=[checks])
    return app, checks.findings


def problems(root: Path, body: str, **files: str) -> dict[str, str]:
    _, findings = built(site(root, body, **files), links="warn")
    return {place.link.link.value: place.link.problem for place in findings.broken}


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/about#team">',
        '<a href="/about/">',
        '<a href="about?x=1">',
        '<a href="/blog/first">',
        '<a href="/blog/unlisted">',
        '<a href="/blog/moved">',
        '<a href="/contact">',
        '<form method="post" action="/send"></form>',
        '<link rel="stylesheet" href="{{ static("css/base.css") }}">',
        '<link rel="stylesheet" href="/static/css/base.css">',
        '<a href="/asok/live">',
        '<a href="https://example.org/elsewhere">',
        '<a rel="external" href="/app">',
    ],
)
def test_what_the_site_answers_is_no_broken_link(tmp_path: Path, link: str) -> None:
    assert problems(tmp_path, link) == {}


@pytest.mark.parametrize(
    ("link", "url", "problem"),
    [
        ('<a href="/abot">', "/abot", "no page answers it"),
        ('<a href="/about#tea">', "/about#tea", 'nothing on /about has id="tea"'),
        ('<a href="/blog/gone">', "/blog/gone", "/blog/[slug] answers it with 404"),
        ('<a href="/blog/broken">', "/blog/broken", "/blog/[slug] fails for it"),
        ('<a href="/send">', "/send", "/send answers POST, not GET"),
        ('<img src="/static/x.png">', "/static/x.png", "there is no such file among the assets"),
        ('<img srcset="/y.png 2x">', "/y.png", "no page answers it"),
        ('<img src="/css/base.css">', "/css/base.css", "there is an asset of that name"),
        ('<a href="/asok/nothing">', "/asok/nothing", "no page answers it"),
    ],
)
def test_what_the_site_does_not_answer_is_one(
    tmp_path: Path, link: str, url: str, problem: str
) -> None:
    found = problems(tmp_path, link)
    assert list(found) == [url]
    assert problem in found[url]


def test_unlisted_page_of_a_closed_list_is_broken_with_the_nearest(tmp_path: Path) -> None:
    closed = SLUGS + 'FALLBACK = "404"\n'
    found = problems(
        tmp_path, '<a href="/blog/frist">', **{"src/pages/blog/[slug]/page.py": closed}
    )
    assert 'FALLBACK is "404"' in found["/blog/frist"]


def test_error_names_the_template_its_line_and_all_pages(tmp_path: Path) -> None:
    root = site(tmp_path, "<p>x</p>")
    base = root / "src/partials/html/base.html"
    base.write_text(base.read_text().replace("<body>", '<body>\n<a href="/abot">'))
    with pytest.raises(LinkError) as caught:
        built(root)
    error = caught.value
    assert error.message == (
        "1 link leads nowhere:\n"
        '  src/partials/html/base.html:5  <a href="/abot">\n'
        "      on / and 2 more: no page answers it. Did you mean /about?"
    )
    assert "--links warn" in (error.fix or "")
    assert isinstance(error.report, Findings)
    assert Release.current(tmp_path / ".asok/ssg_cache") is None
    (broken,) = error.report.as_json()["links"]["broken"]
    assert broken == {
        "url": "/abot",
        "element": '<a href="/abot">',
        "problem": "no page answers it",
        "fix": "Did you mean /about?",
        "pages": ["/", "/about", "/blog/first"],
        "file": "src/partials/html/base.html",
        "line": 5,
        "html_line": None,
    }


def test_link_made_by_code_names_the_template_and_the_line_of_the_html(tmp_path: Path) -> None:
    _, findings = built(site(tmp_path, '\n<a href="/{{ "ab" ~ "ot" }}">'), links="warn")
    (place,) = findings.broken
    assert (place.file.name, place.line) == ("page.html", None)
    assert place.html_line == 5
    assert "line 5 of its HTML" in place.describe(tmp_path)


def test_many_broken_links_are_counted(tmp_path: Path) -> None:
    body = "".join(f'<a href="/gone/{number}">' for number in range(25))
    with pytest.raises(LinkError, match="25 links lead nowhere") as caught:
        built(site(tmp_path, body))
    assert "… and 5 more" in caught.value.message


def test_redirects_are_reported(tmp_path: Path) -> None:
    _, findings = built(site(tmp_path, '<a href="/about/"><a href="/blog/moved">'))
    assert {(one.link.value, one.target) for one in findings.redirected} == {
        ("/about/", "/about"),
        ("/blog/moved", "/blog/first"),
    }


def test_built_redirect_is_followed_and_its_target_checked(tmp_path: Path) -> None:
    moved = "SSG = True\ndef get(request):\n    return request.redirect('/gone', 301)\n"
    root = site(tmp_path, '<a href="/old">', **{"src/pages/old/page.py": moved})
    _, findings = built(root, links="warn")
    assert [str(place.link.link) for place in findings.broken] == ['<redirect location="/gone">']
    assert [one.target for one in findings.redirected] == ["/gone"]


def test_off_asks_nothing(tmp_path: Path) -> None:
    _, findings = built(site(tmp_path, '<a href="/abot">'), links="off")
    assert (findings.links, findings.broken) == (0, ())


def test_site_below_a_path_checks_its_own_links(tmp_path: Path) -> None:
    root = site(tmp_path, '<a href="/site/about"><a href="/about"><a href="https://e.org/site/x">')
    _, findings = built(root, links="warn", base_url="https://e.org/site")
    assert {place.link.link.value for place in findings.broken} == {
        "/about",
        "https://e.org/site/x",
    }


def test_trailing_slash_is_as_the_site_has_it(tmp_path: Path) -> None:
    body = '<a href="/about/#team"><a href="/about"><a href="/abot/">'
    root = site(
        tmp_path,
        body,
        **{"src/pages/asked/page.py": "SITEMAP = True\ndef get(r):\n    return 'x'\n"},
    )
    app = load_site(root, base_url="https://e.org", trailing_slash="always")
    checks = SiteChecks(app, links="warn")
    app.freeze(checks=[checks])
    (place,) = checks.findings.broken
    assert (place.link.link.value, place.link.fix) == ("/abot/", "Did you mean /about/?")
    assert [one.target for one in checks.findings.redirected] == ["/about/"]
    text = public(app)["sitemap.xml"].decode()
    assert "https://e.org/about/<" in text
    assert "https://e.org/asked/<" in text


def test_second_build_reads_only_what_changed(tmp_path: Path) -> None:
    root = site(tmp_path, '<a href="/about">')
    built(root)
    (root / "src/pages/about/page.html").unlink()
    (root / "src/pages/about/page.py").unlink()
    with pytest.raises(LinkError, match='<a href="/about">'):
        built(root)


# Budgets


def test_page_over_its_budget_fails_with_its_biggest_parts(tmp_path: Path) -> None:
    css = "".join(f".a{number} {{ color: #{number:06x} }}\n" for number in range(300))
    root = site(
        tmp_path,
        '<link rel="stylesheet" href="{{ static("css/base.css") }}">',
        **{"src/partials/css/base.css": css, "src/pages/page.py": 'SSG = True\nBUDGET = "1KB"\n'},
    )
    with pytest.raises(BudgetError) as caught:
        built(root)
    assert caught.value.message.startswith("1 page is over budget:\n  / weighs ")
    assert "base.css" in caught.value.message
    assert "ASOK_PAGE_BUDGET" in (caught.value.fix or "")
    assert isinstance(caught.value.report, Findings)
    (weight,) = caught.value.report.as_json()["weights"]
    assert weight["over"] == weight["size"] - 1024
    assert set(weight["parts"]) == {"/", "base.css"}


def test_budget_of_the_command_is_for_pages_without_their_own(tmp_path: Path) -> None:
    own = 'SSG = True\nBUDGET = "1MB"\n'
    root = site(tmp_path, "<p>" + "word " * 1000, **{"src/pages/page.py": own})
    _, findings = built(root, budget=2000)
    assert {weight.path: weight.budget for weight in findings.weights} == {
        "/": 1 << 20,
        "/about": 2000,
        "/blog/first": 2000,
    }
    home = next(weight for weight in findings.weights if weight.path == "/")
    assert home.size < 500  # as it is sent: compressed
    with pytest.raises(BudgetError, match="2 pages are over budget"):
        built(root, budget=10)


def test_page_with_holes_weighs_what_is_sent_uncompressed(tmp_path: Path) -> None:
    body = "<p>" + "word " * 1000 + "<script>x()</script>"
    _, findings = built(site(tmp_path, body), budget=100_000)
    assert findings.weights[0].size > 5000


# What search engines are told


def public(app: Asok) -> dict[str, bytes]:
    release = Release.current(app.store_folder)
    assert release is not None
    return {path.name: path.read_bytes() for path in (release.folder / "public").glob("*")}


def test_sitemap_holds_public_listed_pages(tmp_path: Path) -> None:
    root = site(
        tmp_path,
        "<p>x</p>",
        **{
            "src/pages/hidden/page.py": "SSG = True\nSITEMAP = False\n",
            "src/pages/hidden/page.html": "x",
            "src/pages/noindex/page.py": STATIC,
            "src/pages/noindex/page.html": '<meta name="robots" content="noindex">',
            "src/pages/header/page.py": (
                "SSG = True\ndef get(request):\n    response = request.html('page.html')\n"
                "    response.headers['X-Robots-Tag'] = 'noindex'\n    return response\n"
            ),
            "src/pages/header/page.html": "x",
            "src/pages/guarded/page.py": "SSG = True\nGUARDS = (lambda request: None,)\n",
            "src/pages/guarded/page.html": "x",
            "src/pages/café/page.py": STATIC,
            "src/pages/café/page.html": "x",
            "src/pages/asked/page.py": "SITEMAP = True\ndef get(request):\n    return 'x'\n",
        },
    )
    app, findings = built(root, base_url="https://e.org")
    files = public(app)
    assert findings.files == ("robots.txt", "sitemap.xml")
    text = files["sitemap.xml"].decode()
    found = [part.partition("</loc>")[0] for part in text.split("<loc>")[1:]]
    assert found == [
        "https://e.org/",
        "https://e.org/about",
        "https://e.org/asked",
        "https://e.org/blog/first",
        "https://e.org/caf%C3%A9",
    ]
    assert b"Sitemap: https://e.org/sitemap.xml" in files["robots.txt"]


def test_without_a_base_url_there_is_no_sitemap_and_the_report_says_so(tmp_path: Path) -> None:
    app, findings = built(site(tmp_path, "x"))
    assert public(app) == {}
    assert findings.notes == ["no sitemap.xml and robots.txt: they need BASE_URL"]


def test_own_files_and_pages_win(tmp_path: Path) -> None:
    root = site(
        tmp_path,
        "x",
        **{
            "src/static/robots.txt": "User-agent: *\nDisallow: /\n",
            "src/pages/sitemap.xml/page.py": "def get(request):\n    return 'mine'\n",
        },
    )
    app, _ = built(root, base_url="https://e.org")
    assert public(app) == {"robots.txt": b"User-agent: *\nDisallow: /\n"}


def test_below_a_path_there_is_no_robots_txt(tmp_path: Path) -> None:
    app, findings = built(site(tmp_path, "x"), base_url="https://e.org/site")
    assert list(public(app)) == ["sitemap.xml"]
    assert "https://e.org/site/about" in public(app)["sitemap.xml"].decode()
    assert "root of a host" in findings.notes[0]


def test_links_of_unchanged_pages_are_asked_again_only_where_what_answers_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever works on Asok itself meanwhile would make every build a full one.
    monkeypatch.setattr("asok.grounds._asok", lambda: ["asok"])
    root = site(
        tmp_path,
        '<a href="/about">a</a><a href="/listed">b</a>',
        **{
            "src/pages/tried/page.py": STATIC,
            "src/pages/tried/page.html": page('<a href="/blog/unlisted">c</a>'),
            "src/pages/place/page.py": STATIC,
            "src/pages/place/page.html": page('<a href="/about#team">d</a>'),
            "src/pages/listed/page.py": STATIC,
            "src/pages/listed/page.html": page("<p>listed</p>"),
        },
    )
    seen: list[str] = []
    add = LinkCheck.add

    def noted(self: LinkCheck, path: str, values: Iterable[str]) -> bool:
        seen.append(path)
        return add(self, path, values)

    monkeypatch.setattr(LinkCheck, "add", noted)

    def build(**options: object) -> tuple[list[str], Findings]:
        seen.clear()
        site_modules.uninstall()
        with dependencies.watch(root):
            findings = built(root, **options)[1]
        return sorted(seen), findings

    everything, first = build()
    assert everything == ["/", "/about", "/blog/first", "/listed", "/place", "/tried"]
    again, second = build()
    assert again == ["/place", "/tried"], "what another page holds or a render gives is asked"
    assert second.links == first.links
    about = root / "src/pages/about/page.html"
    about.write_text(about.read_text().replace("team", "people"))
    checked, findings = build(links="warn")
    assert checked == ["/about", "/place", "/tried"]
    assert [place.link.link.value for place in findings.broken] == ["/about#team"]
    about.write_text(about.read_text().replace("people", "team"))
    assert build()[0] == ["/about", "/place", "/tried"]
    (root / "src/pages/listed/page.html").unlink()
    (root / "src/pages/listed/page.py").unlink()
    checked, findings = build(links="warn")
    assert [place.link.link.value for place in findings.broken] == ["/listed"]
    checked, findings = build(links="warn")
    assert "/" in checked, "what is broken is told each time"
    assert [place.link.link.value for place in findings.broken] == ["/listed"]
    write_site(root, {"src/pages/listed/page.py": "def get(request):\n    return 'x'\n"})
    assert build()[1].broken == []
    assert build(links="off")[0] == []
    assert len(build()[0]) == 5, "a build that did not look settles nothing"
