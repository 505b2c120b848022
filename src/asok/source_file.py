"""Importing one source file of a site, and finding the user's own line in an error.

Page folders such as `[slug]` are no Python names, so their modules are loaded from the file;
they are registered under the name that their path spells (`src.pages.blog.[slug].page`), so
that a file is executed once.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

__all__ = ["import_file", "user_line"]


def import_file(path: Path, root: Path) -> ModuleType:
    """Return the module of the file `path` below the site's `root`, importing it once.

    Raises whatever the file raises while it is executed.
    """
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(parts)
    if all(part.isidentifier() for part in parts):
        return importlib.import_module(name)
    found = sys.modules.get(name)
    if found is not None:
        return found
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file", path=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def user_line(error: BaseException, root: Path) -> tuple[Path, int] | None:
    """Return the file below `root` and the line (1-based) that `error` comes from, or None.

    That is the innermost frame of the user's own source; a syntax error names its own place.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        path = Path(error.filename)
        if path.is_relative_to(root):  # not the text that the user's code gave to `eval`
            return path, error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        inside = path.is_relative_to(root) and not {".venv", "site-packages"} & set(path.parts)
        if inside and frame.lineno is not None:
            return path, frame.lineno
    return None
