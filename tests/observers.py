"""An observer for tests: it writes down what it is told."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from asok import observing

__all__ = ["Notes", "telling"]


class Notes:
    """What was told, in order."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, str | None]] = []
        self.warnings: list[tuple[str, str]] = []
        self.counted_by_key: list[tuple[str, str, int]] = []
        self._key = ""

    def queried(self, statement: str, line: str | None, seconds: float) -> None:
        assert seconds >= 0
        self.queries.append((" ".join(statement.split()), line))

    def repeated(self, line: str, advice: str) -> None:
        self.warnings.append((line, advice))

    def asked(self, key: str) -> None:
        self._key = key

    def counted(self, name: str, count: int) -> None:
        self.counted_by_key.append((self._key, name, count))


@contextmanager
def telling() -> Generator[None]:
    """Let what is made inside the block tell what it does, as under the development server."""
    observing.begin()
    try:
        yield
    finally:
        observing.end()
