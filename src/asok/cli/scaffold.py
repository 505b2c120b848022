"""Writing a new site: the files of a template, with the site's name filled in."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from asok.errors import CommandError

__all__ = ["TEMPLATES", "Scaffold", "checked_name", "proposed_name"]

#: Name -> what it is, for the prompt and the help.
TEMPLATES: Final = {
    "minimal": "one page, one live counter",
    "blog": "posts in a database, static pages, a search, a form",
}

_FOLDER: Final = Path(__file__).parent / "templates"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LONGEST: Final = 64
#: Import packages that a site of this name would hide, or be hidden by.
_TAKEN: Final = frozenset({"asok", "tet", "src", "models", "wsgi", "tests"})
#: Beginning of a stored name that stands for a dot: packaging tools pass over dotfiles.
_DOT: Final = "dot-"
_BINARY: Final = frozenset({".png", ".ico", ".woff2", ".jpg", ".webp"})


def proposed_name(text: str) -> str:
    """Return the nearest name that a site can have, "my-site" where nothing is left of `text`."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].strip("-")
    name = name.lstrip("0123456789-")
    if name in _TAKEN:
        name += "-site"
    return name or "my-site"


def checked_name(text: str) -> str:
    """Return `text` where a site can be called so. Raises `CommandError` with a name that can."""
    if _NAME.fullmatch(text) and len(text) <= _LONGEST and text not in _TAKEN:
        return text
    if text in _TAKEN:
        why = "is the name of a package that the site uses"
    elif len(text) > _LONGEST:
        why = f"has {len(text)} characters, expected at most {_LONGEST}"
    else:
        why = "is no name of a site: small letters, digits and hyphens, beginning with a letter"
    raise CommandError(f"{text!r} {why}.", fix=f"Try: asok create {proposed_name(text)}")


class Scaffold:
    """A site that is to be written into `folder`, which is missing or empty.

    Raises `CommandError` for a folder that holds something, a file in the way, or a folder
    that can't be written.
    """

    def __init__(self, template: str, folder: Path, name: str) -> None:
        self.template = template
        self.folder = folder
        self.name = name
        self.existed = folder.is_dir()
        if folder.exists() and not self.existed:
            raise CommandError(
                f"{folder} is a file.", fix="Choose another name, or move the file away."
            )
        if self.existed and (held := sorted(path.name for path in folder.iterdir())):
            shown = ", ".join(held[:3]) + (", …" if len(held) > 3 else "")
            raise CommandError(
                f"{folder} is not empty: it holds {shown}.",
                fix="Choose another name, or empty the folder first. Nothing was changed.",
            )

    @property
    def title(self) -> str:
        """The name as it is shown on the pages."""
        return self.name.replace("-", " ").replace("_", " ").capitalize()

    def write(self) -> list[Path]:
        """Write every file; return them, relative to the folder. On an error nothing stays."""
        replacements = {
            "__NAME__": self.name,
            "__TITLE__": self.title,
            "__SECRET_KEY__": secrets.token_urlsafe(48),
            "__NOW__": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        }
        written: list[Path] = []
        try:
            for target, source in sorted(self._files().items()):
                path = self.folder / target
                path.parent.mkdir(parents=True, exist_ok=True)
                data = source.read_bytes()
                if source.suffix not in _BINARY:
                    data = _filled(data.decode(), replacements).encode()
                path.write_bytes(data)
                if target.name == ".env":
                    path.chmod(0o600)
                written.append(target)
        except OSError as error:
            self._remove()
            raise CommandError(
                f"{self.folder} can't be written: {error.strerror}.",
                fix="Choose a folder that is yours.",
            ) from error
        return written

    def _files(self) -> dict[Path, Path]:
        """Target -> source; the template's own file wins over the one that all have."""
        found: dict[Path, Path] = {}
        for layer in ("common", self.template):
            base = _FOLDER / layer
            for path in base.rglob("*"):
                inner = path.relative_to(base)
                if path.is_file() and "__pycache__" not in inner.parts:
                    name = inner.name
                    if name.startswith(_DOT):
                        name = "." + name.removeprefix(_DOT)
                    found[inner.with_name(name)] = path
        return found

    def _remove(self) -> None:
        with suppress(OSError):
            if not self.existed:
                shutil.rmtree(self.folder)
                return
            for path in self.folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _filled(text: str, replacements: dict[str, str]) -> str:
    for mark, value in replacements.items():
        text = text.replace(mark, value)
    return text
