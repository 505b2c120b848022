"""A site whose pages write down their renders, served by four workers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.site import build, running, write_site

__all__ = ["WORKERS", "Server", "served"]

WORKERS = 4

#: `{name}` of a page: the line of `renders` names the process, so that a test can kill it.
SLOW = """
import os, time
SSG = True
REVALIDATE = 4
def get_static_paths():
    return []
def get(request):
    slug = request.params["slug"]
    log = os.open("renders", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(log, f"{slug} {os.getpid()}\\n".encode())
    os.close(log)
    time.sleep(1.5)
    return f"<p>{slug}</p>"
"""

SITE = {
    "src/pages/slow/[slug]/page.py": SLOW,
    "src/pages/page.py": "SSG = True\nREVALIDATE = 3600",
    "src/pages/page.html": "<h1>Home</h1>",
    "src/pages/any/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return [{"slug": "listed"}]
        def get(request):
            return "<p>" + request.params["slug"] + "</p>" + "<p>38 KB of text</p>" * 2000
        """,
    "src/pages/known/[slug]/page.py": """
        SSG = True
        FALLBACK = "404"
        def get_static_paths():
            return [{"slug": "listed"}]
        def get(request):
            return "<p>known</p>"
        """,
    "src/pages/asked/[slug]/page.py": """
        SSG = True
        REVALIDATE = 3600
        def get_static_paths():
            return [{"slug": "listed"}]
        def get(request):
            if request.params["slug"] != "listed":
                return ("<p>none</p>", 404)
            return "<p>asked</p>"
        """,
    "src/pages/often/page.py": """
        import os
        SSG = True
        REVALIDATE = 1
        def get(request):
            with open("often", "a") as log:
                log.write(".")
            return f"<p>{os.path.getsize('often')}</p>"
        """,
}


@dataclass(frozen=True)
class Server:
    """The site as it runs: its URL, its folder, and the process that started its workers."""

    url: str
    root: Path
    pid: int

    def renders(self, slug: str) -> list[int]:
        """The processes that rendered a slow page, in order."""
        log = self.root / "renders"
        lines = log.read_text().splitlines() if log.exists() else []
        return [int(line.split()[1]) for line in lines if line.split()[0] == slug]

    def workers(self) -> list[int]:
        """The processes that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        # multiprocessing's resource tracker is a child as well, and serves nothing.
        return [
            int(child)
            for child in children
            if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def memory(self) -> int:
        """The bytes that only these processes hold, all of them together."""
        total = 0
        for worker in self.workers():
            for line in Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    total += int(line.split()[1]) * 1024
        return total

    def disk(self) -> tuple[int, int]:
        """How many files there are in `.asok`, and their bytes.

        Leases count as one: at most 4,096 empty files, shared by all pages.
        """
        sizes: list[int] = []
        leases = 0
        for file in (self.root / ".asok").rglob("*"):
            with suppress(FileNotFoundError):  # a page was replaced meanwhile
                if not file.is_file():
                    continue
                if file.parent.name == "locks":
                    leases += 1
                else:
                    sizes.append(file.stat().st_size)
        assert leases <= 4096
        return len(sizes), sum(sizes)


@contextmanager
def served(root: Path, *, preview: bool = False, **variables: str) -> Generator[Server]:
    """Build the site in `root` and serve it by uvicorn, or by `asok preview`."""
    write_site(root, SITE)
    build(root, **variables)
    command = ["uvicorn", "wsgi:app", "--host", "127.0.0.1", "--no-access-log"]
    if preview:
        command = ["asok", "preview"]
    workers = ("--workers", str(WORKERS), "--port", "{port}")
    log = root / "server.log"
    with running(root, "-m", *command, *workers, port=None, log=log, **variables) as (url, process):
        yield Server(url.replace("localhost", "127.0.0.1"), root, process.pid)
