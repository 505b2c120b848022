"""What every page of a site depends on beside its own module and templates, by name.

Python that is no page's own module counts for every page: which of it a page runs is not
known. So do the settings, the installed packages and Asok itself. A page's own module counts
for its pages only, unless some other module seems to import it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from asok.dependencies import digest
from asok.settings import Settings

__all__ = ["grounds"]

_PASSED_OVER = frozenset({"__pycache__", "node_modules"})
#: At the site's top these hold what is made or tested, not what the site runs.
_NOT_SERVED = frozenset({"build", "dist", "docs", "tests"})
#: What changes nothing in a page.
_NO_MATTER = frozenset({"assets_keep", "host", "port", "release", "root", "workers"})
_IMPORTS_PAGES = re.compile(
    rb"^.*\b(?:import\b.*\bpages\b|pages\b.*\bimport\b|src[./]pages)", re.MULTILINE
)


def grounds(
    settings: Settings, modules: Mapping[str, Path | None]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return (what all pages depend on, the digest of each page's own module by pattern).

    `modules` are the pages' own, by pattern. Raises `OSError` for source that can't be read.
    """
    root = settings.root
    values = [
        f"{field.name}={getattr(settings, field.name)!r}"
        for field in dataclasses.fields(settings)
        if field.name not in _NO_MATTER
    ]
    found = {
        "Asok": _digest(sorted(_asok())),
        ".env": digest(os.path.join(root, ".env")),
        "the installed packages": _digest(sorted(_packages())),
        "the settings": _digest(values),
        # Which template belongs to a component is found by the names that there are.
        "the files in src/components": _digest(sorted(_names(root / "src" / "components"))),
    }
    own = {str(path): pattern for pattern, path in modules.items() if path is not None}
    shared = False
    digests: dict[str, str] = {}
    for path in _python(root):
        source = Path(path).read_bytes()
        shared = shared or _IMPORTS_PAGES.search(source) is not None
        digests[path] = hashlib.blake2b(source, digest_size=12).hexdigest()
    for path, text in digests.items():
        if shared or path not in own:
            found[os.path.relpath(path, root)] = text
    return found, {pattern: digests.get(path, "") for path, pattern in own.items()}


def _python(root: Path) -> Iterator[str]:
    top = os.fspath(root)
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _PASSED_OVER
            and not (folder == top and name in _NOT_SERVED)
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))


def _names(folder: Path) -> Iterator[str]:
    for inside, _, names in os.walk(folder):
        if not inside.endswith("__pycache__"):
            yield from (os.path.join(inside, name) for name in names)


def _asok() -> Iterator[str]:
    """Asok's own files, by time and size: a version number says little while it is developed."""
    for folder, _, names in os.walk(Path(__file__).parent):
        for name in names:
            if not name.endswith(".pyc"):
                found = os.stat(os.path.join(folder, name))
                yield f"{folder}/{name} {found.st_mtime_ns} {found.st_size}"


def _packages() -> Iterator[str]:
    """Python and the installed packages, each folder of which is named with its version."""
    yield sys.version
    for folder in sys.path:
        try:
            names = os.listdir(folder) if folder else []
        except OSError:
            continue
        yield from (name for name in names if name.endswith((".dist-info", ".egg-info")))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.blake2b("\0".join(texts).encode("utf-8", "replace"), digest_size=12).hexdigest()
