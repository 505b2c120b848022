"""Names of uploaded files: what a client sends, made into one that names one file."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["safe_name"]

#: Bytes (UTF-8) of a name: file systems take 255, and somebody may put something before it.
_MOST: Final = 200
#: Bytes of a suffix that is kept where the rest is cut.
_SUFFIX: Final = 20
#: Controls (NUL, line breaks), formats (the override that shows `gpj.exe` as `exe.jpg`), and
#: surrogates, which no file system stores.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: What Windows reads as a stream, a pattern or a device (Microsoft, "Naming Files, Paths, and
#: Namespaces").
_SIGNS: Final = re.compile(r'[<>:"|?*]')
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)\s*(?:\.|$)", re.IGNORECASE
)
_ENDS: Final = re.compile(r"^[\s.]+|[\s.]+$")


def safe_name(sent: str) -> str:
    r"""Return the last part of a path that a client sent, as one that can be a file's name.

    `..\..\x`, `/etc/passwd` and `C:\a.png` are `x`, `passwd` and `a.png`; without control
    characters, leading dots, trailing dots and spaces; at most 200 bytes, the suffix kept. ""
    where nothing is left.
    """
    # A bounded part of what may be a megabyte.
    last = re.split(r"[/\\]", sent[-4096:])[-1]
    seen = "".join(one for one in last if unicodedata.category(one) not in _UNSEEN)
    name = _ENDS.sub("", _SIGNS.sub("_", unicodedata.normalize("NFC", seen)))
    if _DEVICE.match(name):
        name = f"_{name}"
    if len(name.encode()) <= _MOST:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = f".{suffix}" if dot and len(suffix.encode()) <= _SUFFIX else ""
    kept = (stem if ending else name).encode()[: _MOST - len(ending.encode())]
    return _ENDS.sub("", kept.decode(errors="ignore")) + ending
