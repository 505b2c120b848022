"""`config.include("tet.renderers.tonnikala")`: Tonnikala templates, by the suffix `.tk`.

A template is named by its asset specification (`myapp:templates/index.tk`), relative to the
view's own package (`templates/index.tk`), or relative to one of Tonnikala's search paths.
Tonnikala's own settings (`tonnikala.reload`, `tonnikala.search_paths`, …) hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, cast

from tet.framework import ConfigurationError, Configurator, RendererInfo, asset_path

__all__ = ["SUFFIX", "includeme"]

SUFFIX = ".tk"

_Render = Callable[[Mapping[str, Any], dict[str, Any]], str]


def includeme(config: Configurator) -> None:
    """Register the renderer. Raises `ConfigurationError` where Tonnikala is not installed."""
    if find_spec("tonnikala") is None:
        raise ConfigurationError(
            "got no Tonnikala, expected it for `.tk` templates. Run pip install 'asok[pyramid]', "
            "or leave the templates out with "
            "@application_factory(excluded_features=['renderers.tonnikala'])."
        )
    config.include("tonnikala.pyramid")
    factory = cast(
        "Callable[[object], _Render]", vars(config.registry)["tonnikala_renderer_factory"]
    )

    def renderer(info: RendererInfo) -> _Render:
        render = factory(info)

        def call(value: Mapping[str, Any], system: dict[str, Any]) -> str:
            return render(value, {**system, "renderer_name": _resolved(info)})

        return call

    config.add_renderer(SUFFIX, renderer)


def _resolved(info: RendererInfo) -> str:
    """Return the absolute name of a template in the view's package, else the name as it is."""
    if info.package is None or ":" in info.name or info.name.startswith("/"):
        return info.name
    spec = f"{info.package.__name__}:{info.name}"
    return info.name if asset_path(spec) is None else spec
