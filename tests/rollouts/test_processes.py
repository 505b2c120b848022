"""Rolling deploys and rollbacks of real servers behind nginx with its cache: nothing fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import httpx
import pytest

from .browser import Answer, Browser
from .fleet import content
from .hosts import KINDS, Host, balancer, second_cache

pytestmark = pytest.mark.soak

DEPLOYS = ("3f2a", "b07c", "3f2a", "9e1d")


class Visitor(threading.Thread):
    """Opens pages and loads their files, of the last pages too, until it is told to stop."""

    def __init__(self, url: str, ended: threading.Event) -> None:
        super().__init__()
        self.client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self.ended = ended
        self.browser = Browser(self.fetch)
        self.pages: list[dict[str, str]] = []
        self.wrong: list[str] = []
        self.loads = 0
        self.redirects = 0

    def fetch(self, url: str, headers: Mapping[str, str]) -> Answer:
        answer = self.client.get(url, headers=dict(headers))
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                self.visit()
        except Exception as error:  # noqa: BLE001 — a thread's error is told by its test
            self.wrong.append(repr(error))

    def visit(self) -> tuple[str, dict[str, str]]:
        """Open the page; returns its release and its files."""
        answer = self.client.get("/")
        if answer.status_code != 200:
            self.wrong.append(f"the page: {answer.status_code} {answer.text[:300]}")
        if not answer.text.startswith("{"):
            self.wrong.append(f"{answer.status_code} {answer.headers} {answer.text[:300]!r}")
        told = json.loads(answer.text)
        urls: dict[str, str] = told["urls"]
        if urls not in self.pages:
            self.pages.append(urls)
        for page in self.pages[-2:]:
            for url in page.values():
                loaded = self.browser.load(url)
                self.loads += 1
                self.redirects += loaded.redirects
                if loaded.status != 200 or loaded.redirects > (1 if page is urls else 2):
                    self.wrong.append(f"{url}: {loaded.status}, {loaded.redirects} redirects")
        self.browser.now += 1
        return told["release"], urls


@pytest.mark.parametrize("workers", [1, 4, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_no_file_fails_over_rolling_deploys_and_a_rollback(
    tmp_path: Path, kind: str, workers: int
) -> None:
    roll_out(tmp_path, kind, workers, nullcontext)


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_fails_behind_a_second_cache(tmp_path: Path, kind: str) -> None:
    roll_out(tmp_path, kind, 4, second_cache)


def roll_out(
    tmp_path: Path, kind: str, workers: int, before: Callable[[str], AbstractContextManager[str]]
) -> None:
    """Play deploys and a rollback over two hosts, with visitors `before` their balancer."""
    hosts = [Host(kind, tmp_path / name, workers) for name in ("one", "two")]
    ended = threading.Event()
    visitors: list[Visitor] = []
    try:
        for host in hosts:
            host.folder.mkdir()
            host.deploy(DEPLOYS[0])
        with balancer(hosts) as direct, before(direct) as url:
            visitors = [Visitor(url, ended) for _ in range(3)]
            for visitor in visitors:
                visitor.start()
            for release in DEPLOYS[1:]:
                for host in hosts:
                    host.deploy(release)
                # Every host has it now: whoever comes gets this release, and nothing stale.
                newcomer = Visitor(url, ended)
                visitors.append(newcomer)
                seen, urls = newcomer.visit()
                assert seen == release
                for name, file in urls.items():
                    assert newcomer.browser.load(file).body == content(name, release)
            ended.set()
            for visitor in visitors[:3]:
                visitor.join(60)
    finally:
        ended.set()
        for visitor in visitors:
            if visitor.is_alive():
                visitor.join(60)
            visitor.client.close()
        for host in hosts:
            host.stop()
    assert [visitor.wrong[:3] for visitor in visitors if visitor.wrong] == []
    assert all(visitor.loads > 50 for visitor in visitors[:3])
