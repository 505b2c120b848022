"""Workers of one master agree on the default token; workers of its next generation don't."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.services import free_port, wait_until

from tet import server_master

APP = """
import os
from tet.config import application_factory

@application_factory(included_features=["static"])
def main(config):
    config.add_route("token", "/")
    config.add_view(lambda r: f"{r.registry.cachebreaker} {os.getpid()}",
                    route_name="token", renderer="string")

application = main({})
"""


@contextmanager
def gunicorn(folder: Path, *options: str) -> Generator[tuple[str, int]]:
    """Run four workers; yields the URL and the master's pid."""
    (folder / "wsgi.py").write_text(APP)
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "gunicorn", f"--bind=127.0.0.1:{port}",
             "--workers=4", "--graceful-timeout=2", *options, "wsgi"],
            cwd=folder, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}/", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def answers(url: str, pids: int) -> dict[int, str]:
    """Ask until `pids` workers have answered; returns their tokens by pid."""
    tokens: dict[int, str] = {}

    def enough() -> bool:
        try:
            token, pid = httpx.get(url, trust_env=False, timeout=5).text.split()
        except httpx.TransportError:
            return False
        tokens[int(pid)] = token
        return len(tokens) >= pids

    wait_until(enough, what=f"an answer of {pids} workers")
    return tokens


def test_workers_of_one_gunicorn_agree_over_crashes_and_differ_after_a_reload(
    tmp_path: Path,
) -> None:
    before = int(time.time() * 1000)
    with gunicorn(tmp_path) as (url, master):
        first = answers(url, 4)
        (token,) = set(first.values())
        assert before <= int(token) <= int(time.time() * 1000)

        os.kill(next(iter(first)), signal.SIGKILL)
        replaced: set[int] = set()

        def replacement() -> bool:
            found = answers(url, 1)
            assert set(found.values()) == {token}
            replaced.update(found)
            return bool(replaced - set(first))

        wait_until(replacement, what="a new worker")

        os.kill(master, signal.SIGHUP)
        later: dict[int, str] = {}

        def reloaded() -> bool:
            later.update(answers(url, 1))
            return len([one for one in later.values() if one != token]) >= 4

        wait_until(reloaded, what="four workers of the next generation")
        assert {int(one) - int(token) for one in later.values()} <= {0, 1}


@pytest.fixture
def forked_by(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a call that puts an arbiter with these attributes under this process."""

    def put(*, stats: dict[str, Any] | None, **settings: Any) -> None:
        known = {"reload": False, "workers": 4, "preload_app": False, **settings}
        arbiter = SimpleNamespace(cfg=SimpleNamespace(**known))
        if stats is not None:
            arbiter._stats = stats
        monkeypatch.setattr(server_master, "_gunicorn", lambda: arbiter)

    return put


def test_each_start_under_reload_is_a_deploy(forked_by: Callable[..., None]) -> None:
    forked_by(stats={"start_time": 5.0, "reloads": 1})
    assert server_master.generation_start() == 5001
    forked_by(stats={"start_time": 5.0, "reloads": 1}, reload=True)
    assert server_master.generation_start() is None


@pytest.mark.parametrize("stats", [None, {}, {"start_time": None, "reloads": 0}])
def test_a_master_that_does_not_tell_is_warned_of(
    forked_by: Callable[..., None], caplog: pytest.LogCaptureFixture, stats: Any
) -> None:
    for settings in ({"workers": 1}, {"preload_app": True}):
        forked_by(stats=stats, **settings)
        assert server_master.generation_start() is None
    assert not caplog.records
    forked_by(stats=stats)
    assert server_master.generation_start() is None
    assert "expected --preload" in caplog.text


def test_a_process_without_a_master_has_its_own_time() -> None:
    assert server_master.generation_start() is None
