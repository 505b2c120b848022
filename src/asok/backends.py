"""Which of its stores each room gets: what the settings say, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asok.asgi.hosts import HostCheck
from asok.assets import Assets, DiskAssets, ManifestAssets, ViteServer, site_pins, site_roots
from asok.cache import Cache
from asok.live import Limits, LiveStore, MemoryLiveStore, RedisLiveStore, SqliteLiveStore
from asok.notices import FileNotices, Notices
from asok.pages import DiskStore
from asok.sessions import (
    MemorySessionStore,
    RedisSessionStore,
    SessionStore,
    SqliteSessionStore,
)
from asok.settings import Settings

__all__ = [
    "assets",
    "cache",
    "hosts",
    "live_limits",
    "live_store",
    "notices",
    "pages",
    "sessions",
]

_LOCAL = ("localhost", ".localhost", "127.0.0.1", "[::1]")


def cache(settings: Settings) -> Cache:
    """The application's cache (ASOK_CACHE_BACKEND)."""
    if settings.cache_backend == "redis":
        return Cache(backend="redis", url=settings.redis_url)
    return Cache(backend=settings.cache_backend, path=settings.cache_path)


def pages(settings: Settings, folder: Path, fingerprint: str | None = None) -> DiskStore:
    """Where pages are kept (ASOK_PAGES_BACKEND): the release in `folder`, and what came later.

    Without a fingerprint it is that of the release. A Redis that does not answer is no error.
    """
    pages, size = settings.pages_max, settings.pages_max_bytes
    overlay = inherited = None
    if settings.pages_backend == "redis":
        from asok.pages.redis_overlay import RedisOverlay

        fingerprint = fingerprint or DiskStore(folder).fingerprint
        overlay = RedisOverlay(settings.redis_url, fingerprint, max_pages=pages, max_bytes=size)
        inherited = overlay.inherited
    return DiskStore(
        folder,
        fingerprint=fingerprint,
        max_pages=pages,
        max_bytes=size,
        memory=settings.pages_memory,
        overlay=overlay,
        inherited=inherited,
    )


def sessions(settings: Settings) -> SessionStore:
    """Where sessions are kept (SESSION_BACKEND)."""
    times: dict[str, Any] = {
        "idle": settings.session_ttl,
        "absolute": settings.session_absolute_ttl,
    }
    if settings.session_backend == "redis":
        return RedisSessionStore(settings.redis_url, **times)
    if settings.session_backend == "memory":
        return MemorySessionStore(**times)
    return SqliteSessionStore(settings.session_path / "sessions.sqlite3", **times)


def live_store(settings: Settings) -> LiveStore:
    """Where the state of live components is kept: beside the sessions."""
    seconds = live_limits(settings).state_seconds
    if settings.session_backend == "redis":
        return RedisLiveStore(settings.redis_url, seconds=seconds)
    if settings.session_backend == "memory":
        return MemoryLiveStore(seconds=seconds)
    return SqliteLiveStore(settings.session_path / "live.sqlite3", seconds=seconds)


def notices(settings: Settings) -> Notices:
    """How workers tell each other (SESSION_BACKEND): a file of this machine, or Redis."""
    if settings.session_backend == "redis":
        from asok.redis_link.notices import RedisNotices

        return RedisNotices(settings.redis_url)
    return FileNotices(settings.state_folder / "notices")


def live_limits(settings: Settings) -> Limits:
    """The bounds of live components (ASOK_LIVE_…)."""
    given: dict[str, Any] = dict(settings.live_limits)
    return Limits(**given)


def assets(settings: Settings, published: Path) -> Assets:
    """What the build published; the source folders while developing or before a build."""
    if not settings.debug and (published / "manifest.json").is_file():
        return ManifestAssets(published, origin=settings.assets_url, mount=settings.base_path)
    vite = settings.vite_url if settings.debug else ""
    server = ViteServer(vite, settings.root) if vite else None
    return DiskAssets(site_roots(settings.root), pins=site_pins(settings.root), server=server)


def hosts(settings: Settings) -> HostCheck:
    """The hosts that are answered; while developing only this machine's (DNS rebinding)."""
    if settings.allowed_hosts:
        return HostCheck(settings.allowed_hosts)
    if settings.base_url:
        return HostCheck((urlsplit(settings.base_url).hostname or "", *_LOCAL))
    return HostCheck(_LOCAL, addresses=True) if settings.debug else HostCheck()
