"""A component that fails: alone, logged, with its state as it was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator

import pytest

from asok.component import Component, exposed, listens
from asok.live import Limits, owner_of

from .fake_client import FakeClient
from .ports import Site
from .scenario import TEMPLATES, Counter, Run, joined, site


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


class Broken(Component):
    """Fails where it is told to."""

    n: int = 0
    _bindable = ("n",)

    def mount(self) -> None:
        fail("mount")

    def hydrate(self) -> None:
        fail("hydrate")

    def updated(self, names: set[str]) -> None:
        fail("updated")

    def guard(self) -> bool:
        fail("guard")
        return True

    def validate_n(self, value: int) -> None:
        fail("validator")

    @exposed
    def plain(self) -> None:
        self.n += 1
        fail("plain")

    @exposed
    async def soon(self) -> None:
        self.n += 1
        fail("soon")

    @exposed
    def steps(self) -> Generator[None]:
        self.n += 1
        yield
        fail("steps")

    @exposed
    async def soon_steps(self) -> AsyncGenerator[None]:
        self.n += 1
        yield
        fail("soon_steps")

    @listens("news")
    def heard(self) -> None:
        self.n += 1
        fail("listener")

    def render(self) -> str:
        fail("render")
        return self.html("broken.html" if "template" in FAILS else "fine.html")


FAILS: set[str] = set()


def fail(name: str) -> None:
    if name in FAILS:
        raise RuntimeError(f"{name} failed")


def broken() -> Site:
    FAILS.clear()
    return Site(
        Broken,
        Counter,
        templates={"fine.html": "<b>{{ n }}</b>", "broken.html": "{{ nothing }}", **TEMPLATES},
        limits=Limits(messages_per_second=1e6, push_seconds=0.001),
    )


@pytest.mark.parametrize(
    ("where", "method"),
    [
        ("plain", "plain"), ("soon", "soon"), ("steps", "steps"), ("soon_steps", "soon_steps"),
        ("hydrate", "plain"), ("hydrate", "soon"), ("updated", "plain"), ("updated", "soon"),
        ("guard", "plain"), ("render", "plain"), ("render", "soon"), ("template", "plain"),
        ("template", "steps"), ("validator", "$model"), ("listener", "broadcast"),
        ("render", "broadcast"), ("mount", "join"), ("render", "join"), ("template", "join"),
    ],
)  # fmt: skip
def test_wherever_it_fails_its_component_says_so_with_a_record_and_the_others_go_on(
    where: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        one = broken()
        client = FakeClient(one.live)
        page = one.page("Broken", frozen=True, cid="b", client="only")
        good_page = one.page("Counter", frozen=True)
        if method == "join":
            FAILS.add(where)
        bad, good = await client.join(page + good_page)
        if method != "join":
            await client.call(bad, "plain")
        if method == "broadcast":
            FAILS.add(where)
            one.live.broadcasts.publish("news", {})
            await client.wait_for("e")
        elif method != "join":
            FAILS.add(where)
            args = ("n", "5") if method == "$model" else ()
            await client.call(bad, method, *args)
        assert [code for _, code, _ in bad.errors] == ["failed"]
        await client.call(good, "increment")
        assert good.html is not None
        assert "Count: 1" in good.html

        FAILS.clear()
        await client.call(bad, "plain")
        before = 0 if method == "join" else 1
        assert bad.html == f"<b>{before + 1}</b>", "what failed changed nothing"

    asyncio.run(scenario())
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    known = record.__dict__
    assert (known["component"], known["method"]) == ("Broken", method)
    assert known["session"] == owner_of("visitor")
    assert record.exc_info is not None


def test_a_hook_that_sets_what_is_no_field_is_told_and_no_reload_is_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Typo(Component):
        count: int = 0

        def mount(self) -> None:
            setattr(self, "cuont", 1)  # noqa: B010

        def render(self) -> str:
            return ""

    async def scenario() -> None:
        one = Site(Typo)
        client = FakeClient(one.live)
        [shown] = await client.join(one.page("Typo", frozen=True, client="only"))
        assert [code for _, code, _ in shown.errors] == ["failed"]
        assert client.reloads == []

    asyncio.run(scenario())
    assert "Did you mean self.count?" in caplog.text
