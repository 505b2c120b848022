"""The services of the suite are real, private and clean."""

from __future__ import annotations

import socket

import psycopg
import pytest
from playwright.sync_api import Page
from redis import Redis

from .services import free_port, program


def test_redis_answers_and_keeps_nothing(redis_url: str) -> None:
    with Redis(port=int(redis_url.rsplit(":", 1)[1].split("/")[0])) as redis:
        redis.set("services:probe", "1")
        assert redis.get("services:probe") == b"1"
        redis.delete("services:probe")


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_postgresql_database(postgres_url: str, turn: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE probe (id integer)")
        row = connection.execute("SELECT count(*) FROM probe").fetchone()
        assert row == (0,), turn


@pytest.mark.browser
def test_a_page_runs_scripts_and_its_console_is_watched(
    page: Page, console_errors: list[str]
) -> None:
    page.set_content("<h1>hello</h1><script>document.title = 'ran'; console.error('x')</script>")
    assert page.title() == "ran"
    page.wait_for_function("true")
    assert console_errors == ["x"]
    console_errors.clear()


def test_a_missing_program_fails_and_names_the_package() -> None:
    with pytest.raises(pytest.fail.Exception, match="apt-get install -y no-such-package"):
        program("no-such-program", package="no-such-package")


def test_free_ports_can_be_bound() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
