"""What the supervisor does with changes and messages; its processes are stood in for."""

from __future__ import annotations

import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import click
import pytest

from asok.cli.dev import announce
from asok.cli.dev.announce import Announcer
from asok.cli.dev.changes import Effect
from asok.cli.dev.generation import Generation
from asok.cli.dev.supervisor import Supervisor


class Told:
    """A generation that remembers what it was told."""

    def __init__(self) -> None:
        self.messages: list[list[Any]] = []
        self.retired = False
        self.closed = False

    def tell(self, message: list[Any]) -> None:
        self.messages.append(message)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(site: Path, said: list[str]) -> Generator[Supervisor]:
    with socket.socket() as listener:
        announcer = Announcer("site", "1.0", "127.0.0.1", 8000, said.append)
        yield Supervisor(site, listener, announcer, {})


def serving(supervisor: Supervisor) -> Told:
    told = Told()
    supervisor.serving = cast("Generation", told)
    return told


def test_styles_and_templates_are_told_to_the_serving_process(
    supervisor: Supervisor, site: Path
) -> None:
    told = serving(supervisor)
    supervisor.changed([site / "src/partials/css/base.css"])
    supervisor.changed([site / "src/pages/page.html", site / "src/partials/css/base.css"])
    assert told.messages == [
        ["changed", "STYLE", ["src/partials/css/base.css"]],
        ["changed", "RELOAD", ["src/pages/page.html", "src/partials/css/base.css"]],
    ]


def test_files_that_are_nobodys_input_do_nothing(supervisor: Supervisor, site: Path) -> None:
    told = serving(supervisor)
    supervisor.changed([site / "README.md"])
    supervisor.changed([])
    assert told.messages == []


def test_new_and_removed_pages_are_a_restart(
    supervisor: Supervisor, site: Path, said: list[str]
) -> None:
    told = serving(supervisor)
    page = site / "src/pages/about/page.html"
    page.parent.mkdir()
    page.write_text("x")
    supervisor.changed([page])
    supervisor.changed([page])  # written once more: the same pages
    page.unlink()
    supervisor.changed([page])
    assert [line.split()[0] for line in map(plain, said)] == [
        "restarting",
        "reloaded",
        "restarting",
    ]
    assert len(told.messages) == 1


def test_template_change_before_anything_serves_is_only_said(
    supervisor: Supervisor, site: Path, said: list[str]
) -> None:
    supervisor.changed([site / "src/pages/page.html"])
    assert len(said) == 1


def test_death_while_importing_is_said_and_the_old_one_stays(
    supervisor: Supervisor, said: list[str]
) -> None:
    told, starting = serving(supervisor), Told()
    supervisor.starting = cast("Generation", starting)
    supervisor._on_message(cast("Generation", starting), ["ended"])  # pyright: ignore
    assert supervisor.starting is None
    assert supervisor.serving is cast("Generation", told)
    assert "waiting" in said[-1]


def test_end_of_one_that_was_replaced_says_nothing(supervisor: Supervisor, said: list[str]) -> None:
    replaced = Told()
    supervisor._on_message(cast("Generation", replaced), ["ended"])  # pyright: ignore
    retired = serving(supervisor)
    retired.retired = True
    supervisor._on_message(cast("Generation", retired), ["ended"])  # pyright: ignore
    assert said == []
    assert replaced.closed


def plain(text: str) -> str:
    return click.unstyle(text).strip()


@pytest.mark.parametrize(
    ("host", "local", "network"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/", None),
        ("localhost", "http://localhost:80/", None),
        ("0.0.0.0", "http://127.0.0.1:80/", "http://192.0.2.7:80/"),
        ("::", "http://[::1]:80/", "http://192.0.2.7:80/"),
        ("192.0.2.9", "http://192.0.2.9:80/", "http://192.0.2.9:80/"),
        ("2001:db8::1", "http://[2001:db8::1]:80/", "http://[2001:db8::1]:80/"),
    ],
)
def test_addresses_to_open(
    host: str, local: str, network: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "network_host", lambda: "192.0.2.7")
    announcer = Announcer("site", "1.0", host, 80)
    assert (announcer.local, announcer.network) == (local, network)


def test_machine_without_a_network_has_no_address_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(announce, "network_host", lambda: None)
    assert Announcer("site", "1.0", "0.0.0.0", 80).network is None


def test_many_changed_files_are_counted(said: list[str]) -> None:
    announcer = Announcer("site", "1.0", "127.0.0.1", 80, said.append)
    announcer.changed([f"{n}.py" for n in range(9)], Effect.RESTART)
    assert plain(said[0]) == "restarting  0.py, 1.py, 2.py and 6 more"


def test_later_generation_that_fails_shows_the_error_only(said: list[str]) -> None:
    announcer = Announcer("site", "1.0", "127.0.0.1", 80, said.append)
    announcer.ready(2, 40, {"pages": 1, "error": "ValueError: x\n  at a.py:1", "note": None})
    text = plain("\n".join(said))
    assert "ValueError: x" in text
    assert "ready in" not in text
