"""What Asok logs while a site is developed: lines in the terminal, and failures in the browsers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click

__all__ = ["shown_logs"]


@contextmanager
def shown_logs(
    keep: Callable[[BaseException], object], explain: Callable[[BaseException], str]
) -> Generator[None]:
    """Show warnings and errors of Asok inside the block.

    `keep` gets the exceptions, which have no page of their own; `explain` returns an
    exception's lines for the terminal. Both are called from any thread.
    """
    logger = logging.getLogger("asok")
    handlers = (_ToBrowsers(keep), _ToTerminal(explain))
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)


class _ToBrowsers(logging.Handler):
    def __init__(self, keep: Callable[[BaseException], object]) -> None:
        super().__init__(logging.ERROR)
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._keep(error)


class _ToTerminal(logging.Handler):
    def __init__(self, explain: Callable[[BaseException], str]) -> None:
        super().__init__(logging.WARNING)
        self._explain = explain

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers:
            return  # the site shows its logs itself, and these with them
        colour = "red" if record.levelno >= logging.ERROR else "yellow"
        click.echo(f"  {click.style(record.levelname.lower(), fg=colour)}  {record.getMessage()}")
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            for line in self._explain(error).splitlines():
                click.echo(f"       {click.style(line, fg=colour)}")
