"""Whether a site's modules keep something between two pages: what one read, another may show.

A function under `lru_cache`, a dictionary that fills up, a global that is set once: the page
that came first did the reading, and the others used it without a trace. Comparing the shape
of the modules before and after tells that there is such a thing, not what is in it.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

__all__ = ["kept"]

#: How deep objects are looked into, and how many entries of a container.
_DEPTH: Final = 3
_ENTRIES: Final = 32
_CONTAINERS: Final = (dict, list, set, deque, defaultdict, OrderedDict)
_MEMO: Final = type(lru_cache(len))


def kept(root: Path) -> dict[str, object]:
    """Return the shape of everything that the modules of the site at `root` hold now.

    It is equal to a later one where nothing was added, removed or set anew in between.
    """
    modules = dict(_modules(root))
    return {
        f"{name}.{key}": _shape(value, modules.keys(), _DEPTH)
        for name, module in modules.items()
        for key, value in list(vars(module).items())
        if not key.startswith("__")
    }


def _modules(root: Path) -> Iterator[tuple[str, ModuleType]]:
    site, python = os.path.join(root.resolve(), ""), os.path.join(sys.prefix, "")
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.startswith(site):
            continue
        # The virtual environment may lie inside the site, or the site in a folder of Python's.
        if not (python.startswith(site) and file.startswith(python)):
            yield name, module


def _shape(value: Any, modules: Collection[str], depth: int) -> object:
    """Something that is equal as long as `value` is the same and holds the same objects."""
    kind: Any = cast("Any", type(value))
    if depth == 0 or value is None:
        return id(value)
    if kind is _MEMO:
        return id(value), value.cache_info().misses
    if kind in _CONTAINERS:
        few: list[Any] = []
        if len(value) <= _ENTRIES:
            few = list(value.values() if hasattr(value, "values") else value)
        return id(value), len(value), [_shape(one, modules, depth - 1) for one in few]
    own = value.__module__ if issubclass(kind, type) else kind.__module__
    if own not in modules or not hasattr(value, "__dict__"):
        return id(value)
    inside: dict[str, Any] = dict(vars(cast("object", value)))
    return id(value), {
        name: _shape(inner, modules, depth - 1)
        for name, inner in inside.items()
        # SQLAlchemy and Asok write down under such names what they found out about a class.
        if not name.startswith(("__", "_sa_"))
    }
