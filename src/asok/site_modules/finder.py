"""The meta-path finder of one site: where `src`, `src.models` and `models` are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from asok.site_modules.model_package import MODELS, FolderLoader, ModelsLoader

__all__ = ["ALIAS", "SiteModules"]

#: The short name that the documentation uses beside the canonical one.
ALIAS = "models"


class SiteModules(MetaPathFinder):
    """The finder of one site; made by `install`.

    `forget_models` is called where the import of `src.models` fails.
    """

    def __init__(self, root: Path, *, forget_models: Callable[[], None]) -> None:
        self.root = root
        self._forget_models = forget_models
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
            # A package also where the canonical module is none: a thread that imports
            # `models.post` while another one is still loading `models` sees what Python made
            # for us, and asks it for a `__path__`.
            return ModuleSpec(fullname, _AliasLoader(f"src.{fullname}"), is_package=True)
        if head != "src" or not self.source.is_dir():
            return None
        if not rest:
            return self._package("src", self.source)
        if fullname == MODELS and (self.source / "models").is_dir():
            spec = self._package(MODELS, self.source / "models")
            spec.loader = ModelsLoader(
                spec.loader, self.source / "models", failed=self._forget_models
            )
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
        spec = ModuleSpec(name, FolderLoader(), is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec


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
