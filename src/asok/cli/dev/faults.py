"""An exception with its causes as data for people, each with the place to look at."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from asok.cli.dev.excerpt import Columns
from asok.cli.dev.frames import Frame, FrameReader
from asok.errors import AsokError

__all__ = ["Fault", "read_faults", "summary"]

_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """One exception of a chain. `relation` says how it belongs to the one before it.

    `frames` are in the order of the calls; `place` is what the user should look at first,
    None where an earlier fault shows it already.
    """

    kind: str
    message: str
    fix: str | None
    place: Frame | None
    frames: tuple[Frame, ...] = ()
    relation: str = ""

    @property
    def mine(self) -> tuple[Frame, ...]:
        """The user's own frames beside `place`, the innermost first."""
        found: dict[tuple[Path, int], Frame] = {}
        for one in reversed(self.frames):
            if not one.mine or (self.place is not None and one.place == self.place.place):
                continue
            # A comprehension is a call of its own on its function's line (before 3.12).
            if one.place not in found or found[one.place].function.startswith("<"):
                found[one.place] = one
        return tuple(found.values())

    @property
    def others(self) -> tuple[Frame, ...]:
        """The frames of Asok and of libraries, the innermost first."""
        return tuple(one for one in reversed(self.frames) if not one.mine)


def read_faults(error: BaseException, reader: FrameReader) -> tuple[Fault, ...]:
    """Return the faults of `error`: the exception itself, then what led to it."""
    linecache.checkcache()
    return _each_place_once([_fault(one, relation, reader) for one, relation in _chain(error)])


def summary(faults: tuple[Fault, ...]) -> str:
    """Return a line for each of: what failed, where, and the fix; for the terminal."""
    first = faults[0]
    lines = [f"{first.kind}: {first.message}"]
    place = next((fault.place for fault in faults if fault.place is not None), None)
    if place is not None:
        lines.append(f"  at {place.shown}" + (f":{place.line}" if place.line else ""))
    lines += [f"  fix: {fault.fix}" for fault in faults if fault.fix][:1]
    return "\n".join(lines)


def _fault(error: BaseException, relation: str, reader: FrameReader) -> Fault:
    frames = reader.read(error.__traceback__)
    place = next((one for one in reversed(frames) if one.mine), None)
    message, fix = str(error), None
    if isinstance(error, AsokError):
        message, fix = error.message, error.fix
        if error.file is not None:
            place = _named(error.file, error.line or 0, frames, reader)
    elif isinstance(error, SyntaxError) and error.filename:
        message = error.msg
        place = reader.at(Path(error.filename), error.lineno or 0, _syntax_columns(error))
    return Fault(
        kind=type(error).__qualname__,
        message=reader.masker.text(message or type(error).__name__, whole=True),
        fix=fix,
        place=place,
        frames=frames,
        relation=relation,
    )


def _named(path: Path, line: int, frames: tuple[Frame, ...], reader: FrameReader) -> Frame:
    """The place that an error names: the call there, with its variables, where there is one."""
    named = reader.at(path, line)
    return next((one for one in reversed(frames) if one.place == named.place), named)


def _syntax_columns(error: SyntaxError) -> Columns | None:
    if not error.offset:
        return None
    same_line = error.end_lineno in (None, error.lineno)
    end = error.end_offset - 1 if same_line and error.end_offset else None
    return error.offset - 1, end


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield the exceptions that led to `error` as Python tells them, without circles."""
    seen: set[int] = set()
    current: BaseException | None = error
    relation = ""
    while current is not None and id(current) not in seen and len(seen) < _MOST:
        seen.add(id(current))
        yield current, relation
        if current.__cause__ is not None:
            current, relation = current.__cause__, "Caused by"
        elif current.__suppress_context__:
            return
        else:
            current, relation = current.__context__, "While this was being handled"


def _each_place_once(faults: list[Fault]) -> tuple[Fault, ...]:
    """Keep a place in the first fault that has it, with the variables that a later one knows.

    An error of Asok names the very line where its cause was raised.
    """
    result: list[Fault] = []
    for fault in faults:
        place = fault.place
        if place is not None:
            for at, earlier in enumerate(result):
                if earlier.place is not None and earlier.place.place == place.place:
                    if not earlier.place.variables:
                        result[at] = replace(earlier, place=place)
                    rest = tuple(one for one in fault.frames if one.place != place.place)
                    fault = replace(fault, place=None, frames=rest)
                    break
        if result and fault.place is None and fault.message.rstrip(".") in result[-1].message:
            # All that it says was said, at the same place: only its calls are left.
            before = result[-1]
            result[-1] = replace(before, frames=before.frames + fault.frames)
            continue
        result.append(fault)
    return tuple(result)
