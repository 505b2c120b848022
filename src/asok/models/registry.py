"""Which file defined which model, so that a file loaded twice is told from a name used twice."""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy.orm import DeclarativeBase

from asok.errors import ModelError

__all__ = ["check_once", "forget_models"]

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


def forget_models(base: type[DeclarativeBase]) -> None:
    """Unmap every model, so that their files can be imported anew."""
    _defined.clear()
    base.registry.dispose(cascade=True)
    base.metadata.clear()
