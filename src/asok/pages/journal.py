"""When which tag was last invalidated: a journal on the disk that every fingerprint shares.

```
tags             one JSON line for each invalidation: [tag, at, block_at]
```

Writers append one line under the folder's lock; readers read what was appended since. The
first line, [id, at, block_at], names this state of the file and holds the floor: whatever is
older than that counts as invalidated, because tags that were forgotten may be meant. When
there are too many lines, they are written anew, one for each tag, under another id. A line
that a killed writer left half is passed over.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from asok import atomic
from asok.pages.tags import Mark

__all__ = ["MAX_TAGS", "TagJournal"]

#: How many tags are remembered, and how many bytes the file may have before it is written anew.
MAX_TAGS: Final = 10_000
_MAX_BYTES: Final = 4 * 1024 * 1024
#: After the oldest left this much of the bound is in use, so that it is seldom needed.
_LOW_WATER: Final = 0.9
#: Lines beyond those needed that are worth a rewrite.
_SPARE: Final = 1000
#: The first line is shorter than this: 16 digits and two floats.
_HEAD: Final = 128

_NEVER: Final = Mark()
_decode: Final = msgspec.json.Decoder(tuple[str, float, float]).decode
_encode: Final = msgspec.json.Encoder().encode


class TagJournal:
    """The journal in `file`; `max_tags` are remembered. For threads, but one writer at a time."""

    def __init__(self, file: Path, *, max_tags: int = MAX_TAGS) -> None:
        self._file = os.fspath(file)
        self._max_tags = max_tags
        self._reading = threading.Lock()
        self._head = b""
        self._offset = 0
        self._lines = 0
        self._known: dict[str, Mark] = {}
        self._floor = _NEVER
        self._latest = 0.0
        self.refresh()

    @property
    def latest(self) -> float:
        """The moment of the latest invalidation that was read, 0 for none."""
        return self._latest

    def __len__(self) -> int:
        return len(self._known)

    def marks(self, tags: Iterable[str]) -> Mark:
        """Return when the latest of `tags` was invalidated, as far as was read."""
        known = self._known  # before the floor, which has what a later state forgot
        mark = self._floor
        for tag in tags:
            found = known.get(tag)
            if found is not None:
                mark = mark.later(found)
        return mark

    def refresh(self) -> None:
        """Read what was written since; what can't be read is passed over."""
        with self._reading:
            try:
                handle = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._head = b""  # none yet, or removed by hand: the next one writes it whole
                return
            except OSError:
                return
            with os.fdopen(handle, "rb", buffering=0) as file, suppress(OSError):
                head, newline, _ = (file.read(_HEAD) or b"").partition(b"\n")
                again = head == self._head
                offset = self._offset if again else len(head) + len(newline)
                file.seek(offset)
                data = file.readall() or b""
                end = data.rfind(b"\n") + 1
                self._take(data[:end].splitlines(), head=None if again else head)
                self._offset = offset + end

    def _take(self, lines: list[bytes], *, head: bytes | None) -> None:
        if head is None and not lines:
            return
        # `marks` takes no lock: each change is one assignment, and the floor is raised first.
        known = {} if head is not None else self._known
        floor, latest = self._floor, self._latest
        if head is not None:
            self._lines = 0
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                floor = Mark(*_decode(head)[1:])
                latest = max(latest, floor.at)
        for line in lines:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                tag, at, block_at = _decode(line)
                known[tag] = known.get(tag, _NEVER).later(Mark(at, block_at))
                latest = max(latest, at)
        self._latest, self._floor = latest, floor
        self._known = known
        self._lines += len(lines)
        if head is not None:
            self._head = head

    def add(self, tag: str, at: float, *, block: bool) -> None:
        """Write down that `tag` was invalidated. Raises `OSError`."""
        line = _encode((tag, at, at if block else 0.0)) + b"\n"
        self.refresh()
        count = len(self._known) + (tag not in self._known)
        too_many = count > self._max_tags or self._lines > count + _SPARE
        if not self._head or too_many or self._offset > _MAX_BYTES:
            mark = self._known.get(tag, _NEVER).later(Mark(at, at if block else 0.0))
            self._rewrite({**self._known, tag: mark})
        else:
            self._append(line)
        self.refresh()

    def _append(self, line: bytes) -> None:
        handle = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line  # a killed writer's half line ends here
            view = memoryview(line)
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)

    def _rewrite(self, known: dict[str, Mark]) -> None:
        """Write every tag once, the oldest ones left out where they are too many."""
        floor, size, lines = self._floor, _HEAD, list[bytes]()
        bounded = len(known) > self._max_tags
        most = int(self._max_tags * _LOW_WATER) if bounded else self._max_tags
        latest_first = sorted(known.items(), key=lambda item: -item[1].at)
        for tag, mark in latest_first:
            line = _encode((tag, *mark))
            size += len(line) + 1
            if lines and (len(lines) >= most or size > _MAX_BYTES * _LOW_WATER):
                floor = floor.later(mark)
            else:
                lines.append(line)
        head = _encode((secrets.token_hex(8), *floor))
        atomic.write(self._file, b"\n".join((head, *reversed(lines), b"")))
