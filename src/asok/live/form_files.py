"""The files that a form brings: they reach the parameters that say that they take some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from asok.errors import CallRefused
from asok.live.registry import Definition

__all__ = ["takes_files"]


class File(Protocol):
    """What is known of one without reading it."""

    filename: str
    size: int


def takes_files(
    definition: Definition, name: str, sent: Mapping[str, Sequence[File]]
) -> dict[str, object]:
    """Return what a form's file fields mean for the method `name`: a file, several, or "" where
    none was chosen.

    Raises `CallRefused` for a file that no annotated parameter waits for: whoever forges a form
    could else hand one to a method that expects text.
    """
    method = definition.methods.get(name)
    declared = method.parameters.typed() if method else set[str]()
    taken: dict[str, object] = {}
    for field, files in sent.items():
        chosen = [file for file in files if file.filename or file.size]
        if field in declared:
            taken[field] = "" if not chosen else chosen[0] if len(chosen) == 1 else chosen
        elif chosen:
            raise CallRefused(
                f"{definition.name}.{name[:64]} takes no file {field[:64]!r}.",
                fix=f"Annotate a parameter for it: def {name[:64]}(self, {field[:64]}: Upload).",
            )
    return taken
