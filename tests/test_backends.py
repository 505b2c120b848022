"""Each room gets the store that the settings name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.services import free_port

from asok import backends
from asok.asgi.hosts import HostCheck
from asok.assets import DiskAssets
from asok.live import MemoryLiveStore, RedisLiveStore, SqliteLiveStore
from asok.sessions import MemorySessionStore, RedisSessionStore, SqliteSessionStore
from asok.settings import Settings


def settings(root: Path, **known: object) -> Settings:
    return Settings.load(root, {}, secret_keys=("k" * 32,), **known)


@pytest.mark.parametrize(
    ("name", "sessions", "live"),
    [
        ("sqlite", SqliteSessionStore, SqliteLiveStore),
        ("memory", MemorySessionStore, MemoryLiveStore),
        ("redis", RedisSessionStore, RedisLiveStore),
    ],
)
def test_sessions_and_live_state_are_kept_together(
    tmp_path: Path, name: str, sessions: type, live: type
) -> None:
    given = settings(tmp_path, session_backend=name, session_ttl=7)
    store = backends.sessions(given)
    state = backends.live_store(given)
    assert isinstance(store, sessions)
    assert isinstance(state, live)
    assert store.idle == 7
    store.close()
    state.close()


@pytest.mark.parametrize("name", ["memory", "file", "redis"])
def test_the_cache_is_the_one_that_was_named(tmp_path: Path, name: str) -> None:
    cache = backends.cache(settings(tmp_path, cache_backend=name, cache_path=tmp_path / "c"))
    cache.close()


@pytest.mark.parametrize("name", ["disk", "redis"])
def test_pages_are_kept_where_the_settings_say(tmp_path: Path, name: str) -> None:
    given = settings(
        tmp_path,
        pages_backend=name,
        pages_max=7,
        pages_memory=4096,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    # Nothing answers at that address: the site starts and serves what the build made.
    store = backends.pages(given, tmp_path / "ssg_cache", "f1")
    assert store.get("/about") is None
    assert store.fingerprint == "f1"
    assert store._front.limit == 4096
    assert backends.pages(given, tmp_path / "ssg_cache").fingerprint == "development"


def test_pages_in_redis_without_the_package_say_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from pathlib import Path\nfrom asok import backends\nfrom asok.settings import Settings\n"
        "folder, keys = Path(sys.argv[1]), ('k' * 32,)\n"
        "given = Settings.load(folder, {}, secret_keys=keys, pages_backend='redis')\n"
        "backends.pages(given, folder, 'f1')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "ASOK_PAGES_BACKEND=redis needs the package redis" in done.stderr
    assert 'pip install "asok[redis]"' in done.stderr


def test_assets_are_those_of_the_build_where_there_is_one(tmp_path: Path) -> None:
    published = tmp_path / ".asok" / "assets"
    assert isinstance(backends.assets(settings(tmp_path), published), DiskAssets)
    published.mkdir(parents=True)
    (published / "manifest.json").write_text('{"version": 1, "files": {}}')
    assert isinstance(backends.assets(settings(tmp_path, debug=True), published), DiskAssets)


def accepts(hosts: HostCheck, host: bytes) -> bool:
    return hosts.of([(b"host", host)]) is not None


def test_hosts_follow_the_settings(tmp_path: Path) -> None:
    named = backends.hosts(settings(tmp_path, allowed_hosts=("a.example",)))
    assert accepts(named, b"a.example")
    assert not accepts(named, b"localhost")
    based = backends.hosts(settings(tmp_path, base_url="https://b.example/site"))
    assert accepts(based, b"b.example")
    assert accepts(based, b"localhost:8000")
    assert not accepts(based, b"evil.example")
    developing = backends.hosts(settings(tmp_path, debug=True))
    assert accepts(developing, b"192.168.1.9:8000")
    assert not accepts(developing, b"evil.example")
    assert accepts(backends.hosts(settings(tmp_path)), b"anything.example")
