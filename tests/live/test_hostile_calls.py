"""Calls and frames of somebody who means harm; refused, and the server lives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asok.live import Limits, owner_of

from .fake_client import FakeClient, wrappers
from .target import TOUCHED, joined, run, site


@pytest.mark.parametrize(
    "method",
    [
        "__init__", "__class__", "_private", "_secret", "hidden", "double", "render", "mount",
        "html", "count", "session", "closed", "increment ", "increment.__call__", "Increment",
        "__asok_methods__", "$model", "hydrate", "guard", "__setattr__",
    ],
)  # fmt: skip
def test_only_what_is_exposed_runs(method: str) -> None:
    async def scenario() -> None:
        one = site()
        client, shown = await joined(one, cid="c")
        await client.call(shown, method)

        assert next(code for _, code, _ in shown.errors) in ("refused", "malformed")
        assert TOUCHED == []
        assert one.live.store.load(owner_of("visitor"), "c") is None

    run(scenario)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "admin"), ("_secret", "x"), ("__class__", "x"), ("count.__class__", "x"),
        ("a.b.c.d.e.f.g.h.i.j.k", 1), ("count", [1]), ("count", {"a": 1}),
        ("count", None), ("session", {}), ("", 1), (1, 1), (["count"], 1), ("increment", 1),
    ],
)  # fmt: skip
def test_only_declared_fields_are_written_with_values_of_their_type(field: Any, value: Any) -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        await client.call(shown, "$model", field, value)
        await client.call(shown, "increment")

        assert len(shown.errors) == 1
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_a_call_before_a_join_is_refused() -> None:
    async def scenario() -> None:
        client = FakeClient(site().live)
        await client.send(["c", 1, 1, "increment", [], None])

        assert client.frames[0][:4] == ["e", 1, 1, "not-joined"]

    run(scenario)


def test_too_many_components_are_refused() -> None:
    async def scenario() -> None:
        one = site(limits=Limits(components=3, messages_per_second=1e6))
        client = FakeClient(one.live)
        token = wrappers(one.page("Counter", frozen=True))[0]["token"]
        await client.join([token] * 4)
        assert client.frames[-1][3] == "too-many" or ["e", 4, 0] in [f[:3] for f in client.frames]
        await client.send(["l", 1])
        await client.join([token])

        assert [f[3] for f in client.frames if f[0] == "e"] == ["too-many"]

    run(scenario)


def test_the_components_of_one_socket_are_at_most_64_by_default() -> None:
    async def scenario() -> None:
        one = site()
        client = FakeClient(one.live)
        token = wrappers(one.page("Counter", frozen=True))[0]["token"]
        await client.join([token] * 65)

        assert [f[:4] for f in client.frames if f[0] == "e"] == [["e", 65, 0, "too-many"]]

    run(scenario)


@pytest.mark.parametrize(
    "text",
    ["[]", "1", "null", "{}", '["c",1,1,"increment",[NaN],null]', "[" * 10_000, "\x00",
     '["c",1,1,"increment",[' + "[" * 5000 + "]" * 5000 + "],null]", '["j",1,2,3]', b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_frame_is_answered_and_the_conversation_goes_on(text: str | bytes) -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        await client.conversation.receive(text)
        await client.call(shown, "increment")

        assert ["e", 0, 0, "malformed", "This is no frame."] in client.frames
        assert shown.html == "<b>1</b>"

    run(scenario)


def test_many_of_them_end_the_socket() -> None:
    async def scenario() -> None:
        client = FakeClient(site().live)
        for _ in range(20):
            await client.conversation.receive("null")

        assert client.closed == (1008, "too many frames that are none")

    run(scenario)


@pytest.mark.parametrize("filler", ["x", "é"])
def test_a_frame_over_the_limit_ends_the_socket(filler: str) -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        frame = json.dumps(["c", 1, 1, "increment", [], {"a": ""}], separators=(",", ":"))
        room = (64 * 1024 - len(frame)) // len(filler.encode())
        await client.conversation.receive(frame.replace('""', f'"{filler * room}"'))
        await client.settle()
        assert client.closed is None
        assert shown.html == "<b>1</b>"

        await client.conversation.receive(frame.replace('""', f'"{filler * (room + 1)}"'))
        assert client.closed is not None
        assert client.closed[0] == 1009

    run(scenario)


def test_special_names_in_form_data_are_plain_names() -> None:
    async def scenario() -> None:
        client, shown = await joined(site())
        data = {"__proto__": {"a": 1}, "constructor": 1, "self": 1, "__class__": "x"}
        await client.call(shown, "increment", data=data)

        assert shown.html == "<b>1</b>"

    run(scenario)
