"""The site's settings: `.env` and the environment, read once, checked together, then frozen.

This is the only module that reads the environment. A variable of the environment wins over
the same name in `.env`. Every key that is wrong is reported in one error.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

from asok import atomic
from asok.errors import ConfigurationError
from asok.variables import Variables, host_problem, normal_origin, origin_problem

__all__ = ["LIVE_LIMITS", "Settings"]

#: Each bound of the live components has a variable of its own: ASOK_LIVE_FRAME_BYTES. What they
#: mean, and their defaults, say the fields of `asok.live.Limits`.
LIVE_LIMITS = (
    "frame_bytes", "messages_per_second", "burst", "components", "queued_calls", "batch_calls",
    "arguments", "depth", "bad_signatures", "bad_frames", "state_seconds", "state_bytes",
    "deferred_bytes",
    "call_seconds", "threads", "slow_threads", "turn_seconds", "queued_events", "push_seconds",
    "replay_seconds", "replay_bytes", "broadcast_bytes", "tabs", "base_bytes",
)  # fmt: skip


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
    pages_backend: str = "disk"
    """Where pages made after the build are kept: "disk", or "redis" for several hosts."""
    pages_max: int = 10_000
    """How many pages that no build lists are kept."""
    pages_max_bytes: int = 256 * 1024 * 1024
    pages_memory: int = 64 * 1024 * 1024
    """How much of the stored pages each worker keeps in memory."""
    page_budget: int = 0
    """What a page may weigh, with its scripts and styles, as it is sent; 0: no limit."""
    revalidate_secret: str = field(default="", repr=False)
    """What the webhook at /asok/revalidate is signed with; empty: there is no webhook."""
    csp: Literal["nonce", "hash"] = "nonce"
    """How static pages allow their own inline scripts and styles where they don't say CSP."""
    csrf: str = "token"
    """"token", or "headers": forms are checked by Sec-Fetch-Site and Origin alone."""
    assets: Literal["digest", "prefix"] = "digest"
    """How URLs of assets change: each with its file, or all with the release ("prefix")."""
    release: str = ""
    """What names this release in URLs of assets: a tag, a commit; empty: a digest of them."""
    assets_keep: int = 3
    """How many earlier releases keep their assets."""
    assets_url: str = ""
    """What URLs of assets begin with: a CDN that fetches from this site; empty: this site."""
    vite_url: str = ""
    """Where Vite's development server is, while developing; empty: there is none."""
    trailing_slash: str = "never"
    """"never", or "always": whether the addresses of pages end with a slash."""
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
    live_limits: tuple[tuple[str, float], ...] = ()
    """Bounds of live components that differ from `asok.live.Limits`, by name."""

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
        return Settings(**_read(Variables(root, variables), known))


def _read(read: Variables, known: dict[str, Any]) -> dict[str, Any]:
    """Every field of `Settings`. Raises `ConfigurationError` that lists every bad key."""
    environment = read.text("ASOK_ENV", "")
    debug = read.flag("DEBUG", environment in ("dev", "development"))
    debug = bool(known.get("debug", debug))
    values: dict[str, Any] = {
        "root": read.root,
        "debug": debug,
        "environment": environment or ("development" if debug else "production"),
        "database_url": read.text("DATABASE_URL", f"sqlite:///{read.root / 'db.sqlite3'}"),
        "redis_url": read.url(
            ("ASOK_REDIS_URL", "REDIS_URL"),
            "redis://localhost:6379/0",
            ("redis", "rediss", "unix"),
        ),
        "cache_backend": read.choice("ASOK_CACHE_BACKEND", "memory", ("memory", "file", "redis")),
        "cache_path": read.path("ASOK_CACHE_PATH", ".asok/cache"),
        "pages_backend": read.choice("ASOK_PAGES_BACKEND", "disk", ("disk", "redis")),
        "pages_max": read.integer("ASOK_PAGES_MAX", 10_000, 1, 10**9),
        "pages_max_bytes": read.size("ASOK_PAGES_MAX_BYTES", 256 * 1024 * 1024),
        "pages_memory": read.size("ASOK_PAGES_MEMORY", 64 * 1024 * 1024),
        "page_budget": read.size("ASOK_PAGE_BUDGET", 0),
        "revalidate_secret": read.text("ASOK_REVALIDATE_SECRET", ""),
        "csp": read.choice("ASOK_CSP", "nonce", ("nonce", "hash")),
        "csrf": read.choice("ASOK_CSRF", "token", ("token", "headers")),
        "assets": read.choice("ASOK_ASSETS", "digest", ("digest", "prefix")),
        "release": read.text("ASOK_RELEASE", ""),
        "assets_keep": read.integer("ASOK_ASSETS_KEEP", 3, 0, 100),
        "assets_url": read.url(("ASOK_ASSETS_URL",), "", ("http", "https")).rstrip("/"),
        "vite_url": read.url(("ASOK_VITE_URL",), "", ("http", "https")).rstrip("/"),
        "trailing_slash": read.choice("TRAILING_SLASH", "never", ("never", "always")),
        "session_backend": read.choice("SESSION_BACKEND", "sqlite", ("sqlite", "memory", "redis")),
        "session_path": read.path("SESSION_PATH", ".asok/sessions"),
        "session_ttl": read.integer("SESSION_TTL", 86_400, 1, 10 * 365 * 86_400),
        "session_absolute_ttl": read.integer(
            "SESSION_ABSOLUTE_TTL", 30 * 86_400, 1, 10 * 365 * 86_400
        ),
        "session_samesite": read.choice("SESSION_SAMESITE", "lax", ("lax", "strict", "none")),
        "max_content_length": read.size("MAX_CONTENT_LENGTH", 10 * 1024 * 1024),
        "host": read.text("ASOK_HOST", "127.0.0.1"),
        "port": read.integer("ASOK_PORT", 8000, 0, 65_535),
        "workers": read.integer("ASOK_WORKERS", 1, 1, 1024),
        "base_url": read.url(("BASE_URL",), "", ("http", "https")).rstrip("/"),
        "allowed_hosts": read.items("ALLOWED_HOSTS", host_problem),
        "trusted_proxies": read.items("TRUSTED_PROXIES"),
        "ws_allowed_origins": tuple(
            map(normal_origin, read.items("WS_ALLOWED_ORIGINS", origin_problem))
        ),
    }
    values["live_limits"] = tuple(
        (name, value)
        for name in LIVE_LIMITS
        if (value := read.number(f"ASOK_LIVE_{name.upper()}")) is not None
    )
    values["secret_keys"] = known.get("secret_keys") or _keys(read, debug)
    if values["session_backend"] == "memory" and values["workers"] > 1:
        read.problems.append(
            f"SESSION_BACKEND=memory can't be shared by ASOK_WORKERS={values['workers']}; "
            "use sqlite or redis."
        )
    if values["revalidate_secret"] and len(values["revalidate_secret"]) < 24:
        read.problems.append(
            f"ASOK_REVALIDATE_SECRET has {len(values['revalidate_secret'])} characters, "
            f"expected at least 24. A random one: {secrets.token_urlsafe(32)}"
        )
    read.misspelt()
    if read.problems:
        raise ConfigurationError(
            f"{len(read.problems)} of this site's settings can't be used "
            f"(from the environment and {read.root / '.env'}):",
            problems=read.problems,
        )
    values.update(known)
    return {field.name: values[field.name] for field in fields(Settings)}


def _keys(read: Variables, debug: bool) -> tuple[str, ...]:
    """SECRET_KEY, preceded by the retired SECRET_KEY_FALLBACKS, oldest first."""
    newest = read.text("SECRET_KEY", "")
    older = read.items("SECRET_KEY_FALLBACKS")
    if not newest and debug:
        newest = development_key(read.root)
    if not newest:
        read.problems.append(
            "SECRET_KEY is not set. Put a random one into .env, for example: "
            f"SECRET_KEY={secrets.token_urlsafe(48)}"
        )
    elif len(newest) < 32 and not debug:
        read.problems.append(
            f"SECRET_KEY has {len(newest)} characters, expected at least 32. A random one: "
            f"SECRET_KEY={secrets.token_urlsafe(48)}"
        )
    return (*older, newest)


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
