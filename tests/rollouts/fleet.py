"""Instances of several releases behind a round robin, in this process."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from asok.assets import ManifestAssets, build_assets

from .browser import Answer

__all__ = ["Fleet", "Instance", "asok_instance", "content", "tet_instance", "write_release"]


@dataclass(frozen=True)
class Instance:
    """One running worker: which release it is of, the URLs in its pages, and its answers."""

    release: str
    #: The URL of each file, as its pages hold them.
    urls: Mapping[str, str]
    answer: Callable[[str, Mapping[str, str]], Answer]


@dataclass
class Fleet:
    """All workers, asked in turn. `again` are statuses for which the proxy asks the next one.

    That is nginx's `proxy_next_upstream http_503 http_404`: the last answer goes to the visitor.
    """

    workers: list[Instance]
    again: Sequence[int] = ()
    _turns: Iterator[int] = field(default_factory=itertools.count)

    def page(self) -> Instance:
        """Return the worker that answers the next page."""
        return self.workers[next(self._turns) % len(self.workers)]

    def fetch(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask the next worker for a file."""
        answer = self.page().answer(url, headers)
        for _ in self.workers[1:]:
            if answer.status not in self.again:
                break
            answer = self.page().answer(url, headers)
        return answer


def content(name: str, release: str) -> bytes:
    """Return the bytes of a file in a release; `same.txt` is the same in all."""
    return name.encode() if name == "same.txt" else f"{name} {release}".encode()


def write_release(folder: Path, names: Sequence[str], release: str) -> Path:
    """Write the files of one release."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content(name, release))
    return folder


def asok_instance(
    folder: Path, release: str, previous: Path | None, out: Path, options: Mapping[str, Any]
) -> Instance:
    """Build `folder` after the release in `previous`, and serve it as a worker does."""
    build_assets([folder], out, previous=previous, minify=False, quality=0, **options)
    assets = ManifestAssets(out)
    urls = {name: assets.url(name) for name in assets.names}

    def answer(url: str, headers: Mapping[str, str]) -> Answer:
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        plan = assets.plan("GET", unquote(url), "", given)
        assert plan is not None
        return Answer(plan.status, {n.decode(): v.decode() for n, v in plan.headers}, plan.read())

    return Instance(release, urls, answer)


def tet_instance(
    folder: Path, release: str, names: Sequence[str], token: str, deploys: Sequence[str] = ()
) -> Instance:
    """Serve `folder` by Pyramid under `token`; `deploys` is the ledger, if there is one."""
    from tet.config import create_configurator

    config: Any = create_configurator(
        included_features=["static"], excluded_features=["renderers.tonnikala"]
    )
    config.set_cachebreaker(token, releases=deploys)
    config.add_static_view_with_breaker(
        name="static/{breaker}", path=str(folder), cache_max_age=31536000
    )
    application = config.make_wsgi_app()

    def answer(url: str, headers: Mapping[str, str]) -> Answer:
        path, _, query = url.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": unquote(path),
            "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.multithread": False,
            "wsgi.multiprocess": True, "wsgi.run_once": False, "HTTP_HOST": "localhost",
            **{"HTTP_" + n.upper().replace("-", "_"): v for n, v in headers.items()},
        }  # fmt: skip
        got: list[Any] = []
        parts = application(environ, lambda status, fields, *_: got.extend((status, fields)))
        body = b"".join(parts)
        getattr(parts, "close", lambda: None)()
        fields = {name.lower(): value for name, value in got[1]}
        return Answer(int(got[0].split()[0]), fields, body)

    return Instance(release, {name: f"/static/{token}/{name}" for name in names}, answer)
