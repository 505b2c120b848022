"""What Asok logs while a site is developed reaches the developer."""

from __future__ import annotations

import logging

import pytest

from asok.cli.dev.logs import shown_logs

log = logging.getLogger("asok.models")


def test_warnings_and_failures_are_lines_in_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    kept: list[BaseException] = []
    with shown_logs(kept.append, lambda error: f"{type(error).__name__}: {error}\n  at x.py:3"):
        log.info("not of interest")
        log.warning("N+1 queries: %s", "page.html:3")
        try:
            raise ValueError("no such price")
        except ValueError:
            log.exception("the method buy failed")
    log.warning("nobody listens any more")
    assert capsys.readouterr().out.splitlines() == [
        "  warning  N+1 queries: page.html:3",
        "  error  the method buy failed",
        "       ValueError: no such price",
        "         at x.py:3",
    ]
    assert [str(error) for error in kept] == ["no such price"]


def test_a_site_that_shows_its_logs_itself_shows_them_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])
    with shown_logs(lambda error: None, str):
        log.warning("once")
    assert capsys.readouterr().out == ""
