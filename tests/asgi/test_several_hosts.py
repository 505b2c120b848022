"""Two hosts with the same build and one Redis: they render once, and agree within a second."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ..cache.proxy import Proxy, proxied
from ..services import wait_until
from ..site import load_site, serve, write_site

BLOG = """
import os, time
from pathlib import Path
from asok import Request
SSG = True
TAGS = ("posts",)
LOG = Path({log!r})
def get_static_paths():
    return [{{"slug": "listed"}}]
def get(request: Request):
    slug = request.params["slug"]
    handle = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, (slug + "\\n").encode())
    os.close(handle)
    if slug == "slow":
        time.sleep(1)
    return f"<p>{{slug}} {{(LOG.parent / 'text').read_text()}}</p>"
"""

#: A machine that is busy with other tests must not count as a Redis that is away.
WSGI = """
from asok import Asok
from asok.pages.redis_overlay import RedisOverlay
RedisOverlay.__init__.__kwdefaults__["timeout"] = 5.0
app = Asok()
"""

REVALIDATE = """
from asok import Request, revalidate_path, revalidate_tag
def get(request: Request):
    if "tag" in request.query_params:
        revalidate_tag(request.query_params["tag"], block="stale" not in request.query_params)
    else:
        revalidate_path(request.query_params["path"], block=True)
    return "done"
"""


@dataclass
class Hosts:
    """Two of them, each with two workers."""

    urls: list[str]
    folder: Path
    proxy: Proxy

    def write(self, text: str) -> None:
        """What a render shows from now on."""
        (self.folder / "text").write_text(text)

    def renders(self, slug: str) -> int:
        log = self.folder / "log"
        return log.read_text().split().count(slug) if log.exists() else 0

    def ask(self, host: int, address: str) -> str:
        answer = httpx.get(self.urls[host] + address, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text

    def ask_at_once(self, address: str) -> list[str]:
        """The answers to two hundred visitors of both hosts."""

        async def one(client: httpx.AsyncClient, host: int) -> str:
            return (await client.get(self.urls[host] + address)).text

        async def run() -> list[str]:
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
            async with httpx.AsyncClient(limits=limits, timeout=60) as client:
                return await asyncio.gather(*(one(client, number % 2) for number in range(200)))

        return asyncio.run(run())

    def everywhere(self, address: str, text: str) -> bool:
        """Whether every worker (asked by connections of their own) shows `text`."""
        return all(text in self.ask(host, address) for _ in range(4) for host in (0, 1))


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Generator[Hosts]:
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "text").write_text("first")
    first = write_site(
        folder / "one",
        {
            "src/pages/blog/[slug]/page.py": BLOG.format(log=str(folder / "log")),
            "src/pages/revalidate/page.py": REVALIDATE,
            "wsgi.py": WSGI,
        },
    )
    load_site(first).freeze(workers=1)
    shutil.copytree(first, folder / "two")
    with ExitStack() as stack:
        proxy = stack.enter_context(proxied(redis_url))
        urls = [
            stack.enter_context(
                serve(
                    folder / name,
                    *("--workers", "2"),
                    ASOK_PAGES_BACKEND="redis",
                    ASOK_REDIS_URL=proxy.url,
                )
            )
            for name in ("one", "two")
        ]
        yield Hosts(urls, folder, proxy)


def test_a_page_made_on_one_host_is_served_by_the_other(hosts: Hosts) -> None:
    hosts.write("made")
    text = hosts.ask(0, "/blog/new")
    hosts.write("later")
    for _ in range(4):
        assert hosts.ask(1, "/blog/new") == text
    assert hosts.renders("new") == 1


@pytest.mark.parametrize("query", ["path=/blog/listed", "tag=posts"])
def test_what_one_host_revalidates_is_new_on_the_other(hosts: Hosts, query: str) -> None:
    assert hosts.ask(0, "/blog/listed") == hosts.ask(1, "/blog/listed")
    hosts.write(f"written for {query}")
    assert hosts.ask(0, f"/revalidate?{query}") == "done"
    # The watch asks four times a second; how long a loaded machine takes is not asserted.
    wait_until(lambda: hosts.everywhere("/blog/listed", query), what="the news")
    renders = hosts.renders("listed")
    assert hosts.everywhere("/blog/listed", query)
    assert hosts.renders("listed") == renders


def test_two_hundred_misses_over_four_processes_are_one_render(hosts: Hosts) -> None:
    answers = hosts.ask_at_once("/blog/slow")
    assert len(set(answers)) == 1
    assert "slow" in answers[0]
    assert hosts.renders("slow") == 1


def test_two_hundred_stale_hits_over_four_processes_are_one_render(hosts: Hosts) -> None:
    hosts.write("old")
    assert hosts.ask(0, "/revalidate?path=/blog/slow") == "done"
    wait_until(lambda: hosts.everywhere("/blog/slow", "old"), what="the old page")
    renders = hosts.renders("slow")
    hosts.write("new")
    assert hosts.ask(0, "/revalidate?tag=posts&stale") == "done"
    answers = hosts.ask_at_once("/blog/slow")
    assert set(answers) <= {"<p>slow old</p>", "<p>slow new</p>"}
    wait_until(lambda: hosts.everywhere("/blog/slow", "new"), what="the new page")
    assert hosts.renders("slow") == renders + 1


def test_while_redis_hangs_the_hosts_serve_what_they_have_and_make_what_is_new(
    hosts: Hosts,
) -> None:
    hosts.write("before the trouble")
    assert hosts.ask(0, "/revalidate?tag=posts") == "done"
    wait_until(lambda: hosts.everywhere("/blog/listed", "before the trouble"), what="the page")
    hosts.proxy.mode = "hang"
    try:
        for _ in range(4):
            for host in (0, 1):
                assert "before the trouble" in hosts.ask(host, "/blog/listed")
                assert "alone" in hosts.ask(host, "/blog/alone")
    finally:
        hosts.proxy.mode = "pass"
    hosts.write("after the trouble")
    assert hosts.ask(0, "/revalidate?tag=posts") == "done"
    wait_until(lambda: hosts.everywhere("/blog/listed", "after the trouble"), what="the recovery")
    wait_until(lambda: hosts.everywhere("/blog/alone", "after the trouble"), what="the new page")
