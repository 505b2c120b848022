"""The frames of a traceback as data for people: which are the user's own, and what they held."""

from __future__ import annotations

import itertools
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Final

from asok.cli.dev.excerpt import Columns, SourceLine, excerpt
from asok.cli.dev.masking import Masker

__all__ = ["Frame", "FrameReader"]

_MOST_FRAMES: Final = 60
_MOST_VARIABLES: Final = 40
#: What every template can use; none of it says why this one failed.
_IN_EVERY_TEMPLATE: Final = frozenset({"csrf_input", "csrf_token", "nonce", "request"})
_FOREIGN: Final = frozenset({"site-packages", "dist-packages", ".venv", "node_modules"})


@dataclass(frozen=True, slots=True)
class Frame:
    """One call. `mine` is true for the site's own files; `variables` are shown values by name.

    `line` is 0 where only the file is known. `function` is empty for a module's own lines.
    """

    path: Path
    shown: str
    line: int
    function: str = ""
    mine: bool = True
    lines: tuple[SourceLine, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> tuple[Path, int]:
        """File and line."""
        return self.path, self.line


class FrameReader:
    """Reads frames for the site at `root`; `masker` shows the values of variables."""

    def __init__(self, root: Path, masker: Masker) -> None:
        self.root = root
        self.masker = masker
        self._own = Path(__file__).resolve().parents[2]
        libraries = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sys.prefix}
        # A virtual environment may lie in the site's folder, never the other way round.
        self._libraries = [
            path for path in map(Path, libraries) if path != root and path.is_relative_to(root)
        ]

    def read(self, trace: TracebackType | None) -> tuple[Frame, ...]:
        """Return the frames of `trace`, in the order of the calls."""
        walked = list(_walk(trace))
        if len(walked) > _MOST_FRAMES:
            # Endless recursion: the two ends are what tells something.
            walked = walked[: _MOST_FRAMES // 2] + walked[-_MOST_FRAMES // 2 :]
        return tuple(self._frame(one) for one in walked)

    def at(self, path: Path, line: int, columns: Columns | None = None) -> Frame:
        """Return a place without a call: one that an error names."""
        path = path if path.is_absolute() else self.root / path
        lines = excerpt(path, line, columns)
        return Frame(path, self._shown(path), line, "", self.is_mine(path), lines)

    def is_mine(self, path: Path) -> bool:
        """Whether `path` is the site's own: below its root, and no installed package."""
        if not path.is_relative_to(self.root) or path.is_relative_to(self._own):
            return False
        if _FOREIGN & set(path.relative_to(self.root).parts):
            return False
        return not any(path.is_relative_to(library) for library in self._libraries)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _frame(self, trace: TracebackType) -> Frame:
        frame, line = trace.tb_frame, trace.tb_lineno
        code = frame.f_code
        path = Path(code.co_filename)
        mine = self.is_mine(path)
        name = code.co_name
        return Frame(
            path=path,
            shown=self._shown(path),
            line=line,
            function="" if name in ("<module>", "top-level template code") else name,
            mine=mine,
            lines=excerpt(path, line, _columns(code, trace.tb_lasti, path, line)) if mine else (),
            variables=tuple(self._variables(frame)) if mine else (),
        )

    def _variables(self, frame: FrameType) -> Iterator[tuple[str, str]]:
        template = not frame.f_code.co_filename.endswith(".py")
        of_all = template or frame.f_locals is frame.f_globals
        shown = 0
        for name, value in list(frame.f_locals.items()):
            # What a module imports and defines is in its source already.
            if of_all and (callable(value) or isinstance(value, ModuleType)):
                continue
            if name.startswith("__") or (template and name in _IN_EVERY_TEMPLATE):
                continue
            yield name, self.masker.show(name, value)
            shown += 1
            if shown == _MOST_VARIABLES:
                return


def _walk(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _columns(code: CodeType, instruction: int, path: Path, line: int) -> Columns | None:
    """Return where in its line the instruction stands, where it stands in one line alone."""
    if instruction < 0 or path.suffix != ".py":
        # The code of a template is generated: its columns are not those of the source.
        return None
    position = next(itertools.islice(code.co_positions(), instruction // 2, None), None)
    if position is None or position[0] != position[1] or position[0] != line:
        return None
    # Positions are offsets in UTF-8 (PEP 657).
    found = excerpt(path, line)
    text = next((one.text for one in found if one.number == line), "").encode()
    start, end = position[2], position[3]
    if start is None or end is None:
        return None
    return len(text[:start].decode(errors="replace")), len(text[:end].decode(errors="replace"))
