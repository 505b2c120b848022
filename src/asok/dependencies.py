"""What a page was made from: noted while it renders, by whoever knows.

One `Seen` is current while a build runs: that of the page which renders, or the build's own
between pages and while the site is imported. It is a plain global and no context variable,
because a build renders one page at a time in a process, and what a thread of the page's code
reads belongs to that page. While nothing is current (a server), noting costs one comparison.

Templates, assets and queries are noted by the parts of Asok that know of them. What the
site's own code reads besides is heard by Python's audit hook (PEP 578): files and folders
with their digest, sockets and other processes as data that can't be tracked. Files are
digested before they are read, so an edit in between makes the page look changed, never
unchanged.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

__all__ = [
    "ABSENT",
    "Seen",
    "asset",
    "current",
    "data",
    "digest",
    "fragment",
    "noting",
    "template",
    "watch",
]

T = TypeVar("T")

#: The digest of what is not there.
ABSENT: Final = ""


class Seen:
    """What was used since this became current.

    `lookups` are template names by (folder of the page or "", name) with the file that was
    found and its digest; `files` what code read, a folder's name ending in "/", with digests;
    `assets` URLs by name. `data` says that something was read whose changes can't be seen: a
    query, a cache, a socket; `open` that a way to such data was opened which may last.
    """

    __slots__ = ("assets", "data", "files", "lookups", "open")

    def __init__(self) -> None:
        self.lookups: dict[tuple[str, str], tuple[str, str]] = {}
        self.files: dict[str, str] = {}
        self.assets: dict[str, str] = {}
        self.data = False
        self.open = False

    def add(self, other: Seen) -> None:
        """Take over what was noted elsewhere: a fragment's use is the page's."""
        self.lookups.update(other.lookups)
        self.files.update(other.files)
        self.assets.update(other.assets)
        self.data = self.data or other.data
        self.open = self.open or other.open


#: What notes are for; None where nothing is being built.
current: Seen | None = None

_ASOK: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep
#: Where the files lie that belong to the machine or to Python, not to the site.
_SYSTEM: Final = tuple(
    {
        os.path.join(folder, "")
        for folder in (sys.prefix, sys.base_prefix, "/usr", "/etc", "/lib", "/proc", "/sys", "/dev")
    }
)
#: Python's source is told apart as code; templates, assets and stored pages by Asok itself.
_CODE: Final = (".py", ".pyc", ".pyi", ".so")
_WRITING: Final = os.O_WRONLY | os.O_RDWR
_LASTING: Final = frozenset(
    {"os.exec", "os.posix_spawn", "os.system", "socket.connect", "sqlite3.connect"}
    | {"subprocess.Popen"}
)
_root = ""
#: Of `_SYSTEM` what lies inside the site: its virtual environment.
_inside: tuple[str, ...] = ()
_listening = False
#: Of this build: templates by file, and what `{% cache %}` made, with what it used.
_digests: dict[str, str] = {}
_fragments: dict[str, tuple[Seen, Any]] = {}


@contextmanager
def watch(root: Path) -> Generator[Seen]:
    """Note what is used inside the block, for the site at `root`; yields the build's own notes.

    Begin it before the site is imported, or what its modules read then goes unseen.
    """
    global _root, _inside, _listening
    if not _listening:
        sys.addaudithook(_hear)  # it can't be removed, and does nothing while nothing is current
        _listening = True
    before = _root, _inside
    _root = os.path.join(root.resolve(), "")
    _inside = tuple(folder for folder in _SYSTEM if folder.startswith(_root))
    _digests.clear()
    _fragments.clear()
    try:
        with noting(Seen()) as seen:
            yield seen
    finally:
        _root, _inside = before


@contextmanager
def noting(seen: Seen) -> Generator[Seen]:
    """Make `seen` the current notes inside the block."""
    global current
    before, current = current, seen
    try:
        yield seen
    finally:
        current = before


def template(folder: Path | None, name: str, found: str | None) -> None:
    """Note that the template `name` was looked for, with `folder` before the site's own."""
    if current is None:
        return
    if found is not None and found not in _digests:
        _digests[found] = digest(found)
    current.lookups[(str(folder or ""), name)] = (found or "", _digests.get(found or "", ABSENT))


def asset(name: str, url: str) -> str:
    """Note that the asset `name` was linked as `url`, which is returned."""
    if current is not None:
        current.assets[name] = url
    return url


def data() -> None:
    """Note that something was read whose changes can't be seen here: a query, a cache."""
    if current is not None:
        current.data = True


def fragment(key: str, render: Callable[[], T]) -> T:
    """Return what `{% cache %}` shows in a build: made once in it, whatever a store still has.

    Every page that shows it is taken to have used what it was made from.
    """
    assert current is not None
    found = _fragments.get(key)
    if found is None:
        with noting(Seen()) as seen:
            found = _fragments[key] = (seen, render())
    current.add(found[0])
    return found[1]


def digest(path: str) -> str:
    """Return the digest of a file's bytes, or of the names in a folder (`path` ends in "/").

    `ABSENT` where there is nothing to read.
    """
    try:
        if path.endswith(os.sep):
            content = "\0".join(sorted(os.listdir(path))).encode("utf-8", "surrogateescape")
        else:
            with open(path, "rb") as file:
                content = file.read()
    except OSError:
        return ABSENT
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's audit hook. It is called for every event of the process: leave early."""
    if current is None:
        return
    if event == "open":
        path, _, flags = arguments
        if not isinstance(flags, int) or flags & _WRITING:
            return
    elif event in ("os.listdir", "os.scandir"):
        path = arguments[0] if arguments[0] is not None else os.curdir
    elif event in _LASTING:
        if not _is_ours(sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
            current.data = current.open = True
        return
    else:
        return
    if isinstance(path, (str, bytes, os.PathLike)):
        _note_file(os.fsdecode(path), event == "open")  # pyright: ignore[reportUnknownArgumentType]


def _note_file(path: str, is_file: bool) -> None:
    path = os.path.abspath(path)
    if path.startswith(_ASOK) or path.endswith(_CODE):
        return
    # A site may lie in a folder of the system: /usr/src/app.
    if path.startswith(_root):
        if path.startswith(_inside) or path[len(_root) :].startswith((".asok", ".env")):
            return
    elif path.startswith(_SYSTEM):
        return
    if _is_ours(sys._getframe(2)):  # pyright: ignore[reportPrivateUsage]
        return
    if not is_file:
        path = os.path.join(path, "")
    if current is not None and path not in current.files:
        current.files[path] = digest(path)


def _is_ours(frame: FrameType | None) -> bool:
    """Whether Asok itself reads, not the site: whose frame is the innermost of the two."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_ASOK):
            if frame.f_code is not _hear.__code__:
                return True
        elif name.startswith(_root) and not name.startswith(_inside):
            return False
        frame = frame.f_back
    return False
