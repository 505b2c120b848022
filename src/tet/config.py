"""`application_factory`: a Pyramid application out of one function that configures it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from types import ModuleType
from typing import Any, overload

from tet.framework import ConfigurationError, Configurator, new_configurator

__all__ = ["DEFAULT_FEATURES", "FEATURES", "application_factory", "create_configurator"]

#: Every feature by its name here; `tet.` in front gives the module that is included.
FEATURES = ("renderers.tonnikala", "static")
#: The features of every application that does not exclude them.
DEFAULT_FEATURES = ("renderers.tonnikala",)

Configure = Callable[[Any], object]
Application = Callable[..., Any]


@overload
def application_factory(factory_function: Configure) -> Application: ...
@overload
def application_factory(
    factory_function: None = None,
    configure_only: bool = False,
    included_features: Iterable[str] = ...,
    excluded_features: Iterable[str] = (),
    package: ModuleType | str | None = None,
    **extra: Any,
) -> Callable[[Configure], Application]: ...
def application_factory(
    factory_function: Configure | None = None,
    configure_only: bool = False,
    included_features: Iterable[str] = (),
    excluded_features: Iterable[str] = (),
    package: ModuleType | str | None = None,
    **extra: Any,
) -> Application | Callable[[Configure], Application]:
    """Turn a function that takes a configurator into a Paste application factory.

    Usable bare and with arguments. What comes out is called as
    `main(global_config, **settings)` and returns the WSGI application, or, with
    `configure_only`, the committed configurator. `settings` override `global_config`.
    The default features and `included_features` are included before the function runs,
    without `excluded_features`. `package` is what relative names belong to; the function's
    own package by default. `extra` goes to Pyramid's `Configurator`.
    """
    included, excluded = tuple(included_features), tuple(excluded_features)
    _check_features(included, excluded)

    def decorate(function: Configure) -> Application:
        if not callable(function):
            raise ConfigurationError(
                f"application_factory got {function!r}, expected a function that takes the "
                "configurator. Give options by their names: "
                "@application_factory(included_features=['static'])."
            )

        @wraps(function)
        def application(global_config: Mapping[str, Any] | None = None, **settings: Any) -> object:
            config = create_configurator(
                global_config=global_config,
                settings=settings,
                included_features=included,
                excluded_features=excluded,
                package=package or sys.modules.get(function.__module__),
                **extra,
            )
            function(config)
            if configure_only:
                config.commit()
                return config
            return config.make_wsgi_app()

        return application

    return decorate if factory_function is None else decorate(factory_function)


def create_configurator(
    *,
    global_config: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    included_features: Iterable[str] = (),
    excluded_features: Iterable[str] = (),
    package: ModuleType | str | None = None,
    **extra: Any,
) -> Configurator:
    """Return a configurator with the features included; the arguments as above.

    Raises Pyramid's `ConfigurationError` for a feature that does not exist.
    """
    included, excluded = tuple(included_features), tuple(excluded_features)
    _check_features(included, excluded)
    config = new_configurator(package, {**(global_config or {}), **(settings or {})}, extra)
    for feature in dict.fromkeys((*DEFAULT_FEATURES, *included)):
        if feature not in excluded:
            config.include(f"tet.{feature}")
    return config


def _check_features(*lists: tuple[str, ...]) -> None:
    for name in (name for names in lists for name in names):
        if name not in FEATURES:
            near = get_close_matches(name.removeprefix("tet."), FEATURES, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise ConfigurationError(
                f"got the feature {name!r}, expected some of {list(FEATURES)}. {hint}Other "
                "packages are included in the function itself: config.include('pyramid_tm')."
            )
