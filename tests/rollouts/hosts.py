"""Two hosts with several workers each, behind nginx: real processes for rolling deploys."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.proxies.servers import nginx, shared_cache, varnish
from tests.services import free_port
from tests.site import build, environment, wait_until_up, write_site

from .fleet import write_release

__all__ = ["KINDS", "NAMES", "Host", "balancer", "second_cache"]

#: `.min`: published as they are, so that their bytes tell the release.
NAMES = ("same.txt", "style.min.css", "deep/app.min.js")

#: As the guides of the documentation have it: a host that is down, or that is older than the
#: page which was asked for, leaves the request to the next one.
NGINX = """
    upstream site {{
        {servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://site;
            proxy_set_header Host $http_host;
            proxy_next_upstream error timeout http_503;
            proxy_cache pages;
            proxy_cache_revalidate on;
            add_header X-Proxy $upstream_cache_status always;
        }}
    }}
"""

#: Varnish's own rules, but for visitors with a cookie, who get what is kept too.
VARNISH = """
    vcl 4.1;
    backend site {{ .host = "127.0.0.1"; .port = "{origin}"; }}
    sub vcl_recv {{
        if (req.method == "GET" || req.method == "HEAD") {{ return (hash); }}
    }}
    sub vcl_backend_response {{ set beresp.keep = 1h; }}
"""

PYRAMID = """
import json
from tet.config import application_factory

@application_factory(excluded_features=["renderers.tonnikala"])
def main(config):
    config.include("tet.static")
    {token}
    config.add_static_view_with_breaker(
        name="static/{{breaker}}", path="site_of_tests:static", cache_max_age=31536000
    )
    config.add_route("home", "/")
    config.add_view(home, route_name="home")

def home(request):
    names = {names!r}
    urls = {{n: request.static_path("site_of_tests:static/" + n) for n in names}}
    request.response.text = json.dumps({{"release": {release!r}, "urls": urls}})
    request.response.cache_control = "no-store"
    return request.response

application = main({{}})
"""


@dataclass
class Host:
    """One host: a folder, a port, and the server that runs there now."""

    kind: str
    folder: Path
    workers: int
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def deploy(self, release: str) -> None:
        """Replace what runs here by `release`; the port is closed in between."""
        write, command = KINDS[self.kind]
        if self.kind == "asok":  # a build beside the running site
            write(self.folder, release)
        self.stop()
        if self.kind != "asok":
            write(self.folder, release)
        given = [part.format(port=self.port, workers=self.workers) for part in command]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *given], cwd=self.folder,
                env=environment(PYTHONDONTWRITEBYTECODE="1"), stdout=log, stderr=log,
            )  # fmt: skip
        wait_until_up(f"http://127.0.0.1:{self.port}", self.process, 90)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Let the workers finish what they have, and end."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def _write_pyramid(token: str) -> Callable[[Path, str], None]:
    def write(folder: Path, release: str) -> None:
        package = folder / "site_of_tests"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        shutil.rmtree(package / "static", ignore_errors=True)
        write_release(package / "static", NAMES, release)
        line = token.format(release=release)
        text = PYRAMID.format(token=line, names=NAMES, release=release)
        (folder / "wsgi.py").write_text(text)

    return write


def _write_asok(folder: Path, release: str) -> None:
    urls = ", ".join(f'"{name}": "{{{{ static({name!r}) }}}}"' for name in NAMES)
    page = f'{{"release": "{release}", "urls": {{ {urls} }}}}'.replace("}}}", "} }")
    write_site(folder, {"src/pages/page.html": page})
    write_release(folder / "src/static", NAMES, release)
    build(folder)


_GUNICORN = ("gunicorn", "--bind=127.0.0.1:{port}", "--workers={workers}", "--log-level=error",
             "wsgi")  # fmt: skip
KINDS: dict[str, tuple[Callable[[Path, str], None], Sequence[str]]] = {
    "tet, default token": (_write_pyramid("pass"), _GUNICORN),
    "tet, releases": (_write_pyramid("config.set_cachebreaker({release!r})"), _GUNICORN),
    "asok": (
        _write_asok,
        ("uvicorn", "wsgi:app", "--port={port}", "--workers={workers}", "--log-level=error"),
    ),
}


@contextmanager
def balancer(hosts: Sequence[Host]) -> Generator[str]:
    """Run nginx with its cache in front of `hosts`, asked in turn; yields its URL."""
    servers = "\n".join(f"server 127.0.0.1:{host.port} max_fails=0;" for host in hosts)
    with shared_cache(
        "nginx", lambda folder, port: nginx(folder, NGINX.format(port=port, servers=servers))
    ) as proxy:
        yield proxy.url


@contextmanager
def second_cache(url: str) -> Generator[str]:
    """Run Varnish in front of `url`; yields its own."""
    rules = VARNISH.format(origin=url.rpartition(":")[2])
    with shared_cache("varnish", lambda folder, port: varnish(folder, port, rules)) as proxy:
        yield proxy.url
