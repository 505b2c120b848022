"""The Jinja environment of a site: how names are found, and how source is read as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from jinja2 import BytecodeCache, Environment

from asok.errors import TemplateSourceError
from asok.jinja import additions, structure
from asok.jinja.extension import Tags
from asok.jinja.fragment import Fragments
from asok.jinja.loader import Folders
from asok.jinja.pieces import normalise, pieces
from asok.jinja.state import State, Unreadable
from asok.jinja.undefined import StrictVariable

__all__ = ["SiteEnvironment"]

#: Suffixes of templates that are written out as they are, without being read as HTML.
_NO_HTML = frozenset(
    {".atom", ".css", ".csv", ".ics", ".js", ".json", ".md", ".mjs", ".rss", ".toml", ".txt"}
    | {".webmanifest", ".xml", ".yaml", ".yml"}
)
_EXTENDS = re.compile(r"""\{%[-+]?\s*extends\s+(?:"([^"\n]*)"|'([^'\n]*)')""")


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a template, and what it was read from."""

    source: str
    inherited: Mapping[str, Mapping[str, State]]
    structure: structure.Structure

    def holds(self, blocks: Callable[[str], Mapping[str, State]]) -> bool:
        return all(blocks(name) == states for name, states in self.inherited.items())


class SiteEnvironment(Environment):
    """Jinja's environment with Asok's tags and rules.

    `structures` keeps what was read of each template, by its path.
    """

    def __init__(
        self,
        loader: Folders,
        *,
        bytecode: BytecodeCache | None,
        auto_reload: bool,
        fragments: Fragments | None,
    ) -> None:
        super().__init__(
            loader=loader,
            extensions=[Tags],
            autoescape=_escapes,
            undefined=StrictVariable,
            bytecode_cache=bytecode,
            auto_reload=auto_reload,
            # One entry a file; the files of a site are finite.
            cache_size=-1,
        )
        self.folders = loader
        self.fragments = fragments
        loader.parents = self.compiled_with
        self.structures: dict[str, _Known] = {}

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template. Without own ones they are the environment's.

        Jinja's layered mapping costs as much as the rest of a context, for every render.
        """
        return self.globals if not d else super().make_globals(d)

    def join_path(self, template: str, parent: str) -> str:
        """Return the path of the file that a template's `{% include %}` names."""
        return self.folders.find(template) or template

    def add_to(self, source: str, name: str | None, filename: str | None) -> str:
        """Return `source` with its nonces and CSRF inputs.

        Raises `TemplateSourceError` where its HTML can't be known.
        """
        if _suffix(name) in _NO_HTML:
            return source
        source = normalise(source)
        with _refusing(source, filename or name):
            return additions.add(source, self._structure(source, name, filename or name))

    def _structure(self, source: str, name: str | None, file: str | None) -> structure.Structure:
        known = self.structures.get(name or "")
        token = _reading.set(_reading.get() | {name})
        try:
            if known is not None and known.source == source and known.holds(self._blocks):
                return known.structure
            inherited: dict[str, Mapping[str, State]] = {}
            found = structure.read(
                pieces(self, source, file),
                lambda parent: inherited.setdefault(parent, self._blocks(parent)),
            )
        finally:
            _reading.reset(token)
        if name is not None:
            self.structures[name] = _Known(source, inherited, found)
        return found

    def _blocks(self, name: str) -> Mapping[str, State]:
        """The states in which the blocks of the template `name` begin.

        A template that is not there, or that extends itself, is reported by the render.
        """
        path = self.folders.find(name)
        if path is None or path in _reading.get() or _suffix(path) in _NO_HTML:
            return {}
        try:
            source = normalise(self.folders.read(path))
        except FileNotFoundError:
            return {}
        with _refusing(source, path):
            return self._structure(source, path, path).blocks

    def compiled_with(self, name: str | None, source: str) -> str:
        """What besides a template's source changes what it compiles to, as text."""
        parents = [double or single for double, single in _EXTENDS.findall(source)]
        states = [
            sorted((block, repr(state)) for block, state in self._blocks(parent).items())
            for parent in parents
        ]
        return repr((states, _escapes(name), self.is_async))


@contextmanager
def _refusing(source: str, file: str | None) -> Generator[None]:
    """Turn what the tokeniser refuses into an error with the file and the line."""
    try:
        yield
    except Unreadable as error:
        raise TemplateSourceError(
            f"{error.message}.",
            fix=error.fix,
            file=file,
            line=source.count("\n", 0, max(error.offset, 0)) + 1,
        ) from None


@lru_cache
def _suffix(name: str | None) -> str:
    """The suffix of a template's name: asked for by each render, of the same few names."""
    return PurePath(name or "").suffix


def _escapes(name: str | None) -> bool:
    """Everything is escaped for HTML, except plain text (mails)."""
    return _suffix(name) != ".txt"


#: The templates that are being read: one that extends itself is not read for ever.
_reading: ContextVar[frozenset[str | None]] = ContextVar("asok.reading", default=frozenset())
