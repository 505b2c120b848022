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

REVALIDATE = """
from asok import Request, revalidate_path, revalidate_tag
def get(request: Request):
    if "tag" in request.query_params:
        revalidate_tag(request.query_params["tag"], block=True)
    else:
        revalidate_path(request.query_params["path"], block=True)
    return "done"
"""


@dataclass
class Hosts:
    """Two of them, each with two workers."""

    urls: list[str]
    folder: Path

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
        },
    )
    load_site(first).freeze(workers=1)
    shutil.copytree(first, folder / "two")
    with ExitStack() as stack:
        urls = [
            stack.enter_context(
                serve(
                    folder / name,
                    *("--workers", "2"),
                    ASOK_PAGES_BACKEND="redis",
                    ASOK_REDIS_URL=redis_url,
                )
            )
            for name in ("one", "two")
        ]
        yield Hosts(urls, folder)


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
    async def one(client: httpx.AsyncClient, host: int) -> str:
        return (await client.get(hosts.urls[host] + "/blog/slow")).text

    async def run() -> list[str]:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            return await asyncio.gather(*(one(client, number % 2) for number in range(200)))

    answers = asyncio.run(run())
    assert len(set(answers)) == 1
    assert "slow" in answers[0]
    assert hosts.renders("slow") == 1
