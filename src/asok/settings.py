"""The site's settings: `.env` and the environment, read once, checked together, then frozen.

This is the only module that reads the environment. A variable of the environment wins over
the same name in `.env`. Every key that is wrong is reported in one error.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values

from asok import atomic
from asok.errors import ConfigurationError

__all__ = ["Settings"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_NO_ORIGIN = "is no origin; write https://example.org, without a path."
_SIZE = re.compile(r"(\d+)\s*([kmg]?)i?b?", re.IGNORECASE)
_HOST = re.compile(r"(\*|(\*?\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says, typed. Sizes are bytes, times are seconds.

    Make one with `Settings.load(root)`; tests may construct it directly.
    """

    root: Path
    debug: bool = False
    environment: str = "production"
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    """Oldest to newest: the last one signs."""
    database_url: str = field(default="", repr=False)
    redis_url: str = field(default="redis://localhost:6379/0", repr=False)
    cache_backend: str = "memory"
    cache_path: Path = Path(".asok/cache")
    session_backend: str = "sqlite"
    session_path: Path = Path(".asok/sessions")
    session_ttl: int = 86_400
    session_absolute_ttl: int = 30 * 86_400
    session_samesite: str = "lax"
    max_content_length: int = 10 * 1024 * 1024
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    base_url: str = ""
    """Scheme, host and path prefix that absolute URLs begin with; empty where unknown."""
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    ws_allowed_origins: tuple[str, ...] = ()

    @staticmethod
    def find_root(caller: Path) -> Path:
        """Return the site's folder: ASOK_ROOT, or that of the file `caller`, or the current one.

        It is the one that holds `src/pages`. Raises `ConfigurationError` naming the folders
        that were looked at.
        """
        named = os.environ.get("ASOK_ROOT")
        tried = [Path(named)] if named else [caller.parent, Path.cwd()]
        for folder in tried:
            if (folder / "src" / "pages").is_dir():
                return folder.resolve()
        raise ConfigurationError(
            "no site was found: "
            + " and ".join(
                f"{folder.resolve()} has no src/pages" for folder in dict.fromkeys(tried)
            )
            + ".",
            fix="Begin one with `asok create NAME`, or pass its folder: Asok(root=...).",
        )

    @property
    def base_path(self) -> str:
        """The path of BASE_URL, where the site is mounted below another one; else empty."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def state_folder(self) -> Path:
        """Where the site keeps what it makes: `.asok/`."""
        return self.root / ".asok"

    @classmethod
    def load(cls, root: Path, environ: Mapping[str, str] | None = None, **known: Any) -> Settings:
        """Read `<root>/.env` and the environment; `known` values win over both.

        Raises `ConfigurationError` that lists every bad key.
        """
        try:
            written = dotenv_values(root / ".env")
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"{root / '.env'} is no UTF-8 text: {error}.", fix="Save it as UTF-8."
            ) from error
        variables = {key: value for key, value in written.items() if value is not None}
        variables.update(os.environ if environ is None else environ)
        return _Reader(root, variables).settings(known)


class _Reader:
    """Turns variables into settings and collects what is wrong with them."""

    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        self.root = root
        self.variables = variables
        self.problems: list[str] = []
        self.names: set[str] = set()

    def settings(self, known: dict[str, Any]) -> Settings:
        environment = self.text("ASOK_ENV", "")
        debug = self.flag("DEBUG", environment in ("dev", "development"))
        debug = bool(known.get("debug", debug))
        values: dict[str, Any] = {
            "root": self.root,
            "debug": debug,
            "environment": environment or ("development" if debug else "production"),
            "database_url": self.text("DATABASE_URL", f"sqlite:///{self.root / 'db.sqlite3'}"),
            "redis_url": self.url(
                ("ASOK_REDIS_URL", "REDIS_URL"),
                "redis://localhost:6379/0",
                ("redis", "rediss", "unix"),
            ),
            "cache_backend": self.choice(
                "ASOK_CACHE_BACKEND", "memory", ("memory", "file", "redis")
            ),
            "cache_path": self.path("ASOK_CACHE_PATH", ".asok/cache"),
            "session_backend": self.choice(
                "SESSION_BACKEND", "sqlite", ("sqlite", "memory", "redis")
            ),
            "session_path": self.path("SESSION_PATH", ".asok/sessions"),
            "session_ttl": self.integer("SESSION_TTL", 86_400, 1, 10 * 365 * 86_400),
            "session_absolute_ttl": self.integer(
                "SESSION_ABSOLUTE_TTL", 30 * 86_400, 1, 10 * 365 * 86_400
            ),
            "session_samesite": self.choice("SESSION_SAMESITE", "lax", ("lax", "strict", "none")),
            "max_content_length": self.size("MAX_CONTENT_LENGTH", 10 * 1024 * 1024),
            "host": self.text("ASOK_HOST", "127.0.0.1"),
            "port": self.integer("ASOK_PORT", 8000, 0, 65_535),
            "workers": self.integer("ASOK_WORKERS", 1, 1, 1024),
            "base_url": self.url(("BASE_URL",), "", ("http", "https")).rstrip("/"),
            "allowed_hosts": self.items("ALLOWED_HOSTS", self.host_problem),
            "trusted_proxies": self.items("TRUSTED_PROXIES"),
            "ws_allowed_origins": tuple(
                map(_as_browsers_write, self.items("WS_ALLOWED_ORIGINS", self.origin_problem))
            ),
        }
        values["secret_keys"] = known.get("secret_keys") or self.keys(debug)
        if values["session_backend"] == "memory" and values["workers"] > 1:
            self.problems.append(
                f"SESSION_BACKEND=memory can't be shared by ASOK_WORKERS={values['workers']}; "
                "use sqlite or redis."
            )
        self.misspelt()
        if self.problems:
            raise ConfigurationError(
                f"{len(self.problems)} of this site's settings can't be used "
                f"(from the environment and {self.root / '.env'}):",
                problems=self.problems,
            )
        values.update(known)
        return Settings(**{field.name: values[field.name] for field in fields(Settings)})

    def text(self, name: str, default: str) -> str:
        self.names.add(name)
        return self.variables.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value not in _TRUE | _FALSE:
            self.problems.append(f"{name}={value!r} is no truth value; use true or false.")
        return value in _TRUE

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in allowed:
            near = difflib.get_close_matches(value, allowed, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            self.problems.append(f"{name}={value!r} is none of {', '.join(allowed)}.{hint}")
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"-?\d{1,12}", value) or not least <= int(value) <= most:
            self.problems.append(f"{name}={value!r} is no whole number from {least} to {most}.")
            return default
        return int(value)

    def size(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        match = _SIZE.fullmatch(value)
        if match is None:
            self.problems.append(f"{name}={value!r} is no size; use bytes, or 10MB, 512KB.")
            return default
        return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]

    def path(self, name: str, default: str) -> Path:
        return self.root / self.text(name, default)

    def url(self, names: tuple[str, ...], default: str, schemes: tuple[str, ...]) -> str:
        values = [(name, self.text(name, "")) for name in names]
        name, value = next(((n, v) for n, v in values if v), (names[0], default))
        if value:
            parts = _split(value)
            # Redis may be a file: unix:///run/redis.sock
            whole = parts and (parts.netloc or (parts.path and "http" not in schemes))
            if not parts or not whole or parts.scheme not in schemes:
                wanted = " or ".join(f"{scheme}://" for scheme in schemes)
                self.problems.append(f"{name}={value!r} is no URL that begins with {wanted}.")
        return value

    def items(
        self, name: str, problem: Callable[[str], str | None] = lambda _: None
    ) -> tuple[str, ...]:
        found = tuple(part.strip() for part in self.text(name, "").split(",") if part.strip())
        for item in found:
            if (why := problem(item)) is not None:
                self.problems.append(f"{name}: {item!r} {why}")
        return found

    @staticmethod
    def host_problem(item: str) -> str | None:
        if _HOST.fullmatch(item):
            return None
        return "is no host name; write example.org, .example.org (with subdomains) or *."

    @staticmethod
    def origin_problem(item: str) -> str | None:
        parts = _split(item)
        if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
            return _NO_ORIGIN
        return _NO_ORIGIN if parts.path.strip("/") or parts.query or parts.fragment else None

    def keys(self, debug: bool) -> tuple[str, ...]:
        """SECRET_KEY, preceded by the retired SECRET_KEY_FALLBACKS, oldest first."""
        newest = self.text("SECRET_KEY", "")
        older = self.items("SECRET_KEY_FALLBACKS")
        if not newest and debug:
            newest = development_key(self.root)
        if not newest:
            self.problems.append(
                "SECRET_KEY is not set. Put a random one into .env, for example: "
                f"SECRET_KEY={secrets.token_urlsafe(48)}"
            )
        elif len(newest) < 32 and not debug:
            self.problems.append(
                f"SECRET_KEY has {len(newest)} characters, expected at least 32. A random one: "
                f"SECRET_KEY={secrets.token_urlsafe(48)}"
            )
        return (*older, newest)

    def misspelt(self) -> None:
        """A variable with our prefix that nobody reads is a spelling mistake."""
        known = self.names | {"ASOK_ROOT"}
        for name in self.variables:
            if name.startswith("ASOK_") and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                self.problems.append(f"{name} is no setting of Asok.{hint}")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None for one with an impossible host or port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _as_browsers_write(origin: str) -> str:
    """An origin in lower case, without a path and without its scheme's own port (RFC 6454, 6)."""
    text = origin.lower().rstrip("/")
    own = {"http": ":80", "https": ":443"}.get(text.partition(":")[0], "")
    return text.removesuffix(own) if own else text


def development_key(root: Path) -> str:
    """The key of debug mode: made once, kept in `.asok/`, so that state survives restarts."""
    path = root / ".asok" / "development.key"
    try:
        key = path.read_text("ascii").strip()
    except FileNotFoundError:
        key = ""
    if len(key) < 32:
        key = secrets.token_urlsafe(48)
        atomic.write(path, key.encode("ascii"))
    return key
