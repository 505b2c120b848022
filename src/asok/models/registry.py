"""Which file defined which model, so that a file loaded twice is told from a name used twice."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable
from typing import Any

from sqlalchemy import MetaData, Table, event
from sqlalchemy.orm import DeclarativeBase

from asok.errors import ModelError

__all__ = ["check_once", "forget_models"]

#: Table -> the module that defined it. Not in the table's `info`, which migrations would show.
_modules: weakref.WeakKeyDictionary[Table, str] = weakref.WeakKeyDictionary()

#: (file, qualified name of the class) -> the module that defined it.
_defined: dict[tuple[str, str], str] = {}


def check_once(cls: type[Any]) -> None:
    """Note that a model class is being made. Raises `ModelError` where its file was loaded before.

    Two classes of one file would be two models of one table, and neither would see what the
    other has loaded.
    """
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if file is None or "<locals>" in cls.__qualname__:
        return
    place = (file, cls.__qualname__)
    before = _defined.setdefault(place, cls.__module__)
    if before != cls.__module__:
        raise ModelError(
            f"{file} is loaded twice, as {before} and as {cls.__module__}, and would define "
            f"{cls.__name__} twice.",
            fix=f"Import it as {before} everywhere, and keep its folder out of sys.path.",
        )


@event.listens_for(Table, "after_parent_attach")
def _note_module(table: Table, _metadata: MetaData) -> None:
    """Remember which module defined a table, also one without a model (many to many)."""
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(("sqlalchemy.", "asok.models.")):
            _modules.setdefault(table, module)
            return
        frame = frame.f_back


def forget_models(base: type[DeclarativeBase], belongs: Callable[[str], bool]) -> None:
    """Unmap the models whose module `belongs`, so that their files can be imported anew.

    SQLAlchemy's public `registry.dispose()` unmaps everything, also the models of an installed
    package, which nobody would import again; so this does for one class what that does for
    all (SQLAlchemy 2.0 and 2.1, `_dispose_registries`).
    """
    for place, module in list(_defined.items()):
        if belongs(module):
            del _defined[place]
    tables = [table for table in base.metadata.tables.values() if belongs(_modules.get(table, ""))]
    registry: Any = base.registry
    # Not `registry.mappers`: it fails where defining a class failed half way.
    for manager in list(registry._managers):
        if belongs(manager.class_.__module__):
            if "__table__" in vars(manager.class_):
                tables.append(manager.class_.__table__)
            registry._managers.pop(manager, None)
            registry._dispose_manager_and_mapper(manager)
    for table in tables:
        base.metadata.remove(table)
