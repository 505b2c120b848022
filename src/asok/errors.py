"""Every exception that Asok raises on purpose, as one tree.

AsokError
├── ConfigurationError          settings, `.env`, a wrong call of the constructor
├── SignatureError              a token was forged, swapped or expired
│   └── SignatureExpired
├── HoleError                   a nonce or CSRF value did not survive the render
├── PageError                   a page file, its options or its result
│   ├── RouteError              a file or folder name that is no route
│   │   └── RouteConflict       two files answer the same paths
│   ├── PageImportError         the page module failed while it was imported
│   ├── PageOptionError         SSG, REVALIDATE, get_static_paths and their friends
│   ├── FrozenPageError         a frozen page tried to read the visitor
│   ├── FreezeError             a page failed while it was built
│   │   ├── LinkError           finished pages link to what is not there
│   │   └── BudgetError         finished pages are larger than they may be
│   └── RevalidationError       a path or tag that can't be revalidated
├── TemplateError               a template, with its file and line
│   ├── TemplateSourceError     its source: syntax, or HTML whose structure can't be known
│   ├── TemplateNotFound        no file of that name in the folders that are searched
│   └── UndefinedVariable       it uses a name or attribute that is not there
├── CacheError
│   ├── CacheKeyError           a key that no store can hold
│   ├── CacheValueError         a value that would not come back as it went in
│   └── CacheUnavailable        a store that doesn't answer (never breaks a page)
├── LiveError
│   ├── ComponentError          a component's class, name or file
│   ├── StateError              a state that can't be stored or doesn't fit its schema
│   ├── StateRefused            a state token that is not this visitor's or component's
│   └── CallRefused             a call of something that is not exposed
├── AssetError
│   └── AssetNotFound
├── ModelError                  a model, a query or the database behind it
│   ├── RecordNotFound          no row where one was asked for
│   ├── UnknownColumn           a condition, order or value names no column
│   ├── UnknownOperator         a condition's operator is not one of the known ones
│   └── MigrationError          the migrations don't fit each other, the models or the database
├── SessionError                a session too large, or not serialisable
├── Unavailable                 a server that doesn't answer, or refuses: CacheUnavailable, and
│   └── PagesUnavailable        the store of pages that hosts share
├── DriveError                  a test asked a page for what it does not show
└── CommandError                a command line that can't be carried out
    └── SiteImportError         wsgi.py failed while it was imported

A message says what was got, what was expected, and the fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "AsokError",
    "AssetError",
    "AssetNotFound",
    "BudgetError",
    "CacheError",
    "CacheKeyError",
    "CacheUnavailable",
    "CacheValueError",
    "CallRefused",
    "CommandError",
    "ComponentError",
    "ConfigurationError",
    "DriveError",
    "FreezeError",
    "FrozenPageError",
    "HoleError",
    "LinkError",
    "LiveError",
    "MigrationError",
    "ModelError",
    "PageError",
    "PageImportError",
    "PageOptionError",
    "PagesUnavailable",
    "RecordNotFound",
    "RevalidationError",
    "RouteConflict",
    "RouteError",
    "SessionError",
    "SignatureError",
    "SignatureExpired",
    "SiteImportError",
    "StateError",
    "StateRefused",
    "TemplateError",
    "TemplateNotFound",
    "TemplateSourceError",
    "Unavailable",
    "UndefinedVariable",
    "UnknownColumn",
    "UnknownOperator",
]


class AsokError(Exception):
    """Base of every error here.

    `file` and `line` (1-based) point at the user's own source where there is one,
    `fix` is the sentence that says what to do; both are shown by the overlay and the CLI.
    """

    def __init__(
        self,
        message: str,
        *,
        fix: str | None = None,
        file: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        # A message that quotes another one would end like it, and then with its own full stop.
        if message.endswith(("..", "?.", "!.")) and not message.endswith("..."):
            message = message[:-1]
        self.message = message
        self.fix = fix
        self.file = Path(file) if file is not None else None
        self.line = line
        self.given = ""
        super().__init__(message)

    def given_in(self, place: str) -> None:
        """Add where what is wrong was given, which is not where it was declared; once."""
        if not self.given:
            self.given = place
            self.message = f"{self.message.rstrip('.')} (given in {place})."

    def __str__(self) -> str:
        where = ""
        if self.file is not None:
            where = f"{self.file}:{self.line}: " if self.line is not None else f"{self.file}: "
        fix = f" {self.fix}" if self.fix else ""
        return f"{where}{self.message}{fix}"


class ConfigurationError(AsokError):
    """One or several settings are wrong; `problems` holds one sentence each."""

    def __init__(self, message: str, *, problems: Sequence[str] = (), fix: str | None = None):
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(message + lines, fix=fix)


class SignatureError(AsokError):
    """A signed value was changed, signed for another purpose, or by a retired key."""


class SignatureExpired(SignatureError):
    """A signed value is genuine but older than it may be."""


class HoleError(AsokError):
    """A per-visitor value can't be cut out of a render that is to be stored."""


class PageError(AsokError):
    """Base of the errors about pages."""


class RouteError(PageError):
    """A file or folder under `src/pages` has a name that is no route."""


class RouteConflict(RouteError):
    """Two files answer the same paths; `first` and `second` name them."""

    def __init__(self, message: str, *, first: Path, second: Path, fix: str | None = None):
        self.first = first
        self.second = second
        super().__init__(message, fix=fix, file=second)


class PageImportError(PageError):
    """A page module failed while it was imported; the cause is chained."""


class PageOptionError(PageError):
    """A page's module-level option has a value that it can't have."""


class FrozenPageError(PageError):
    """A page that is stored for everybody tried to read the visitor who triggered it."""


class FreezeError(PageError):
    """A page failed while it was being built; `report` tells of every page, where there is one."""

    def __init__(
        self,
        message: str,
        *,
        fix: str | None = None,
        file: Path | str | None = None,
        line: int | None = None,
        report: object = None,
    ) -> None:
        self.report = report
        super().__init__(message, fix=fix, file=file, line=line)


class LinkError(FreezeError):
    """Finished pages link to what is not there; `report` holds the links."""


class BudgetError(FreezeError):
    """Finished pages are larger than they may be; `report` holds their weights."""


class RevalidationError(PageError):
    """`revalidate_path` or `revalidate_tag` got what no page is known by.

    `nearest` holds the patterns that resemble an unknown path, most similar first.
    """

    def __init__(
        self,
        message: str,
        *,
        fix: str | None = None,
        file: Path | str | None = None,
        nearest: Sequence[str] = (),
    ) -> None:
        self.nearest = tuple(nearest)
        super().__init__(message, fix=fix, file=file)


class TemplateError(AsokError):
    """Base of the errors about templates; the template engine's own error is chained."""


class TemplateSourceError(TemplateError):
    """Template source with a syntax error, or whose HTML structure can't be known."""


class TemplateNotFound(TemplateError):
    """A template was asked for by a name that no searched folder has."""


class UndefinedVariable(TemplateError):
    """A template used a variable, attribute or item that is not there."""


class Unavailable(AsokError):
    """A server that a store lives on doesn't answer, or refuses; never breaks a page."""


class PagesUnavailable(Unavailable, OSError):
    """The store of pages that hosts share; pages are served from memory and the build."""


class CacheError(AsokError):
    """Base of the errors of the cache."""


class CacheKeyError(CacheError):
    """A cache key is no non-empty string, or longer than any store takes."""


class CacheValueError(CacheError):
    """A value's type would not come back from every store as it went in."""


class CacheUnavailable(CacheError, Unavailable):
    """A cache store does not answer; regions turn this into a miss."""


class LiveError(AsokError):
    """Base of the errors of live components."""


class ComponentError(LiveError):
    """A component class, its name or its file is wrong."""


class StateError(LiveError):
    """A component's state can't be serialised or does not fit its declared types."""


class StateRefused(LiveError):
    """A state token is forged, expired, or another component's, instance's or visitor's.

    `reason` is one word for the browser: signature, session, expired, schema, record (a row that
    is no longer there), stale, guard or gone.
    """

    def __init__(self, message: str, *, reason: str, fix: str | None = None):
        self.reason = reason
        super().__init__(message, fix=fix)


class CallRefused(LiveError):
    """A client called what is not exposed, or with arguments that do not fit.

    `code` is one word for the browser: malformed, refused, arguments, value, busy and others.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "refused",
        fix: str | None = None,
        file: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        self.code = code
        super().__init__(message, fix=fix, file=file, line=line)


class AssetError(AsokError):
    """Base of the errors of static assets."""


class AssetNotFound(AssetError):
    """A static file was asked for by name and is not there."""


class ModelError(AsokError):
    """Base of the errors of models."""


class RecordNotFound(ModelError):
    """`find_or_fail` and its friends found no row; answered with 404 in a handler."""


class UnknownColumn(ModelError):
    """A condition names a column that the model does not have."""


class UnknownOperator(ModelError):
    """A condition's operator is none of the documented ones."""


class MigrationError(ModelError):
    """Migrations that don't fit each other, the models or the database."""


class SessionError(AsokError):
    """A session's data is too large or can't be serialised."""


class DriveError(AsokError, AssertionError):
    """A test that drives a page asked for what it does not show, or what nobody can do to it."""


class CommandError(AsokError):
    """A command of `asok` can't be carried out: a folder, a port, a name."""


class SiteImportError(CommandError):
    """A site's wsgi.py failed while it was imported, or holds no application; cause chained."""
