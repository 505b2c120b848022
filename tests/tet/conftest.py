"""A Pyramid application around `tet.static`, asked without a server."""

from __future__ import annotations

import importlib
import sys
import uuid
import warnings
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

import pytest

# Modules of tests that import tet are collected before the marks below hold.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("pyramid.config")

HERE = Path(__file__).parent
CSS = "a { color: red }\n" * 40

# WebOb imports cgi, and Pyramid 2.1 pkg_resources, which warns about itself and about
# namespace packages. Nothing else is let through.
LET_THROUGH = (
    "ignore:'cgi' is deprecated:DeprecationWarning",
    "ignore:pkg_resources is deprecated as an API:",
    "ignore:Deprecated call to `pkg_resources:DeprecationWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            for warning in LET_THROUGH:
                item.add_marker(pytest.mark.filterwarnings(warning))


class Answer(Protocol):
    """What a request got."""

    status_int: int
    body: bytes
    text: str
    headers: dict[str, str]
    headerlist: list[tuple[str, str]]


App = Callable[..., Any]
Make = Callable[..., App]


def ask(
    app: App,
    path: str,
    method: str = "GET",
    *,
    base: str = "",
    environ: dict[str, str] | None = None,
    **headers: str,
) -> Answer:
    """Return the answer to a percent-encoded path; `if_none_match` stands for If-None-Match."""
    from webob import Request  # pyright: ignore[reportMissingTypeStubs]

    request = cast("Any", Request).blank(
        path, method=method, base_url=base or None, environ=environ
    )
    for name, value in headers.items():
        request.headers[name.replace("_", "-").title()] = value
    return cast("Answer", request.get_response(app))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ModuleType]:
    """A package of its own for each test, with a folder `static` and a folder `other`."""
    name = f"app_{uuid.uuid4().hex}"
    folder = tmp_path / name
    files = {
        "__init__.py": "",
        "static/style.css": CSS,
        "static/app.js": "1",
        "static/app.js.map": "{}",
        "static/app.js.gz": "compressed",
        "static/.env": "secret",
        "static/deep/er/x.css": "x",
        "static/site/index.html": "index of site",
        "other/x.css": "other",
        "override/style.css": "overridden",
        "secret.css": "secret",
        "static_x/x.css": "secret",
        "templates/index.tk": f"<html><p title=\"$request.static_path('{name}:static/app.js')\">"
        "$text</p></html>",
    }
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__(name)
    yield module
    for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == name]:
        del sys.modules[loaded]


@pytest.fixture
def make(package: ModuleType) -> Make:
    """Return a call that makes an application: token, then what is done to the configurator."""

    def application(
        token: str | None = "1700000000000",
        configure: Callable[[Any], None] | None = None,
        **kw: Any,
    ) -> App:
        from tet.config import application_factory

        def main(config: Any) -> None:
            config.include("tet.static")
            if token is not None:
                config.set_cachebreaker(token)
            name = kw.pop("name", "static/{breaker}")
            if name:
                path = kw.pop("path", f"{package.__name__}:static")
                config.add_static_view_with_breaker(name=name, path=path, **kw)
            if configure is not None:
                configure(config)

        return cast("App", application_factory(package=package)(main)({}))

    return application
