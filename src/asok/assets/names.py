"""Which texts are logical names of assets: `css/base.css`, never a way out of the roots.

The same rule guards both ends: a file whose name fails it is not taken in, and a requested
path that fails it is a 404 before any file is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote

__all__ = [
    "HIDDEN_SUFFIXES",
    "MAP",
    "are_publishable",
    "is_hidden",
    "is_public",
    "is_publishable",
    "is_wellformed",
    "quoted",
]

#: The suffix of source maps, which are published for the file that links them.
MAP = ".map"

#: Never served under their own name: compressed variants and source maps belong to another
#: file, the rest is source that was left in the folder.
HIDDEN_SUFFIXES = (".br", ".gz", ".map", ".py", ".pyc", ".pyo", ".zst", "~")

# Control characters; the backslash and colon that Windows reads as separators (`..\\x`, `C:`,
# an NTFS stream); lone surrogates, which are file names that were not UTF-8; and what a proxy
# that decodes twice would turn into any of these (`%2e%2e`).
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:\ud800-\udfff]|%[0-9a-fA-F]{2}")

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: devices in every folder,
# with any suffix.
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)
_LONGEST_NAME = 1024
_LONGEST_PART = 255
# What a list of names, one a line, has to be free of not to be looked at one by one.
_DOUBTFUL = re.compile(
    r"""[\x00-\x09\x0b-\x1f\x7f\\:%~$] | // | ^/ | /$ | ^$ | [^\n]{256}
    | (?:^|/)(?:\. | (?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[. /]|$))
    | \.(?:br|gz|map|pyc?|pyo|zst)$""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)


def is_wellformed(name: str) -> bool:
    """Return True for a relative path of plain parts: no `..`, `.`, empty part or device."""
    if not name or len(name) > _LONGEST_NAME or _UNSAFE.search(name):
        return False
    for part in name.split("/"):
        if part in {"", ".", ".."} or len(part.encode()) > _LONGEST_PART:
            return False
        if part.split(".", 1)[0].rstrip(" ").upper() in _DEVICES:
            return False
    return True


def is_hidden(name: str) -> bool:
    """Return True for dotfiles, files in dotted folders, variants, source maps and sources."""
    return name.startswith(".") or "/." in name or name.lower().endswith(HIDDEN_SUFFIXES)


def is_public(name: str) -> bool:
    """Return True for a name that may be served."""
    return is_wellformed(name) and not is_hidden(name)


def is_publishable(name: str) -> bool:
    """Return True for a public name, and for the map of a public one."""
    return is_public(name.removesuffix(MAP))


def are_publishable(listed: Collection[str]) -> bool:
    """Return whether all names are publishable; ten times faster than asking for each.

    Thousands of names are asked for at every start, and nearly none needs the second look.
    """
    text = "\n".join(listed)
    if text.isascii() and text.count("\n") == len(listed) - 1 and not _DOUBTFUL.search(text):
        return True
    return all(map(is_publishable, listed))


def quoted(name: str) -> str:
    """Return `name` percent-encoded for the path of a URL (RFC 3986, section 3.3)."""
    return quote(name, safe="/!$&'()*+,;=@~")
