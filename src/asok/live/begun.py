"""A coroutine whose first step has run: most methods end in it, and need no time limit."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

__all__ = ["Begun"]


class Begun:
    """Awaiting it goes on where the first step ended: at the coroutine's first real wait.

    A limit can only cut off what waits, so none is set before; setting one up and taking it
    back costs as much as a call.
    """

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, object], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    @classmethod
    def of(cls, coroutine: Coroutine[Any, Any, object]) -> Begun | None:
        """Run the first step; None where it was the whole. Raises what that raises."""
        try:
            return cls(coroutine, coroutine.send(None))
        except StopIteration:
            return None

    def __await__(self) -> Generator[Any, Any, object]:
        """What the loop does with a coroutine, beginning with what the first step waits for
        (PEP 380 says how a generator stands for another one)."""
        awaited = self._awaited
        while True:
            try:
                sent = yield awaited
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 (the coroutine's, whatever it is)
                step, given = self._coroutine.throw, error
            else:
                step, given = self._coroutine.send, sent
            try:
                awaited = step(given)
            except StopIteration as end:
                return end.value
