"""What a page module declares at its top level: SSG, REVALIDATE, get_static_paths and friends."""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, NoReturn, cast

from asok.errors import PageOptionError
from asok.pages.query import NO_QUERY, Query, make_query
from asok.pages.tag_name import data_tag
from asok.sizes import parse_size

__all__ = ["PageOptions"]

StaticPaths = Callable[[], Iterable[Mapping[str, Any]]]

_NAMES: Final = (
    "BUDGET",
    "CSP",
    "CSRF",
    "EXPIRE",
    "FALLBACK",
    "GUARDS",
    "MIDDLEWARE",
    "QUERY",
    "REVALIDATE",
    "SITEMAP",
    "SSG",
    "TAGS",
    "get_static_paths",
)
_MAX_TAGS: Final = 64
_MAX_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class PageOptions:
    """A page's options, validated. The defaults are those of a page rendered per request.

    `revalidate` and `expire` are seconds. `get_static_paths` returns one dict of parameters
    for every page to build. `budget` is in bytes: None leaves the site's, 0 lifts it.
    `sitemap` is None where nothing is said: pages that are built are listed, others not.
    """

    ssg: bool = False
    revalidate: float | None = None
    get_static_paths: StaticPaths | None = None
    expire: float | None = None
    fallback: Literal["generate", "404"] = "generate"
    tags: tuple[str, ...] = ()
    query: Query = NO_QUERY
    csp: Literal["nonce", "hash"] | None = None
    sitemap: bool | None = None
    budget: int | None = None

    @classmethod
    def from_module(cls, module: ModuleType | None, file: Path) -> PageOptions:
        """Read the options of `module`; a page without one has the defaults.

        `SSG = True` or `get_static_paths` makes a page static; `SSG = False` written out
        switches it off, whatever else is declared. Raises `PageOptionError` naming `file`.
        """
        if module is None:
            return cls()
        values: dict[str, Any] = vars(module)
        reader = _Reader(values, file)
        reader.refuse_near_misses()
        declared = reader.boolean("SSG")
        paths = reader.function("get_static_paths")
        revalidate = reader.seconds("REVALIDATE")
        expire = reader.seconds("EXPIRE")
        ssg = declared if declared is not None else paths is not None
        if revalidate is not None and declared is None and not ssg:
            reader.refuse("REVALIDATE", "needs a static page", "Add SSG = True.")
        if expire is not None and revalidate is None:
            reader.refuse(
                "EXPIRE",
                "is the age after which a stale page is no longer served, but without "
                "REVALIDATE a page never gets stale",
                "Add REVALIDATE = 3600, or remove EXPIRE.",
            )
        if expire is not None and revalidate is not None and expire <= revalidate:
            reader.refuse(
                "EXPIRE",
                f"must be longer than REVALIDATE ({revalidate:g} seconds)",
                f"Write EXPIRE = {revalidate * 10:g}, or remove it.",
            )
        fallback = reader.choice("FALLBACK", ("generate", "404"))
        csp = None if reader.values.get("CSP") is None else reader.choice("CSP", ("nonce", "hash"))
        if csp == "hash" and not ssg:
            reader.refuse(
                "CSP",
                "needs a static page: one that is rendered per request has a nonce",
                "Add SSG = True, or remove CSP.",
            )
        return cls(
            ssg=ssg,
            revalidate=revalidate,
            get_static_paths=paths,
            expire=expire,
            fallback=cast('Literal["generate", "404"]', fallback),
            tags=tuple(map(data_tag, reader.names("TAGS"))),
            query=reader.query("QUERY"),
            csp=cast('Literal["nonce", "hash"] | None', csp),
            sitemap=reader.boolean("SITEMAP"),
            budget=reader.size("BUDGET"),
        )


class _Reader:
    """Reads one module's values, and says what is wrong with them."""

    def __init__(self, values: Mapping[str, Any], file: Path) -> None:
        self.values = values
        self.file = file

    def refuse(self, name: str, problem: str, fix: str) -> NoReturn:
        value = self.values.get(name)
        raise PageOptionError(
            f"{name} = {value!r} {problem}.", fix=fix, file=self.file, line=self.line_of(name)
        )

    def line_of(self, name: str) -> int | None:
        """The last line of the module's top level that defines `name`, where one does."""
        try:
            body = ast.parse(self.file.read_bytes()).body
        except (OSError, SyntaxError, ValueError):
            return None
        found: int | None = None
        for statement in body:
            match statement:
                case ast.Assign(targets=targets):
                    names = [one.id for one in targets if isinstance(one, ast.Name)]
                case ast.AnnAssign(target=ast.Name(id=one)):
                    names = [one]
                case ast.FunctionDef(name=one) | ast.AsyncFunctionDef(name=one):
                    names = [one]
                case _:
                    names = []
            if name in names:
                found = statement.lineno
        return found

    def refuse_near_misses(self) -> None:
        """An option that is misspelt would be ignored in silence: refuse it."""
        for name, value in self.values.items():
            if name in _NAMES or name.startswith("_"):
                continue
            meant = _meant(name, value)
            if meant is not None:
                raise PageOptionError(
                    f"{name} is no option of a page.",
                    fix=f"Did you mean {meant}? If {name} is your own, choose another name.",
                    file=self.file,
                    line=self.line_of(name),
                )

    def boolean(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "is neither True nor False", f"Write {name} = True.")
        return value

    def size(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        size = parse_size(value) if isinstance(value, str) else value
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            self.refuse(name, "is no size", f'Write {name} = "100KB", or a number of bytes.')
        return size

    def function(self, name: str) -> StaticPaths | None:
        value = self.values.get(name)
        if value is not None and not callable(value):
            self.refuse(
                name,
                "is no function",
                f'Write def {name}(): return [{{"slug": "first"}}, …].',
            )
        return cast("StaticPaths | None", value)

    def seconds(self, name: str) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, timedelta):
            number = value.total_seconds()
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            off = f" To never regenerate the page, remove {name}." if value is False else ""
            self.refuse(
                name,
                "is no number of seconds and no timedelta",
                f"Write {name} = 3600 or {name} = timedelta(hours=1).{off}",
            )
        else:
            number = float(value)
        if not math.isfinite(number):
            self.refuse(
                name,
                "is no finite number of seconds",
                f"To never regenerate the page, remove {name}.",
            )
        if number == 0:
            self.refuse(
                name,
                "would render the page again for every request, which is a page that is not static",
                f"Remove SSG and {name} to render per request, or write {name} = 1.",
            )
        if number < 0:
            self.refuse(name, "is negative", f"Write a positive number: {name} = {-number:g}.")
        return number

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.values.get(name)
        if value is None:
            return allowed[0]
        if value not in allowed:
            quoted = " or ".join(f'{name} = "{choice}"' for choice in allowed)
            self.refuse(name, "is not one of the choices", f"Write {quoted}.")
        return value

    def query(self, name: str) -> Query:
        value = self.values.get(name)
        if value is None:
            return NO_QUERY
        try:
            return make_query(value)
        except ValueError as error:
            problem, _, fix = str(error).partition("; ")
            self.refuse(name, problem, fix[:1].upper() + fix[1:] + "." if fix else "")

    def names(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            self.refuse(name, "is one text, not several", f'Write {name} = ("{value}",).')
        if not isinstance(value, (tuple, list, set, frozenset)):
            self.refuse(name, "is no tuple of texts", f'Write {name} = ("first", "second").')
        items = cast("Iterable[object]", value)
        ordered = sorted(items, key=str) if isinstance(value, (set, frozenset)) else list(items)
        for item in ordered:
            if (
                not isinstance(item, str)
                or not item.strip()
                or not item.isprintable()
                or len(item) > _MAX_NAME
            ):
                self.refuse(
                    name,
                    f"holds {item!r}",
                    f"Every entry is a printable text of 1 to {_MAX_NAME} characters.",
                )
        if len(ordered) > _MAX_TAGS:
            self.refuse(name, f"has {len(ordered)} entries", f"At most {_MAX_TAGS} are allowed.")
        return tuple(dict.fromkeys(cast("list[str]", ordered)))


def _meant(name: str, value: object) -> str | None:
    """The option that `name` is a misspelling of, or None."""
    folded = name.replace("_", "").lower()
    for known in _NAMES:
        if folded != known.replace("_", "").lower():
            continue
        # A lower-case `tags` or `query` is an ordinary variable; `ssg = True` is not.
        if known == "get_static_paths" or name.isupper() or known in ("SSG", "REVALIDATE"):
            return known
    if name.isupper():
        options = [known for known in _NAMES if known.isupper()]
        close = difflib.get_close_matches(name, options, 1, 0.8)
        swapped = [known for known in options if sorted(known) == sorted(name)]
        return (close or swapped or [None])[0]
    if callable(value) and not isinstance(value, type) and "static" in folded:
        close = difflib.get_close_matches(
            folded, ["getstaticpaths", "generatestaticparams"], 1, 0.8
        )
        return "get_static_paths" if close else None
    return None
