"""The site's own code as packages: `src` at <root>/src, and `models` as a name for `src.models`.

A meta-path finder, installed once for one site root, so that nothing depends on `sys.path`,
the working directory or `__init__.py` files:

- `src`, `src.pages…`, `src.components.X` import from <root>/src and from nowhere else;
- `src.models` imports every file of <root>/src/models and offers each model class by name:
  relations between models name each other as text, so all of them must be known before the
  first query. SQLAlchemy is imported by those files, not from here;
- `models` and `models.post` are the very modules `src.models` and `src.models.post`.

Imports nothing but the standard library and `asok.errors`.
"""

from __future__ import annotations

from asok.site_modules.finder import SiteModules
from asok.site_modules.installed import (
    current,
    install,
    load_models,
    on_purge,
    purge,
    uninstall,
)

__all__ = [
    "SiteModules",
    "current",
    "install",
    "load_models",
    "on_purge",
    "purge",
    "uninstall",
]
