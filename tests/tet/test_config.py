"""`application_factory` bare and with arguments."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from .conftest import App, ask


def hello(config: Any) -> None:
    """Configure the application."""

    def view(request: Any) -> dict[str, Any]:
        settings = request.registry.settings
        return {key: settings.get(key) for key in ("a", "b", "c")}

    config.add_route("home", "/")
    config.add_view(view, route_name="home", renderer="json")


def settings_of(app: App) -> str:
    return ask(app, "/").text.replace(" ", "")


def test_bare_and_with_arguments() -> None:
    from tet.config import application_factory

    bare = application_factory(hello)
    empty = application_factory()(hello)
    some = application_factory(included_features=["static"], excluded_features=())(hello)
    for main in (bare, empty, some):
        assert settings_of(main({}, a="1")) == '{"a":"1","b":null,"c":null}'
        assert main.__doc__ == hello.__doc__
        assert main.__name__ == "hello"


def test_settings_override_the_global_configuration() -> None:
    from tet.config import application_factory

    main = application_factory(hello)
    assert settings_of(main({"a": "g", "b": "g"}, b="s", c="s")) == '{"a":"g","b":"s","c":"s"}'
    assert settings_of(main(None, a="s")) == settings_of(main(a="s"))


def test_configure_only_gives_the_committed_configurator() -> None:
    from tet.config import application_factory

    config = application_factory(hello, configure_only=True)({}, a="1")  # type: ignore[call-overload]
    assert settings_of(config.make_wsgi_app()) == '{"a":"1","b":null,"c":null}'


def test_included_features_are_there_and_excluded_ones_are_not() -> None:
    from tet.config import create_configurator

    assert hasattr(create_configurator(included_features=["static"]).registry, "cachebreaker")
    assert not hasattr(create_configurator().registry, "cachebreaker")
    registry = create_configurator().registry
    assert hasattr(registry, "tonnikala_renderer_factory")
    registry = create_configurator(excluded_features=["renderers.tonnikala"]).registry
    assert not hasattr(registry, "tonnikala_renderer_factory")
    registry = create_configurator(
        included_features=["static"], excluded_features=["static"]
    ).registry
    assert not hasattr(registry, "cachebreaker")


@pytest.mark.parametrize("argument", ["included_features", "excluded_features"])
def test_an_unknown_feature_is_refused_with_a_suggestion(argument: str) -> None:
    from tet.config import application_factory, create_configurator
    from tet.framework import ConfigurationError

    for call in (create_configurator, application_factory):
        with pytest.raises(ConfigurationError, match="Did you mean 'static'"):
            call(**{argument: ["statc"]})  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="expected some of"):
            call(**{argument: ["zzz"]})  # type: ignore[arg-type]


def test_something_else_than_a_function_is_refused() -> None:
    from tet.config import application_factory
    from tet.framework import ConfigurationError

    for wrong in ("static", ["static"]):
        with pytest.raises(ConfigurationError, match="expected a function"):
            application_factory(wrong)  # type: ignore[call-overload]


def test_the_package_is_the_functions_own(package: ModuleType) -> None:
    from tet.config import application_factory

    packages: list[str] = []

    def main(config: Any) -> None:
        packages.append(config.package.__name__)

    application_factory(main)({})
    assert packages == [sys.modules[__name__].__package__ or __name__]
    application_factory(package=package)(main)({})
    application_factory(package=package.__name__)(main)({})
    assert packages[1:] == [package.__name__] * 2


def test_extra_arguments_go_to_the_configurator() -> None:
    from tet.config import application_factory

    def root(request: Any) -> object:
        return "root"

    def main(config: Any) -> None:
        config.add_view(lambda context, request: {"c": context}, renderer="json")  # type: ignore[misc]

    app = application_factory(root_factory=root)(main)({})
    assert ask(app, "/").text == '{"c": "root"}'
