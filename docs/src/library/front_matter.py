"""The head of a document: `name: value` lines between two lines of three dashes."""

from __future__ import annotations

from pathlib import Path

from asok import AsokError

__all__ = ["DocumentError", "split"]

NAMES = frozenset({"title", "description", "section", "order"})


class DocumentError(AsokError):
    """A document of the documentation can't be used."""


def split(text: str, file: Path) -> tuple[dict[str, str], str]:
    """Return the head's values and the rest of `text`.

    All of `NAMES` must be there and nothing else. Raises `DocumentError` naming file and line.
    """
    lines = text.split("\n")
    if lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        raise DocumentError(
            "the document has no head.",
            fix="Begin it with ---, the lines title, description, section and order, and ---.",
            file=file,
            line=1,
        )
    head: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == "---":
            missing = sorted(NAMES - set(head))
            if missing:
                raise DocumentError(
                    f"the head lacks {', '.join(missing)}.",
                    fix=f"Add the line `{missing[0]}: …`.",
                    file=file,
                    line=number,
                )
            return head, "\n".join(lines[number:])
        name, colon, value = line.partition(":")
        if not colon or name.strip() not in NAMES:
            raise DocumentError(
                f"the head has the line {line!r}.",
                fix=f"Expected `name: value` with a name of {', '.join(sorted(NAMES))}.",
                file=file,
                line=number,
            )
        head[name.strip()] = value.strip()
    raise AssertionError("a head that ends was seen above")
