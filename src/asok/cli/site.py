"""The site that a command works on: its folder, and its application imported from `wsgi.py`."""

from __future__ import annotations

import importlib
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asok.errors import AsokError, CommandError, SiteImportError
from asok.source_file import user_line

if TYPE_CHECKING:
    from asok.app import Asok

__all__ = [
    "APPLICATION",
    "find_site",
    "import_site",
    "import_stored_site",
    "production",
    "without_key",
]

#: Module and attribute of the application, as servers take it.
APPLICATION = "wsgi:app"


def find_site(start: Path | None = None) -> Path:
    """Return the nearest folder, from `start` upwards, that holds a wsgi.py and src/.

    `start` is the working directory by default. Raises `CommandError` outside any site.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "wsgi.py").is_file() and (folder / "src").is_dir():
            return folder
    missing = "src/" if (here / "wsgi.py").is_file() else "wsgi.py"
    below = sorted(path.parent.name for path in here.glob("*/wsgi.py"))[:3]
    fix = f"Go into it first: cd {below[0]}" if below else "Start one: asok create my-site"
    raise CommandError(f"there is no site here: {here} holds no {missing}.", fix=fix)


def production() -> None:
    """Make this process build or serve as in production, whatever `.env` says."""
    os.environ["DEBUG"] = "false"
    os.environ["ASOK_ENV"] = "production"


def without_key() -> None:
    """Let this process read a site whose secret key isn't here: it signs nothing."""
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)


def import_site(root: Path) -> Asok:
    """Import `wsgi.py` of the site at `root` and return its `app`.

    The site's folder becomes the working directory and the first of `sys.path`, as under a
    server. Raises `SiteImportError` where it fails, with the cause chained, and lets an
    `AsokError` of the site through.
    """
    os.chdir(root)
    if sys.path[0] != str(root):
        sys.path.insert(0, str(root))
    os.environ.setdefault("ASOK_ROOT", str(root))
    file = root / "wsgi.py"
    name, _, attribute = APPLICATION.partition(":")
    try:
        module = importlib.import_module(name)
    except AsokError:
        raise
    except Exception as error:
        place, line = user_line(error, root) or (file, None)
        raise SiteImportError(
            f"the site can't be imported: {type(error).__name__}: {error}.", file=place, line=line
        ) from error
    app = getattr(module, attribute, None)
    if app is None:
        raise SiteImportError(
            f"wsgi.py has no {attribute!r}.",
            fix="Write: from asok import Asok; app = Asok()",
            file=file,
        )
    from asok.app import Asok

    if not isinstance(app, Asok):
        raise SiteImportError(
            f"{attribute} in wsgi.py is {type(app).__name__}, expected Asok.",
            fix="Write: app = Asok(); what wraps it goes by another name.",
            file=file,
        )
    return app


def import_stored_site() -> Asok:
    """Import the site of the working directory as production has it, to see what it stores.

    Raises `CommandError` outside a site, and where its wsgi.py stores nothing whatever the
    environment says.
    """
    root = find_site()
    production()
    without_key()
    app = import_site(root)
    if app.settings.debug:
        raise CommandError(
            "this site stores no pages: its wsgi.py makes it with debug=True.",
            fix="Write app = Asok(), and DEBUG=true into the .env of your own machine.",
        )
    return app
