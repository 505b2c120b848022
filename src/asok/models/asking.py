"""The line of the site that asks the database: of a page, a component, a model or a template."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Final

__all__ = ["asking_line", "note_asker", "user_line", "watch_askers"]

#: The folders of code that is not the site's: Asok itself, and installed packages.
_ASOK: Final = str(Path(__file__).parent.parent) + "/"
_LIBRARIES: Final = ("/site-packages/", "/dist-packages/", f"/python{sys.version_info[0]}.")

_watching = False
_asker: ContextVar[str | None] = ContextVar("asok.models.asker", default=None)


def watch_askers() -> None:
    """Let `note_asker` take notes from now on."""
    global _watching
    _watching = True


def note_asker() -> None:
    """Remember the line that is about to wait for a thread, if anybody watches."""
    if _watching:
        _asker.set(user_line(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]


def asking_line() -> str | None:
    """Return `file:line` of the site's own code that waits for the caller of this.

    In a thread of `hop` the site's own code is not on the stack: it waits on the loop.
    """
    return user_line(sys._getframe(1)) or _asker.get()  # pyright: ignore[reportPrivateUsage]


def user_line(frame: FrameType | None) -> str | None:
    """Return `file:line` of the innermost frame of the site's own code; of templates too."""
    while frame is not None:
        name = frame.f_code.co_filename
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return f"{_short(name)}:{template.get_corresponding_lineno(frame.f_lineno)}"
        ours = name.startswith((_ASOK, "<")) or any(part in name for part in _LIBRARIES)
        if not ours:
            return f"{_short(name)}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def _short(name: str) -> str:
    path = Path(name)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return name
