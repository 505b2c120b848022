"""Assets in production: the snapshot of a build."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from asok.assets import Age, FileSlice, ManifestAssets, build_assets
from asok.errors import AssetError, ConfigurationError

from .conftest import CSS, Tree, ask, content, header

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def published(root: Path, out: Path) -> ManifestAssets:
    build_assets([root], out)
    return ManifestAssets(out)


def test_a_hashed_url_is_immutable_and_compressed(published: ManifestAssets) -> None:
    url = published.url("css/base.css")
    for coding in ("br", "gzip"):
        plan = ask(published, url, accept_encoding=coding)
        assert header(plan, "cache-control") == IMMUTABLE
        assert header(plan, "content-encoding") == coding
        assert header(plan, "vary") == "Accept-Encoding"
        assert header(plan, "content-length") == str(len(content(plan)))
    assert header(ask(published, url), "content-encoding") is None
    assert header(ask(published, url), "vary") == "Accept-Encoding"


def test_a_plain_url_is_the_current_file_revalidated(published: ManifestAssets) -> None:
    plain, hashed = (
        ask(published, u) for u in ("/static/css/base.css", published.url("css/base.css"))
    )
    assert header(plain, "cache-control") == "public, no-cache"
    assert content(plain) == content(hashed)
    assert header(plain, "etag") == header(hashed, "etag")


def test_a_hashed_url_of_an_unknown_release_is_the_current_file_revalidated(
    published: ManifestAssets,
) -> None:
    plan = ask(published, "/static/css/base-0123456789ab.css")
    assert (plan.status, header(plan, "cache-control")) == (200, "public, no-cache")
    assert ask(published, "/static/css/absent-0123456789ab.css").status == 404
    assert ask(published, "/static/css/base-0123456789AB.css").status == 404


def test_files_of_earlier_releases_are_still_served(tree: Tree, out: Path) -> None:
    urls: list[str] = []
    tokens: list[str] = []
    for number in range(3):
        build_assets([tree({"a.css": f"a{{b:{number}}}"})], out)
        assets = ManifestAssets(out)
        urls.append(assets.url("a.css"))
        tokens.append(assets.token)
    assets = ManifestAssets(out)
    plans = [ask(assets, url) for url in urls]
    assert [content(plan) for plan in plans] == [b"a{b:0}", b"a{b:1}", b"a{b:2}"]
    assert {header(plan, "cache-control") for plan in plans} == {IMMUTABLE}
    ages = [assets.breaker.age(token) for token in (*tokens, "other")]
    assert ages == [Age.OLDER, Age.OLDER, Age.CURRENT, Age.UNKNOWN]


def test_a_running_worker_keeps_its_release_over_a_build(tree: Tree, out: Path) -> None:
    build_assets([tree({"a.css": "a{b:c}"})], out)
    assets = ManifestAssets(out)
    url = assets.url("a.css")
    build_assets([tree({"a.css": "d{e:f}"})], out)
    assert assets.url("a.css") == url
    assert content(ask(assets, url)) == b"a{b:c}"


def test_a_missing_name_is_logged_once_and_gives_the_plain_url(
    published: ManifestAssets, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "asok.assets"):
        assert published.url("css/none.css") == "/static/css/none.css"
        assert published.url("css/none.css") == "/static/css/none.css"
        assert published.integrity("css/none.css") == ""
    assert len(caplog.records) == 1
    with caplog.at_level(logging.ERROR, "asok.assets"):
        for number in range(2000):
            published.url(f"{number}.css")
    assert len(caplog.records) == 1000


def test_urls_may_point_at_a_cdn(root: Path, out: Path) -> None:
    build_assets([root], out)
    assets = ManifestAssets(out, "/files", origin="https://cdn.example")
    url = assets.url("images/logo.svg#home")
    assert url.startswith("https://cdn.example/files/images/logo-")
    assert url.endswith(".svg#home")
    assert assets.prefix == "/files"
    assert ask(assets, "/files/images/logo.svg").status == 200


@pytest.mark.parametrize("origin", ["cdn.example", "https://cdn.example/", "javascript:x"])
def test_an_origin_is_a_scheme_and_a_host(root: Path, out: Path, origin: str) -> None:
    build_assets([root], out)
    with pytest.raises(ConfigurationError, match="origin of the assets"):
        ManifestAssets(out, origin=origin)


def test_integrity_is_of_the_published_bytes(published: ManifestAssets) -> None:
    from asok.assets.digest import integrity

    plan = ask(published, published.url("css/base.css"))
    assert published.integrity("css/base.css") == integrity(content(plan))


def test_files_are_held_in_memory_up_to_the_bounds(root: Path, out: Path) -> None:
    build_assets([root], out)
    for memory, largest, held in ((2048, 2048, True), (0, 2048, False), (2048, 1023, False)):
        assets = ManifestAssets(out, memory=memory, largest=largest)
        plan = ask(assets, assets.url("fonts/a.woff2"))
        assert isinstance(plan.body, bytes) is held
        assert isinstance(plan.body, FileSlice) is not held
        assert len(content(plan)) == 1024


def test_a_published_file_that_is_gone_is_a_404_and_logged(
    published: ManifestAssets, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = published.url("css/base.css")
    (out / url.removeprefix("/static/")).unlink()
    assert ask(published, url).status == 404
    assert "can't be read" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[",
        '{"format":1,"token":"x","files":{}}',
        '{"format":2,"token":"x","tree":"x","form":"digest","files":{"a":{"path":"../../etc/passwd","digest":"","size":1,'
        '"media":"","integrity":""}}}',
    ],
)
def test_a_manifest_that_can_not_be_trusted_is_refused(out: Path, content: str) -> None:
    out.mkdir()
    (out / "manifest.json").write_text(content)
    with pytest.raises(AssetError, match="asok build"):
        ManifestAssets(out)


def test_no_manifest_says_to_build(out: Path) -> None:
    with pytest.raises(AssetError, match="Run `asok build`"):
        ManifestAssets(out)


def test_a_logical_name_that_looks_hashed_is_itself(tree: Tree, out: Path) -> None:
    build_assets([tree({"a-0123456789ab.css": CSS, "a.css": "b{c:d}"})], out, minify=False)
    assets = ManifestAssets(out)
    assert content(ask(assets, "/static/a-0123456789ab.css")).decode() == CSS
