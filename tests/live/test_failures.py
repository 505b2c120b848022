"""A component that fails: alone, logged, with its state as it was."""

from __future__ import annotations

import asyncio
import logging

import pytest

from asok.live import owner_of

from .fake_client import FakeClient
from .ports import Site
from .scenario import Run, joined, site


def test_a_component_that_raises_fails_alone_and_keeps_its_state(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Site) -> None:
        client = FakeClient(one.live)
        one_page = one.page("Counter", frozen=True) + one.page("Counter", path="/b", frozen=True)
        bad, good = await client.join(one_page)
        await client.call(bad, "increment")
        seq = await client.call(bad, "fail")
        await client.call(good, "increment")
        await client.call(bad, "increment")

        assert bad.errors == [(seq, "failed", "The call failed.")]
        assert good.html is not None
        assert "Count: 1" in good.html
        assert bad.html is not None
        assert "Count: 2" in bad.html

        await client.send(["c", bad.n, seq, "fail", [], None])
        await client.settle()
        assert client.frames[-1][0] == "o"

    run(scenario)
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (record.__dict__["component"], record.__dict__["method"]) == ("Counter", "fail")
    assert record.__dict__["session"] == owner_of("visitor")
    assert record.exc_info is not None


def test_a_state_that_can_not_be_kept_fails_the_call(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one)
        await client.call(shown, "spoil")
        await client.call(shown, "increment")

        assert shown.errors[0][1] == "failed"
        assert shown.html == '<p id="c">Count: 1</p><i></i>'

    run(scenario)


def test_an_async_method_that_raises_fails_its_call(run: Run) -> None:
    async def scenario(one: Site) -> None:
        client, shown = await joined(one, "Soon")
        await client.call(shown, "fail")
        await client.call(shown, "increment")

        assert [code for _, code, _ in shown.errors] == ["failed"]
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_errors_are_shown_in_development_only() -> None:
    async def scenario() -> None:
        client, shown = await joined(site(show_errors=True))
        await client.call(shown, "fail")
        await client.call(shown, "fial")

        assert shown.errors[0][2] == "ValueError('secret detail')"
        assert "no exposed method 'fial'" in shown.errors[1][2]

    asyncio.run(scenario())
