"""Settings are read once, typed, and every bad key is reported together."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from asok import backends
from asok.errors import ConfigurationError
from asok.live import Limits
from asok.settings import LIVE_LIMITS, Settings

KEY = "k" * 32


def load(root: Path, **variables: str) -> Settings:
    return Settings.load(root, {"SECRET_KEY": KEY, **variables})


def test_defaults_are_those_of_production(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.debug is False
    assert settings.environment == "production"
    assert settings.secret_keys == (KEY,)
    assert settings.cache_backend == "memory"
    assert settings.cache_path == tmp_path / ".asok/cache"
    assert settings.database_url == f"sqlite:///{tmp_path}/db.sqlite3"
    assert settings.max_content_length == 10 * 1024 * 1024
    assert settings.session_ttl == 86_400
    assert settings.state_folder == tmp_path / ".asok"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f"SECRET_KEY={KEY}\nASOK_CACHE_BACKEND=redis\nREDIS_URL=redis://localhost:6379/0\n"
        "ASOK_PORT=9000\n# a comment\nEMPTY\n"
    )
    settings = Settings.load(tmp_path, {"ASOK_PORT": "9001"})
    assert settings.cache_backend == "redis"
    assert settings.redis_url == "redis://localhost:6379/0"
    assert settings.port == 9001


def test_values_are_typed(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        MAX_CONTENT_LENGTH="512KB",
        ALLOWED_HOSTS="example.org, .example.com",
        SECRET_KEY_FALLBACKS="older,old",
        BASE_URL="https://example.org/",
        WS_ALLOWED_ORIGINS="https://a.example",
        ASOK_REDIS_URL="redis://one:1/0",
        REDIS_URL="redis://two:2/0",
        DEBUG="True",
    )
    assert settings.debug is True
    assert settings.max_content_length == 512 * 1024
    assert settings.allowed_hosts == ("example.org", ".example.com")
    assert settings.secret_keys == ("older", "old", KEY)
    assert settings.base_url == "https://example.org"
    assert settings.redis_url == "redis://one:1/0"


def test_every_bad_key_is_reported_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(
            tmp_path,
            {
                "SECRET_KEY": "short",
                "DEBUG": "perhaps",
                "ASOK_PORT": "http",
                "ASOK_CACHE_BACKEND": "reddis",
                "MAX_CONTENT_LENGTH": "ten",
                "SESSION_TTL": "0",
                "REDIS_URL": "localhost",
                "ALLOWED_HOSTS": "http://a",
                "WS_ALLOWED_ORIGINS": "a.example/x",
                "ASOK_CACHE_BACKENT": "file",
                "SESSION_BACKEND": "memory",
                "ASOK_WORKERS": "2",
            },
        )
    text = str(caught.value)
    assert len(caught.value.problems) == 11
    assert "Did you mean redis?" in text
    assert "ASOK_CACHE_BACKENT is no setting of Asok. Did you mean ASOK_CACHE_BACKEND?" in text
    assert "5 characters, expected at least 32" in text
    assert "SESSION_BACKEND=memory can't be shared" in text


@pytest.mark.parametrize("url", ["http://[", "http:/a", "https://", "//a", "http://a:port"])
def test_an_url_that_is_none_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"BASE_URL=.*\n.*WS_ALLOWED_ORIGINS"):
        load(tmp_path, BASE_URL=url, WS_ALLOWED_ORIGINS=url)


def test_origins_are_kept_as_browsers_write_them(tmp_path: Path) -> None:
    given = "https://A.example/, https://b.example:443,http://c.example:80,http://d.example:8080"
    assert load(tmp_path, WS_ALLOWED_ORIGINS=given).ws_allowed_origins == (
        "https://a.example",
        "https://b.example",
        "http://c.example",
        "http://d.example:8080",
    )


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, DATABASE_URL="postgresql://u:pass@h/d", REDIS_URL="redis://:pass@h")
    assert KEY not in repr(settings)
    assert "pass" not in repr(settings)


def test_a_socket_of_redis_is_a_url(tmp_path: Path) -> None:
    assert load(tmp_path, REDIS_URL="unix:///run/redis.sock").redis_url.endswith(".sock")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(ConfigurationError, match="no UTF-8"):
        load(tmp_path)


def test_the_sites_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    (site / "src" / "pages").mkdir(parents=True)
    monkeypatch.delenv("ASOK_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Settings.find_root(site / "wsgi.py") == site
    with pytest.raises(ConfigurationError, match="asok create NAME"):
        Settings.find_root(tmp_path / "wsgi.py")
    monkeypatch.setenv("ASOK_ROOT", str(site))
    assert Settings.find_root(tmp_path / "wsgi.py") == site


def test_a_key_is_demanded_outside_debug_and_kept_in_debug(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY is not set"):
        Settings.load(tmp_path, {})
    first = Settings.load(tmp_path, {"DEBUG": "true"})
    again = Settings.load(tmp_path, {"DEBUG": "true"})
    assert first.secret_keys == again.secret_keys
    assert len(first.secret_keys[-1]) >= 32
    assert oct((tmp_path / ".asok/development.key").stat().st_mode)[-3:] == "600"


def test_known_values_win(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, {}, debug=True, secret_keys=("x",), port=1)
    assert (settings.debug, settings.secret_keys, settings.port) == (True, ("x",), 1)


def test_bounds_of_live_components_are_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, ASOK_LIVE_FRAME_BYTES="1024", ASOK_LIVE_CALL_SECONDS="2.5")
    limits = backends.live_limits(settings)

    assert (limits.frame_bytes, limits.call_seconds, limits.burst) == (1024, 2.5, 40)
    assert set(LIVE_LIMITS) == {field.name for field in fields(Limits)}
    with pytest.raises(ConfigurationError, match="ASOK_LIVE_BURST='-1' is no number above 0"):
        load(tmp_path, ASOK_LIVE_BURST="-1")
    with pytest.raises(ConfigurationError, match="Did you mean ASOK_LIVE_BURST"):
        load(tmp_path, ASOK_LIVE_BRUST="9")
