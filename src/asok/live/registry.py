"""The component classes of a site, by name."""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from asok.errors import AsokError, ComponentError
from asok.live.component import Component, methods, schema
from asok.live.exposed import Method
from asok.live.fields import where
from asok.live.listening import Listeners
from asok.live.schema import Schema
from asok.live.validation import check_validators

__all__ = ["Definition", "Registry"]

#: The package that component files belong to.
PACKAGE = "src.components"


class Definition:
    """A component class and what was found out about it: schema, exposed methods, template."""

    def __init__(self, cls: type[Component], file: Path | None = None) -> None:
        self.cls = cls
        self.name = cls.__name__
        self.schema: Schema = schema(cls)
        self.methods: dict[str, Method] = methods(cls)
        self.bindable = frozenset(cls._bindable)  # pyright: ignore[reportPrivateUsage]
        self.file: Path | None = file or where(cls).get("file")
        self.folder: Path | None = self.file.parent if self.file else None
        self.listeners = Listeners(cls, self.schema.fields, cls.subscriptions)
        known = {n for m in self.methods.values() for n in m.parameters} | self.schema.fields.keys()
        check_validators(cls, known)
        #: Which of the hooks the class has: the others cost nothing.
        self.watches = cls.updated is not Component.updated
        self.guarded = cls.guard is not Component.guard
        self.unmounts = cls.unmount is not Component.unmount
        self.mounts = cls.mount is not Component.mount
        #: Whether an instance may ask for the session: its class names it, or one did.
        self.asks_session = any(
            "session" in names_of(value.__code__)
            for one in cls.__mro__
            if issubclass(one, Component) and one is not Component
            for value in vars(one).values()
            if isinstance(value, FunctionType)
        )
        #: Whether its rendering may run on the event loop, as one with an async method says.
        #: Hooks that run before each call may block.
        called = (*self.methods.values(), *self.listeners.methods.values())
        #: A row is loaded from the database, off the loop.
        self.on_loop = (
            not (self.schema.holds_records or self.watches or self.guarded)
            and cls.hydrate is Component.hydrate
            and any(m.is_async for m in called)
        )

    def __repr__(self) -> str:
        return f"<Definition {self.name} in {self.file}>"

    @property
    def template(self) -> str:
        """The name of the template that belongs to the class: `todo_list.html` or
        `todolist.html` beside its file, whichever is there."""
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", self.name).lower()
        stems = (snake, self.name.lower(), self.name)
        for stem in stems if self.folder else ():
            for suffix in (".html", ".asok"):
                if self.folder and (self.folder / (stem + suffix)).is_file():
                    return stem + suffix
        return f"{snake}.html"


def names_of(code: CodeType) -> set[str]:
    """The attributes and globals that a function names, with the functions inside it."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*map(names_of, inner))


class Registry:
    """Component classes by their name, which is unique in a site."""

    def __init__(self) -> None:
        self._definitions: dict[str, Definition] = {}

    def __len__(self) -> int:
        return len(self._definitions)

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._definitions.values())

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(self._definitions)

    def register(self, cls: type[Component], file: Path | None = None) -> type[Component]:
        """Add a class, defined in `file`; also usable as a decorator.

        Raises `ComponentError` for a class that can't work, and for a second class of the
        same name, naming both files.
        """
        known = self._definitions.get(cls.__name__)
        if known is not None and known.cls is not cls:
            here, there = file or where(cls).get("file"), known.file
            raise ComponentError(
                f"two components are called {cls.__name__}: in {there} and in {here}.",
                fix="Rename one of the classes: {{ component('…') }} finds them by name.",
            )
        self._definitions[cls.__name__] = Definition(cls, file)
        return cls

    def get(self, name: str) -> Definition:
        """Return the class of that name. Raises `ComponentError` with the likely name."""
        found = self._definitions.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self._definitions, n=1)
            if near:
                fix = f"Did you mean {near[0]!r}?"
            elif self._definitions:
                fix = f"There are: {', '.join(self.names())}."
            else:
                fix = f"Make it: asok make component {name}."
            raise ComponentError(f"there is no component {name!r}.", fix=fix)
        return found

    def load(self, folder: Path, import_module: Callable[[str], ModuleType]) -> None:
        """Import every Python file under `folder` (`src/components`) and add its components.

        `import_module` gets the canonical name, `src.components.shop.Cart` for
        `shop/Cart.py`, and imports a file once. Files that begin with an underscore and files
        without components are left alone. Raises `ComponentError`: a file that fails to
        import is named with the line it failed at.
        """
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            if any(part.startswith(("_", ".")) for part in parts):
                continue
            wrong = next((part for part in parts if not part.isidentifier()), None)
            if wrong is not None:
                raise ComponentError(
                    f"{wrong!r} can't be the name of a module.",
                    fix="Name the file after its class, like Counter.py.",
                    file=file,
                )
            name = ".".join((PACKAGE, *parts))
            for cls in _components(_import(file, name, folder, import_module)):
                self.register(cls, file)


def _import(
    file: Path, name: str, folder: Path, import_module: Callable[[str], ModuleType]
) -> ModuleType:
    try:
        return import_module(name)
    except AsokError:
        raise
    except SyntaxError as error:
        raise ComponentError(
            f"this component has a syntax error: {error.msg}.",
            file=error.filename or file,
            line=error.lineno,
        ) from error
    except Exception as error:
        # Whatever a component's module raises while it is imported is the site's own error:
        # it is shown where it happened, in the innermost frame that is the site's.
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        at = inside[-1] if inside else None
        raise ComponentError(
            f"this component could not be imported: {type(error).__name__}: {error}.",
            file=at.filename if at else file,
            line=at.lineno if at else None,
        ) from error


def _components(module: ModuleType) -> Iterator[type[Component]]:
    for value in list(vars(module).values()):
        if (
            isinstance(value, type)
            and issubclass(value, Component)
            and value.__module__ == module.__name__
            and not value.__name__.startswith("_")
        ):
            yield value
