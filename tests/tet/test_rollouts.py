"""Deploys, rollbacks and mixed versions, seen by a browser with an HTTP cache."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from .conftest import Answer, App, Make, ask


class Browser:
    """Follows redirects and keeps what it may, until it has to be revalidated."""

    def __init__(self, servers: Iterator[App]) -> None:
        self.servers = servers
        self.kept: dict[str, Answer] = {}
        self.redirects = 0

    def load(self, url: str) -> Answer:
        self.redirects = 0
        while True:
            answer = self.kept.get(url) or ask(next(self.servers), url)
            caching = str(answer.headers.get("Cache-Control", ""))
            age = re.search(r"max-age=(\d+)", caching)
            if "no-" not in caching and age is not None and int(age[1]) > 0:
                self.kept[url] = answer
            if answer.status_int != 301:
                return answer
            self.redirects += 1
            assert self.redirects < 5, "redirected for ever"
            url = answer.headers["Location"]


def page(app: App) -> str:
    return ask(app, "/page").text


@pytest.fixture
def deploy(make: Make, package: ModuleType) -> Any:
    """Return a call that starts a server of one release."""

    def start(token: str) -> App:
        def configure(config: Any) -> None:
            def view(request: Any) -> str:
                return request.static_path(f"{package.__name__}:static/style.css")

            config.add_route("page", "/page")
            config.add_view(view, route_name="page", renderer="string")

        return make(token, configure, cache_max_age=31536000)

    return start


@pytest.mark.parametrize(("a", "b"), [("1000", "2000"), ("v1", "v2"), ("1.9.0", "1.10.0")])
def test_deploy_and_rollback_with_a_cache_in_the_loop(deploy: Any, a: str, b: str) -> None:
    history = [deploy(a), deploy(b), deploy(a), deploy(b)]
    now = [history[0]]
    browser = Browser(itertools.cycle(now))
    for app in history:
        now[0] = app
        browser.servers = itertools.repeat(app)
        for seen in {page(old) for old in history[: history.index(app) + 1]}:
            if browser.load(seen).status_int != 200:
                # Only a page of the later release, left open over the rollback.
                assert seen != page(app)
                assert browser.load(seen).status_int == 503
        assert browser.load(page(app)).status_int == 200


def test_timestamps_never_fail_over_deploys_of_any_release(deploy: Any) -> None:
    pages: list[str] = []
    browser = Browser(iter(()))
    for token in ("1000", "2000", "3000"):
        app = deploy(token)
        pages.append(page(app))
        browser.servers = itertools.repeat(app)
        for seen in pages:
            assert browser.load(seen).status_int == 200
            assert browser.redirects <= 1


@pytest.mark.parametrize(("a", "b"), [("v1", "v2"), ("1.9.0", "1.10.0"), ("abc", "7")])
@pytest.mark.parametrize("workers", [1, 3, 16])
def test_mixed_versions_behind_a_round_robin_never_fail(
    deploy: Any, a: str, b: str, workers: int
) -> None:
    old, new = deploy(a), deploy(b)
    servers = itertools.cycle([old] * workers + [new])
    browser = Browser(servers)
    for _ in range(3 * workers + 3):
        assert browser.load(page(next(servers))).status_int == 200
        assert browser.redirects <= 1
