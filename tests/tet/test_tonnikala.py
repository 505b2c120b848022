"""Tonnikala templates in a Pyramid view."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .conftest import Make, ask


def page(renderer: str, text: object = "a < b") -> Any:
    def configure(config: Any) -> None:
        def view(request: Any) -> object:
            return {"text": text}

        config.add_route("home", "/")
        config.add_view(view, route_name="home", renderer=renderer)

    return configure


@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_a_template_renders_with_urls_and_escapes(
    make: Make, package: ModuleType, form: str
) -> None:
    name = "templates/index.tk"
    app = make("5", page(f"{package.__name__}:{name}" if form == "absolute" else name))
    assert ask(app, "/").text == '<html><p title="/static/5/app.js">a &lt; b</p></html>'
    assert ask(app, "/").headers["Content-Type"].startswith("text/html")


def test_search_paths_hold(make: Make, package: ModuleType) -> None:
    def configure(config: Any) -> None:
        config.add_tonnikala_search_paths(f"{package.__name__}:templates")
        page("index.tk")(config)

    assert "/static/5/app.js" in ask(make("5", configure), "/").text


def test_including_it_again_changes_nothing(make: Make) -> None:
    def configure(config: Any) -> None:
        config.include("tet.renderers.tonnikala")
        page("templates/index.tk")(config)

    assert ask(make("5", configure), "/").status_int == 200


def test_overrides_hold_for_templates(make: Make, package: ModuleType) -> None:
    name = package.__name__
    folder = Path(str(package.__file__)).parent
    (folder / "override" / "index.tk").write_text("<b>overridden</b>")

    def configure(config: Any) -> None:
        config.override_asset(f"{name}:templates/", f"{name}:override/")
        page("templates/index.tk")(config)

    assert ask(make("5", configure), "/").text == "<b>overridden</b>"


def test_an_absent_template_names_itself(make: Make, package: ModuleType) -> None:
    app = make("5", page("templates/absent.tk"))
    with pytest.raises(OSError, match=r"templates/absent\.tk"):
        ask(app, "/")


def test_without_tonnikala_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from tet.config import create_configurator
    from tet.framework import ConfigurationError
    from tet.renderers import tonnikala

    def absent(name: str) -> None: ...

    monkeypatch.setattr(tonnikala, "find_spec", absent)
    with pytest.raises(ConfigurationError, match=r"asok\[pyramid\]"):
        create_configurator()
    create_configurator(excluded_features=["renderers.tonnikala"])
