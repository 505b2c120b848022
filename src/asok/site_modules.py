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

import difflib
import importlib
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from asok.errors import ConfigurationError, ModelError

__all__ = [
    "SiteModules",
    "current",
    "install",
    "load_models",
    "on_purge",
    "purge",
    "uninstall",
]

MODELS = "src.models"
#: The short name that the documentation uses beside the canonical one.
ALIAS = "models"

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
        _current = SiteModules(folder)
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


class SiteModules(MetaPathFinder):
    """The finder of one site; made by `install`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / "src"

    def __repr__(self) -> str:
        return f"<SiteModules {self.root}>"

    @property
    def has_models(self) -> bool:
        """Whether the site has a `src/models` folder or a `src/models.py`."""
        models = self.source / "models"
        return models.is_dir() or models.with_suffix(".py").is_file()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Answer for `src`, `src.models`, `models` and what is under `models`; else None."""
        head, _, rest = fullname.partition(".")
        if head == ALIAS and self.has_models:
            return ModuleSpec(fullname, _AliasLoader(f"src.{fullname}"))
        if head != "src" or not self.source.is_dir():
            return None
        if not rest:
            return self._package("src", self.source)
        if fullname == MODELS and (self.source / "models").is_dir():
            spec = self._package(MODELS, self.source / "models")
            spec.loader = _ModelsLoader(spec.loader, self.source / "models")
            return spec
        # Below `src` the parent's __path__ leads Python's own finder to the right place.
        return None

    def _package(self, name: str, folder: Path) -> ModuleSpec:
        """Return the spec of a package in exactly `folder`, with or without `__init__.py`."""
        found = PathFinder.find_spec(name, [str(folder.parent)])
        if found is not None and found.origin == str(folder / "__init__.py"):
            return found
        # Not the namespace package that PathFinder offers: that one looks at sys.path anew
        # at every import and would take in any other folder called `src`.
        spec = ModuleSpec(name, _FolderLoader(), is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec


class _FolderLoader(Loader):
    """A package without `__init__.py`: nothing to run."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        pass


class _AliasLoader(Loader):
    """Binds a second name to a module that is imported under its canonical one."""

    def __init__(self, canonical: str) -> None:
        self.canonical = canonical

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what sys.modules holds after this call (importlib,
        # `_load_unlocked`); the module that it made for us is thrown away.
        try:
            sys.modules[module.__name__] = importlib.import_module(self.canonical)
        except ModuleNotFoundError as error:
            if error.name == self.canonical:
                raise ModuleNotFoundError(
                    f"No module named {module.__name__!r} ({module.__name__} stands for "
                    f"{self.canonical}, which is not there)",
                    name=module.__name__,
                ) from error
            raise


class _ModelsLoader(Loader):
    """Runs `src/models/__init__.py` where there is one, then imports every model file."""

    def __init__(self, inner: Loader | None, folder: Path) -> None:
        self._inner = inner if inner is not None else _FolderLoader()
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        # Tracebacks and `inspect` ask a loader for source; the inner one knows.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        names = list(model_files(self._folder))
        vars(module)["__getattr__"] = _Exports(module, names)
        try:
            self._inner.exec_module(module)
            for name in names:
                importlib.import_module(name)
            exports = exported_models(names)
        except BaseException:
            # Or the next import would meet the tables of the files that succeeded, and the
            # error of the one that failed would be followed by nonsense.
            _forget(_is_model)
            raise
        for name, (value, _) in exports.items():
            vars(module).setdefault(name, value)
        vars(module).setdefault("__all__", sorted(exports))


class _Exports:
    """`src.models.__getattr__`: finds a model class while the files are still being imported."""

    def __init__(self, module: ModuleType, names: list[str]) -> None:
        self._module = module
        self._names = names

    def __call__(self, name: str) -> Any:
        if not name[:1].isupper():
            raise AttributeError(f"module {MODELS!r} has no attribute {name!r}")
        spec = self._module.__spec__
        importing = bool(getattr(spec, "_initializing", False))
        if importing:
            # A model file asks for another one's class: take the likely file first.
            likely = f"{MODELS}.{name.lower()}"
            for file in sorted(self._names, key=lambda file: file.replace("_", "") != likely):
                started = file in sys.modules
                found = vars(importlib.import_module(file)).get(name)
                if found is not None:
                    return found
                if started and file.replace("_", "") == likely:
                    raise ImportError(
                        f"{name} was imported from {MODELS} while {file} is still being "
                        "imported: two model files import each other. Name the other model as "
                        f'text, relationship("{name}"), and import it under TYPE_CHECKING.',
                        name=MODELS,
                    )
            raise ImportError(
                f"No file in src/models defines a model {name}, or its file is still being "
                "imported because two model files import each other.",
                name=MODELS,
            )
        known: list[str] = getattr(self._module, "__all__", [])
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" It has: {', '.join(known) or 'none'}."
        raise ImportError(f"No file in src/models defines a model {name}.{hint}", name=MODELS)


def model_files(folder: Path) -> Sequence[str]:
    """Return the module names of the model files under `folder`, `__init__.py` apart, sorted."""
    names: list[str] = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[-1] != "__init__" and all(part.isidentifier() for part in parts):
            names.append(".".join((MODELS, *parts)))
    return names


def exported_models(names: Sequence[str]) -> dict[str, tuple[type, str]]:
    """Return class name -> (model class, its module) of what these imported modules define.

    A model class is recognised by `__asok_model__`, which `asok.models.Model` carries, so
    that this module needs no SQLAlchemy. Raises `ModelError` where two files define one name.
    """
    found: dict[str, tuple[type, str]] = {}
    for module_name in names:
        for name, value in vars(sys.modules[module_name]).items():
            if (
                not isinstance(value, type)
                or value.__module__ != module_name
                or name != value.__name__
                or not getattr(value, "__asok_model__", False)
            ):
                continue
            if name in found:
                raise ModelError(
                    f"two files define a model {name}: {found[name][1]} and {module_name}.",
                    fix="Rename one of them.",
                )
            found[name] = (value, module_name)
    return found
