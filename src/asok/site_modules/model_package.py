"""`src.models` as a package: every model file imported, every model class offered by name."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from asok.errors import ModelError

__all__ = ["MODELS", "FolderLoader", "ModelsLoader", "exported_models", "model_files"]

MODELS = "src.models"


class FolderLoader(Loader):
    """A package without `__init__.py`: nothing to run."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        pass


class ModelsLoader(Loader):
    """Runs `src/models/__init__.py` where there is one, then imports every model file."""

    def __init__(self, inner: Loader | None, folder: Path, *, failed: Callable[[], None]) -> None:
        self._inner = inner if inner is not None else FolderLoader()
        self._folder = folder
        self._failed = failed

    def __getattr__(self, name: str) -> Any:
        # Tracebacks ask a module's loader for its source; the inner one knows.
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
            self._failed()
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
