"""The one site that is installed, and what is forgotten when it goes or is read anew."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from asok.errors import ConfigurationError
from asok.site_modules.finder import ALIAS, SiteModules
from asok.site_modules.model_package import MODELS, exported_models, model_files

__all__ = ["current", "install", "load_models", "on_purge", "purge", "uninstall"]

_lock = threading.RLock()
_current: SiteModules | None = None
_on_purge: list[Callable[[Callable[[str], bool]], None]] = []


def install(root: Path | str) -> SiteModules:
    """Let `src` and `models` mean the site at `root`; idempotent for the same root.

    One site at a time: installing another one first forgets the modules and models of the
    site before it, which matters to tests that build several sites in a row. Raises
    `ConfigurationError` where `root` is no folder.
    """
    global _current
    folder = Path(root).resolve()
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is no folder.", fix="Give the folder that holds wsgi.py and src/."
        )
    with _lock:
        if _current is not None:
            if _current.root == folder:
                return _current
            uninstall()
        # `src` may have been imported by the plain path machinery, from anywhere.
        _forget(_is_site)
        _current = SiteModules(folder, forget_models=lambda: _forget(_is_model))
        sys.meta_path.insert(0, _current)
        return _current


def uninstall() -> None:
    """Undo `install`, forget the site's modules and models; harmless where none is installed."""
    global _current
    with _lock:
        if _current is None:
            return
        purge()
        sys.meta_path.remove(_current)
        _current = None


def current() -> SiteModules | None:
    """Return the installed finder."""
    return _current


def purge() -> None:
    """Forget every module and model of the site, so that the next import reads the files anew
    (tests, development reload). Objects made before keep their old classes.
    """
    with _lock:
        _forget(_is_site)
        importlib.invalidate_caches()


def on_purge(forget: Callable[[Callable[[str], bool]], None]) -> None:
    """Call `forget(belongs)` at every purge; `belongs(module name)` tells the site's modules."""
    _on_purge.append(forget)


def load_models() -> tuple[str, ...]:
    """Import every model file of the installed site; return the model classes' names, sorted."""
    site = _current
    if site is None or not site.has_models:
        return ()
    module = importlib.import_module(MODELS)
    names = [MODELS, *model_files(site.source / "models")]
    return tuple(sorted({*exported_models(names), *getattr(module, "__all__", ())}))


def _is_site(module: str) -> bool:
    return module.partition(".")[0] in ("src", ALIAS)


def _is_model(module: str) -> bool:
    return module in (MODELS, ALIAS) or module.startswith((MODELS + ".", ALIAS + "."))


def _forget(belongs: Callable[[str], bool]) -> None:
    for name in [name for name in sys.modules if belongs(name)]:
        del sys.modules[name]
    for forget in _on_purge:
        forget(belongs)
