"""A size on the command line: "200KB", "1MB", or a number of bytes."""

from __future__ import annotations

from typing import Any, Final

import click

from asok.sizes import parse_size

__all__ = ["SIZE"]


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        size = value if isinstance(value, int) else parse_size(str(value))
        if size is None:
            self.fail(f"{value!r} is no size; write bytes, or 200KB, 1MB.", param, ctx)
        return size


SIZE: Final = _Size()
