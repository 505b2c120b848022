"""The command line: `asok create`, `dev`, `build`, `preview`, and what helps beside them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 it failed, 2 it was used wrongly.

    `arguments` are those after the program's name; those of this process by default.
    """
    # click is imported here: the development server's processes import this package too.
    from asok.cli.commands import asok

    asok.main(args=arguments, prog_name="asok")
