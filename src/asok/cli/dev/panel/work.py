"""What a request or the live calls of a page did: statements, N+1 warnings, cache questions."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from asok.cli.dev.masking import Masker

__all__ = ["Work"]

#: Different statements, and different keys, that are shown.
_MOST: Final = 200
_COUNTED: Final = ("hits", "misses", "stale", "errors", "computations")


@dataclass(slots=True)
class _Statement:
    """The same text asked by the same line; `seconds` are those of all times."""

    sql: str
    line: str | None
    count: int = 0
    seconds: float = 0.0


class Work:
    """An `Observer` that remembers, from any thread, what it was told."""

    def __init__(self, masker: Masker) -> None:
        #: Rises with everything that is noted.
        self.revision = 0
        self._masker = masker
        self._lock = threading.Lock()
        self._statements: dict[tuple[str, str | None], _Statement] = {}
        self._total = _Statement("", None)
        self._repeated: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._keys: dict[str, Counter[str]] = {}
        self._key = ""

    def queried(self, statement: str, line: str | None, seconds: float) -> None:
        """A statement ran."""
        with self._lock:
            self.revision += 1
            known = self._statements.get((statement, line))
            if known is None:
                known = _Statement(statement, line)
                if len(self._statements) < _MOST:
                    self._statements[statement, line] = known
            for one in (known, self._total):
                one.count += 1
                one.seconds += seconds

    def repeated(self, line: str, advice: str) -> None:
        """A line asks for the same again and again."""
        with self._lock:
            self.revision += 1
            self._repeated[line] = advice

    def asked(self, key: str) -> None:
        """A cache is asked for `key`."""
        self._key = key

    def counted(self, name: str, count: int) -> None:
        """A cache counted something, about the key that was asked for last."""
        with self._lock:
            self.revision += 1
            self._counts[name] += count
            if self._key in self._keys or len(self._keys) < _MOST:
                self._keys.setdefault(self._key, Counter())[name] += count

    def to_dict(self) -> dict[str, Any]:
        """Return what the panel shows; times in milliseconds."""
        show = self._masker.text
        with self._lock:
            return {
                "queries": self._total.count,
                "ms": round(self._total.seconds * 1000, 2),
                "statements": [
                    {
                        "sql": show(one.sql, whole=True),
                        "line": one.line,
                        "count": one.count,
                        "ms": round(one.seconds * 1000, 2),
                    }
                    for one in self._statements.values()
                ],
                "repeated": [
                    {"line": line, "advice": advice} for line, advice in self._repeated.items()
                ],
                "cache": {name: self._counts[name] for name in _COUNTED},
                "keys": [{"key": show(key), **counts} for key, counts in self._keys.items() if key],
            }
