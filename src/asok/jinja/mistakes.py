"""Jinja's errors as Asok's, with the template's file, the line, and what to do about it.

What a template's author did wrong becomes a `TemplateError`; any other exception passes
through as it is, with Jinja's traceback that points into the template. An Asok error that
names no file gets the template's, so that a frozen page's error names its line.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import TracebackType
from typing import Any, cast

import jinja2

from asok.errors import (
    AsokError,
    LiveError,
    TemplateError,
    TemplateNotFound,
    TemplateSourceError,
    UndefinedVariable,
)
from asok.jinja.environment import SiteEnvironment
from asok.jinja.undefined import VariableMissing

__all__ = ["locate", "not_found", "translated"]

_UNKNOWN = re.compile(r"(?:No (filter|test) named|Encountered unknown (tag)) '([^']*)'")
_TAGS = (
    "autoescape block cache call component do extends filter for from if import include macro "
    "raw set with"
)


def _close(name: object, known: Iterable[object]) -> str | None:
    names = sorted({str(each) for each in known if not str(each).startswith("_")})
    found = get_close_matches(str(name), names, 1, 0.6)
    return found[0] if found else None


def _template_frame(traceback: TracebackType | None) -> TracebackType | None:
    """The innermost frame of a template; Jinja marks those that it rewrote."""
    found = None
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            found = traceback
        traceback = traceback.tb_next
    return found


def locate(error: AsokError) -> None:
    """Give an error that names no file the place in the template where it was raised.

    One that names a class's file, as that of a component whose value is of the wrong type, is
    told which template gave it, and the innermost counts. What is wrong with a template was
    given by nobody else.
    """
    frame = _template_frame(error.__traceback__)
    if frame is None:
        return
    place, line = frame.tb_frame.f_code.co_filename, frame.tb_lineno
    if error.file is None:
        located = AsokError("", file=place)
        error.file, error.line = located.file, line
    elif isinstance(error, LiveError) and str(error.file) != place and error.file.suffix == ".py":
        error.given_in(f"{place}:{line}")


def translated(error: jinja2.TemplateError, environment: SiteEnvironment) -> TemplateError:
    """Return the Asok error that says what Jinja's `error` says, and more."""
    message = str(error.message or error).rstrip(".") + "."
    if isinstance(error, jinja2.TemplateSyntaxError):
        return TemplateSourceError(
            message,
            fix=_syntax_fix(message, environment),
            file=error.filename or error.name,
            line=error.lineno,
        )
    frame = _template_frame(error.__traceback__)
    place: dict[str, Any] = {}
    if frame is not None:
        place = {"file": frame.tb_frame.f_code.co_filename, "line": frame.tb_lineno}
    if isinstance(error, jinja2.TemplateNotFound):
        return not_found([str(name) for name in error.templates], environment, **place)
    if isinstance(error, VariableMissing):
        scope: Mapping[str, Any] = frame.tb_frame.f_locals if frame is not None else {}
        return UndefinedVariable(message, fix=_variable_fix(error, scope), **place)
    if isinstance(error, jinja2.UndefinedError):
        return UndefinedVariable(message, **place)
    # A filter that is only missing in a branch is found when the branch runs.
    fix = _syntax_fix(message, environment)
    return (TemplateSourceError if fix or _UNKNOWN.search(message) else TemplateError)(
        message, fix=fix, **place
    )


def not_found(names: list[str], environment: SiteEnvironment, **place: Any) -> TemplateNotFound:
    """The error for templates that no searched folder has."""
    folders = environment.folders
    known = {name.rpartition(".")[0]: name for name in folders.list_templates()}
    near = next(filter(None, (_close(name.rpartition(".")[0], known) for name in names)), None)
    near = known[near] if near else None
    searched = ", ".join(dict.fromkeys(map(str, folders.searched()))) or "no folder"
    wanted = " or ".join(repr(name) for name in names)
    return TemplateNotFound(
        f"there is no template {wanted} (searched: {searched}).",
        fix=f"Did you mean {near!r}?" if near else f"Create {wanted} in one of these folders.",
        **place,
    )


def _syntax_fix(message: str, environment: SiteEnvironment) -> str | None:
    found = _UNKNOWN.search(message)
    if found is None:
        return None
    known = {
        "filter": environment.filters,
        "test": environment.tests,
        "tag": _TAGS.split(),
    }[found[1] or found[2]]
    near = _close(found[3], known)
    return f"Did you mean {near!r}?" if near else None


def _variable_fix(error: VariableMissing, scope: Mapping[str, Any]) -> str:
    owner, this = error.owner, scope.get("this")
    in_component = this is not None and scope.get("self") is this
    if owner is jinja2.utils.missing:
        if in_component and error.name in dir(this):
            return f"It is no field, but the component has it: write this.{error.name}."
        near = _close(error.name, scope)
        hint = f"Did you mean {near!r}? " if near else ""
        call = f"{'self' if in_component else 'request'}.html(…, {error.name}=…)"
        return f"{hint}Pass it to {call}, or use |default(…)."
    if this is not None and isinstance(owner, jinja2.runtime.TemplateReference):
        name = error.name
        return f"`self` is a template's blocks: write {name} for a field, or this.{name}."
    if not isinstance(owner, dict) and error.name in dir(owner):
        return _own_failure(owner, str(error.name))
    near = _close(
        error.name, cast("dict[Any, Any]", owner) if isinstance(owner, dict) else dir(owner)
    )
    return f"Did you mean {near!r}?" if near else "Use |default(…) where it may be missing."


def _own_failure(owner: object, name: str) -> str:
    """Say why a property is not there: for Jinja what it lacks itself is the same."""
    try:
        getattr(owner, name)
    except AttributeError as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        return f"It is a property that failed itself: {error} ({at.filename}:{at.lineno})."
    return "It is there now."
