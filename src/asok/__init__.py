"""Asok: a web framework for sites that are static until they need to be alive.

The names here are loaded when they are first used, so that `import asok` stays cheap and a
site without models never imports SQLAlchemy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asok.app import Asok
    from asok.asgi.request import Request
    from asok.asgi.uploads import Upload
    from asok.assets import integrity, static
    from asok.component import Component, exposed, listens
    from asok.errors import AsokError
    from asok.live import broadcast
    from asok.models import Model
    from asok.pages import revalidate_path, revalidate_tag
    from asok.settings import Settings

__all__ = [
    "Asok",
    "AsokError",
    "Component",
    "Model",
    "Request",
    "Settings",
    "Upload",
    "broadcast",
    "exposed",
    "integrity",
    "listens",
    "revalidate_path",
    "revalidate_tag",
    "static",
]

__version__ = "0.1.0"

_HOMES = {
    "Asok": "asok.app",
    "AsokError": "asok.errors",
    "Component": "asok.component",
    "Model": "asok.models",
    "Request": "asok.asgi.request",
    "Settings": "asok.settings",
    "Upload": "asok.asgi.uploads",
    "broadcast": "asok.live",
    "exposed": "asok.component",
    "integrity": "asok.assets",
    "listens": "asok.component",
    "revalidate_path": "asok.pages",
    "revalidate_tag": "asok.pages",
    "static": "asok.assets",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
