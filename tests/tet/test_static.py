"""`tet.static` as its documentation describes it, and as Pyramid's static views behave."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from .conftest import CSS, App, Make, ask

CURRENT = "/static/1700000000000"


def urls(*calls: tuple[str, str], **kw: Any) -> Any:
    """Return a step of the configuration that answers `/urls` with generated URLs."""

    def configure(config: Any) -> None:
        def view(request: Any) -> dict[str, str]:
            return {spec: getattr(request, method)(spec, **kw) for method, spec in calls}

        config.add_route("urls", "/urls")
        config.add_view(view, route_name="urls", renderer="json")

    return configure


def generated(app: App, base: str = "http://localhost") -> dict[str, str]:
    import json

    return cast("dict[str, str]", json.loads(ask(app, "/urls", base=base).body))


def test_the_default_token_is_the_time_in_milliseconds() -> None:
    from tet.config import create_configurator

    before = int(time.time() * 1000)
    config = create_configurator(included_features=["static"])
    token = config.registry.cachebreaker
    assert len(token) >= 12
    assert before <= int(token) <= int(time.time() * 1000)


def test_the_token_is_minted_once_for_a_registry() -> None:
    from tet.config import create_configurator
    from tet.static import includeme

    config = create_configurator(included_features=["static"])
    token = config.registry.cachebreaker
    config.include("tet.static")
    includeme(config)
    assert config.registry.cachebreaker == token


def test_urls_hold_the_token(make: Make, package: ModuleType) -> None:
    spec = f"{package.__name__}:static/deep/er/x.css"
    app = make("rel-1.4.2", urls(("static_url", spec), ("static_path", spec)))
    assert generated(app)[spec] == "/static/rel-1.4.2/deep/er/x.css"
    app = make("rel-1.4.2", urls(("static_url", spec)))
    assert generated(app)[spec] == "http://localhost/static/rel-1.4.2/deep/er/x.css"
    assert ask(app, generated(app)[spec].removeprefix("http://localhost")).text == "x"


def test_the_current_url_gives_the_file(make: Make) -> None:
    answer = ask(make(), f"{CURRENT}/style.css")
    assert (answer.status_int, answer.text) == (200, CSS)
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["ETag"].startswith('"')
    assert "Last-Modified" in answer.headers


def test_an_older_token_is_redirected_with_its_query(make: Make) -> None:
    for token in ("9", "1699999999999", "001699999999999"):
        answer = ask(make(), f"/static/{token}/deep/er/x.css?v=1&w=%20")
        assert answer.status_int == 301
        assert answer.headers["Location"] == f"{CURRENT}/deep/er/x.css?v=1&w=%20"
        assert answer.headers["Cache-Control"] == "max-age=0, must-revalidate"
        assert answer.body == b""


def test_a_newer_token_is_to_be_asked_for_again(make: Make) -> None:
    answer = ask(make(), "/static/1700000000001/style.css")
    assert answer.status_int == 503
    assert answer.headers["Retry-After"] == "3"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["abc", "1.9.0", "01700000000000", "-1", "1e3", "%D9%A4"])
def test_an_unknown_token_gets_the_current_file_uncached(make: Make, token: str) -> None:
    answer = ask(make(cache_max_age=31536000), f"/static/{token}/style.css")
    assert (answer.status_int, answer.text) == (200, CSS)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Expires" not in answer.headers


@pytest.mark.parametrize("token", ["1700000000000", "abc"])
def test_an_absent_file_is_404(make: Make, token: str) -> None:
    answer = ask(make(), f"/static/{token}/absent.css")
    assert answer.status_int == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_opaque_tokens_are_never_newer_than_each_other(make: Make) -> None:
    app = make("1.10.0")
    assert ask(app, "/static/1.9.0/style.css").status_int == 200
    assert ask(app, "/static/1.11.0/style.css").status_int == 200
    assert ask(app, "/static/5/style.css").status_int == 200


def test_not_found_views_answer_for_absent_files(make: Make) -> None:
    def configure(config: Any) -> None:
        def not_found(request: Any) -> Any:
            request.response.status = 404
            request.response.text = "my own"
            return request.response

        config.add_notfound_view(not_found)

    assert ask(make(configure=configure), f"{CURRENT}/absent.css").text == "my own"


@pytest.mark.parametrize("name", ["static", "static/breaker", "{Breaker}", "{breaker}/{breaker}"])
def test_a_name_without_one_placeholder_is_a_value_error(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match=r"expected '\{breaker\}' in it once"):
        make(name=name)


@pytest.mark.parametrize(
    ("age", "caching"),
    [
        (31536000, "max-age=31536000"),
        (timedelta(hours=1), "max-age=3600"),
        (0, "max-age=0, must-revalidate, no-cache, no-store"),
        (None, None),
    ],
)
def test_cache_max_age_is_in_effect(make: Make, age: object, caching: str | None) -> None:
    app = make(cache_max_age=age)
    answer = ask(app, f"{CURRENT}/style.css")
    assert answer.headers.get("Cache-Control") == caching
    assert ("Expires" in answer.headers) is (caching is not None)
    if age:
        again = ask(app, f"{CURRENT}/style.css", if_none_match=answer.headers["ETag"])
        assert (again.status_int, again.headers["Cache-Control"]) == (304, caching)
    assert ask(app, f"{CURRENT}/absent.css").headers["Cache-Control"] == "no-store"


def test_a_default_permission_does_not_lock_the_files(make: Make) -> None:
    class Deny:
        def permits(self, request: object, context: object, permission: object) -> bool:
            return False

        def authenticated_userid(self, request: object) -> None: ...

    def configure(config: Any) -> None:
        config.set_security_policy(Deny())
        config.set_default_permission("view")

    app = make(configure=configure)
    codes = [ask(app, f"/static/{t}/style.css").status_int for t in ("1700000000000", "9", "abc")]
    assert codes == [200, 301, 200]
    locked = make(configure=configure, permission="view")
    for token in ("1700000000000", "9", "abc", "1800000000000"):
        assert ask(locked, f"/static/{token}/style.css").status_int == 403


def test_predicates_and_factories_hold_for_both_routes(make: Make) -> None:
    seen: list[str] = []

    def factory(request: Any) -> object:
        seen.append(request.path)
        return object()

    app = make(header="X-Inside:yes", factory=factory)
    for token in ("1700000000000", "abc"):
        assert ask(app, f"/static/{token}/style.css").status_int == 404
        assert ask(app, f"/static/{token}/style.css", x_inside="yes").status_int == 200
    assert seen == ["/static/1700000000000/style.css", "/static/abc/style.css"]


def test_a_pregenerator_is_heeded(make: Make, package: ModuleType) -> None:
    def pregenerator(request: Any, elements: Iterable[str], kw: dict[str, Any]) -> Any:
        kw["_query"] = {"from": "pregenerator"}
        return elements, kw

    spec = f"{package.__name__}:static/app.js"
    app = make(configure=urls(("static_path", spec)), pregenerator=pregenerator)
    assert generated(app)[spec] == f"{CURRENT}/app.js?from=pregenerator"


def test_content_encodings_are_negotiated(make: Make, package: ModuleType) -> None:
    app = make(content_encodings=["gzip"])
    answer = ask(app, f"{CURRENT}/app.js", accept_encoding="gzip")
    plain = ask(app, f"{CURRENT}/app.js", accept_encoding="gzip;q=0")
    # The stored form is larger here, so that it is sent only where identity is refused.
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert plain.body == b"1"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.body == b"compressed"
    assert answer.headers["ETag"] != plain.headers["ETag"]
    assert "Vary" not in ask(app, f"{CURRENT}/style.css").headers
    with pytest.raises(Exception, match="content_encodings"):
        make(content_encodings=["rot13"])


def test_overrides_of_assets_hold(make: Make, package: ModuleType) -> None:
    name = package.__name__

    def configure(config: Any) -> None:
        config.override_asset(f"{name}:static/style.css", f"{name}:override/style.css")
        config.override_asset(f"{name}:static/deep/", f"{name}:other/")
        config.override_asset(f"{name}:static/app.js", f"{name}:other/x.css")

    app = make(configure=configure)
    assert ask(app, f"{CURRENT}/style.css").text == "overridden"
    assert ask(app, f"{CURRENT}/deep/x.css").text == "other"
    assert ask(app, f"{CURRENT}/app.js").text == "other"
    assert ask(app, f"{CURRENT}/deep/er/x.css").text == "x"


def test_cache_busters_hold(make: Make, package: ModuleType) -> None:
    spec = f"{package.__name__}:static/app.js"

    def configure(config: Any) -> None:
        from pyramid.static import (  # pyright: ignore[reportMissingTypeStubs]
            QueryStringConstantCacheBuster,
        )

        config.add_cache_buster(f"{package.__name__}:static", QueryStringConstantCacheBuster("b"))
        urls(("static_path", spec))(config)

    assert generated(make(configure=configure))[spec] == f"{CURRENT}/app.js?x=b"


def test_files_of_an_absolute_folder_are_served(make: Make, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("absolute")
    app = make(path=str(tmp_path / "files"))
    assert ask(app, f"{CURRENT}/a.txt").text == "absolute"
    assert ask(app, "/static/9/a.txt").status_int == 301


def test_a_relative_path_is_of_the_package(make: Make) -> None:
    assert ask(make(path="static"), f"{CURRENT}/style.css").status_int == 200


def test_several_views_keep_apart(make: Make, package: ModuleType) -> None:
    name = package.__name__
    specs = [f"{name}:static/app.js", f"{name}:other/x.css"]

    def configure(config: Any) -> None:
        config.add_static_view_with_breaker(name="static/{breaker}/other", path=f"{name}:other")
        urls(*(("static_path", spec) for spec in specs))(config)

    app = make(configure=configure)
    assert generated(app) == {
        specs[0]: f"{CURRENT}/app.js",
        specs[1]: f"{CURRENT}/other/x.css",
    }
    assert ask(app, f"{CURRENT}/other/x.css").text == "other"
    assert ask(app, f"{CURRENT}/app.js").text == "1"
    assert ask(app, "/static/9/other/x.css").headers["Location"] == f"{CURRENT}/other/x.css"
    assert ask(app, "/static/abc/other/x.css").text == "other"
    assert ask(app, "/static/abc/deep/er/x.css").text == "x"


def test_the_same_name_twice_is_a_conflict(make: Make, package: ModuleType) -> None:
    def configure(config: Any) -> None:
        path = f"{package.__name__}:other"
        config.add_static_view_with_breaker(name="static/{breaker}", path=path)

    with pytest.raises(Exception, match="Conflicting configuration actions"):
        make(configure=configure)


def test_a_view_keeps_the_token_that_it_was_registered_with(
    make: Make, package: ModuleType
) -> None:
    name = package.__name__
    specs = [f"{name}:static/app.js", f"{name}:other/x.css"]

    def configure(config: Any) -> None:
        config.set_cachebreaker("2000")
        config.add_static_view_with_breaker(name="second/{breaker}", path=f"{name}:other")
        config.set_cachebreaker("3000")
        urls(*(("static_path", spec) for spec in specs))(config)

    app = make("1000", configure)
    assert list(generated(app).values()) == ["/static/1000/app.js", "/second/2000/x.css"]
    assert ask(app, "/static/900/app.js").headers["Location"] == "/static/1000/app.js"
    assert ask(app, "/second/900/x.css").headers["Location"] == "/second/2000/x.css"
    assert ask(app, "/static/2000/app.js").status_int == 503


@pytest.mark.parametrize("name", ["static/{breaker}/", "/static/{breaker}", "a-{breaker}/x.y"])
def test_names_of_other_forms_work(make: Make, package: ModuleType, name: str) -> None:
    spec = f"{package.__name__}:static/deep/er/x.css"
    app = make("5", urls(("static_path", spec)), name=name)
    url = "/" + name.replace("{breaker}", "5").strip("/") + "/deep/er/x.css"
    assert generated(app)[spec] == url
    assert ask(app, url).text == "x"
    assert ask(app, url.replace("5", "4", 1)).headers["Location"] == url
    assert ask(app, url.replace("5", "t", 1)).text == "x"


def test_route_prefixes_hold_for_all_routes(make: Make, package: ModuleType) -> None:
    name = package.__name__
    spec = f"{name}:static/app.js"

    def inner(config: Any) -> None:
        config.add_static_view_with_breaker(name="static/{breaker}", path=f"{name}:static")

    def configure(config: Any) -> None:
        config.include(inner, route_prefix="shop")
        config.add_static_view_with_breaker(name="static/{breaker}", path=f"{name}:other")
        urls(("static_path", spec))(config)

    app = make("5", configure, name="")
    assert generated(app)[spec] == "/shop/static/5/app.js"
    assert ask(app, "/shop/static/5/app.js").text == "1"
    assert ask(app, "/shop/static/4/app.js").headers["Location"] == "/shop/static/5/app.js"
    assert ask(app, "/shop/static/6/app.js").status_int == 503
    assert ask(app, "/static/5/x.css").text == "other"


def test_a_mounted_application_redirects_inside_its_mount(make: Make) -> None:
    answer = ask(make(), "/static/9/app.js", base="http://localhost/mounted")
    assert answer.headers["Location"] == f"/mounted{CURRENT}/app.js"


def test_a_name_on_another_host_generates_urls_only(make: Make, package: ModuleType) -> None:
    spec = f"{package.__name__}:static/app.js"
    app = make("5", urls(("static_url", spec)), name="https://cdn.example/{breaker}/s")
    assert generated(app)[spec] == "https://cdn.example/5/s/app.js"
    assert ask(app, "/5/s/app.js").status_int == 404


def test_a_cdn_makes_the_urls_of_files_that_are_served_here(
    make: Make, package: ModuleType
) -> None:
    path = f"{package.__name__}:static"
    spec = f"{path}/app.js"

    def configure(config: Any) -> None:
        config.add_static_view_with_breaker(name="https://cdn.example/s/{breaker}", path=path)
        config.add_static_view_with_breaker(name="s/{breaker}", path=path, cache_max_age=9)
        urls(("static_url", spec))(config)

    app = make("5", configure, name="")
    assert generated(app)[spec] == "https://cdn.example/s/5/app.js"
    assert ask(app, "/s/5/app.js").headers["Cache-Control"] == "max-age=9"
    assert ask(app, "/s/4/app.js").headers["Location"] == "/s/5/app.js"


@pytest.mark.parametrize("name", ["a b.txt", "é.txt", "a+b&c.txt", "a'(b)!$,;=@~.txt", "x%zz.txt"])
def test_names_of_any_kind_are_linked_and_redirected_to(
    make: Make, package: ModuleType, name: str
) -> None:
    (Path(str(package.__file__)).parent / "static" / name).write_text(name)
    spec = f"{package.__name__}:static/{name}"
    app = make("5", urls(("static_path", spec)))
    url = generated(app)[spec]
    assert ask(app, url).text == name
    location = ask(app, url.replace("/5/", "/4/")).headers["Location"]
    assert location.isascii()
    assert ask(app, location).text == name


def test_a_traversal_pattern_holds_for_both_routes(make: Make) -> None:
    seen: list[tuple[str, ...]] = []

    class Node:
        def __getitem__(self, name: str) -> object:
            seen.append((name,))
            raise KeyError(name)

    def factory(request: Any) -> object:
        return Node()

    app = make(factory=factory, traverse="/*subpath")
    for token in ("1700000000000", "abc", "9"):
        assert ask(app, f"/static/{token}/style.css").status_int in {404, 200, 301}
    assert seen == [("style.css",)] * 3


def test_an_index_answers_for_its_folder(make: Make) -> None:
    app = make()
    assert ask(app, f"{CURRENT}/site/").text == "index of site"
    assert ask(app, f"{CURRENT}/site?a=b").headers["Location"] == f"{CURRENT}/site/?a=b"
    for path in ("", "deep", "deep/", "deep/er/", "site//", "absent/"):
        assert ask(app, f"{CURRENT}/{path}").status_int == 404
    assert ask(app, "/static/9/site/").headers["Location"] == f"{CURRENT}/site/"


def test_conditionals_ranges_and_head_work(make: Make) -> None:
    app = make()
    tag = ask(app, f"{CURRENT}/style.css").headers["ETag"]
    for token in ("1700000000000", "abc"):
        path = f"/static/{token}/style.css"
        assert ask(app, path, if_none_match=f'"x", W/{tag}').status_int == 304
        part = ask(app, path, range="bytes=0-0")
        assert (part.status_int, part.body) == (206, b"a")
        assert ask(app, path, range="bytes=99999-").status_int == 416
        head = ask(app, path, "HEAD")
        assert (head.body, head.headers["Content-Length"]) == (b"", str(len(CSS)))
        assert ask(app, path, "OPTIONS").headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_large_file_is_sent_from_the_disk(make: Make, package: ModuleType) -> None:
    data = os.urandom(1024 * 1024 + 10)
    (Path(str(package.__file__)).parent / "static" / "big.bin").write_bytes(data)
    app = make()
    assert ask(app, f"{CURRENT}/big.bin").body == data
    assert ask(app, f"{CURRENT}/big.bin", range="bytes=5-9").body == data[5:10]
    tag = ask(app, f"{CURRENT}/big.bin", "HEAD").headers["ETag"]
    assert ask(app, f"{CURRENT}/big.bin", if_none_match=tag).status_int == 304
    from wsgiref.util import FileWrapper

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        return app({**environ, "wsgi.file_wrapper": FileWrapper}, start_response)

    assert ask(wrapped, f"{CURRENT}/big.bin").body == data


def test_an_edited_file_is_seen_at_once(make: Make, package: ModuleType) -> None:
    app = make()
    (Path(str(package.__file__)).parent / "static" / "app.js").write_text("2")
    assert ask(app, f"{CURRENT}/app.js").body == b"2"


def test_a_file_that_goes_away_while_it_is_answered_is_404(
    make: Make, package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asok.assets import FileSlice
    from tet import asset_folder

    big = Path(str(package.__file__)).parent / "static" / "big.bin"
    big.write_bytes(bytes(1024 * 1024 + 1))
    app = make()

    def vanish(*_: object, **__: object) -> object:
        raise FileNotFoundError

    monkeypatch.setattr(FileSlice, "open", vanish)
    assert ask(app, f"{CURRENT}/big.bin").status_int == 404
    monkeypatch.setattr(asset_folder, "disk_resource", vanish)
    assert ask(app, f"{CURRENT}/app.js").status_int == 404


def test_it_works_in_pyramids_own_test_kit(package: ModuleType) -> None:
    from pyramid import testing  # pyright: ignore[reportMissingTypeStubs]

    config = cast("Any", testing).setUp()
    try:
        config.include("tet.static")
        config.set_cachebreaker("5")
        config.add_static_view_with_breaker(name="s/{breaker}", path=f"{package.__name__}:static")
        url = cast("Any", testing).DummyRequest().static_path(f"{package.__name__}:static/app.js")
        assert url == "/s/5/app.js"
        assert ask(config.make_wsgi_app(), url).body == b"1"
    finally:
        cast("Any", testing).tearDown()
