"""Compiling the site's Python: beside its source, or in its place."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import py_compile
from collections.abc import Iterator
from pathlib import Path

from asok.errors import PageError

__all__ = ["compile_source", "replace_source"]

#: What stays where a source file was. Python runs the bytecode beside it, made to be used
#: unchecked (PEP 552); only where that doesn't fit the interpreter does it come to this file.
#: The digest makes the code's fingerprint follow the source that isn't here.
_STUB = '''"""Compiled by `asok build` for {version}, from source {digest}."""

raise ImportError(
    "this site was compiled for {version} by `asok build`. "
    "Run it with that version, or build it with --keep-source."
)
'''


def compile_source(folder: Path) -> int:
    """Compile every Python file below `folder`; return how many there are.

    Raises `PageError` with file and line for one that has a syntax error.
    """
    count = 0
    for path in _files(folder):
        _compile(path, py_compile.PycInvalidationMode.TIMESTAMP)
        count += 1
    return count


def replace_source(folder: Path) -> int:
    """Compile every Python file below `folder` and replace its source; return how many."""
    version = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"
    count = 0
    for path in _files(folder):
        _compile(path, py_compile.PycInvalidationMode.UNCHECKED_HASH)
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        path.write_text(_STUB.format(version=version, digest=digest), "utf-8")
        count += 1
    return count


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        if "__pycache__" not in path.parts and path.is_file():
            yield path


def _compile(path: Path, mode: py_compile.PycInvalidationMode) -> None:
    try:
        py_compile.compile(
            str(path),
            cfile=importlib.util.cache_from_source(str(path)),
            doraise=True,
            invalidation_mode=mode,
        )
    except py_compile.PyCompileError as error:
        wrong = error.exc_value
        line = wrong.lineno if isinstance(wrong, SyntaxError) else None
        text = wrong.msg if isinstance(wrong, SyntaxError) else str(wrong)
        raise PageError(f"this file can't be compiled: {text}.", file=path, line=line) from error
