"""A page view as a browser holds it: its components joined, what they show as one document."""

from __future__ import annotations

import asyncio
import secrets
import weakref
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from asok.errors import CallRefused, DriveError
from asok.live.extras import read_extras
from asok.live.form_files import takes_files
from asok.testing.connection import Connection, Shown, wrappers
from asok.testing.document import Document, Node, compose
from asok.testing.events import Call, Event, hear
from asok.testing.files import apart
from asok.testing.loop import run, start
from asok.testing.stage import Stage

__all__ = ["View"]

T = TypeVar("T")
#: How often components that appear within components are taken up, before it is a circle.
_DEPTH: Final = 16


class View:
    """Holds a conversation about the components of `html`, the page that a visitor was given.

    What they raise is raised here, by the action that led to it.
    """

    def __init__(self, stage: Stage, session_id: str, html: str) -> None:
        self.stage = stage
        self.session_id = session_id
        self.html = html
        self._raised: list[Exception] = []
        self._by_cid: dict[str, Shown] = {}
        self._once: set[str] = set()
        self._waits = True
        self._left = False
        self._composed: tuple[tuple[int | str, ...], Document] | None = None
        self._taken: Document | None = None
        self._told = 0
        self.connection: Connection = run(_connect(stage, session_id, self._raised))
        weakref.finalize(self, start, partial(_close, self.connection)).atexit = False
        self.catch_up()

    # What it shows.

    def document(self) -> Document:
        """Return what is shown now, after everything that was answered."""
        self.catch_up()
        return self._document()

    def _document(self) -> Document:
        """Put together what is shown; once for what does not change."""
        state = (len(self.connection.shows), *self._by_cid)
        if self._composed is None or self._composed[0] != state:
            self._composed = (state, Document(compose(self.html, self._inside)))
        return self._composed[1]

    def _inside(self, cid: str) -> str | None:
        shown = self._by_cid.get(cid)
        return shown.html if shown is not None else None

    def cids(self) -> list[str]:
        """Return the components of the page, in order."""
        return list(self._by_cid)

    def shown(self, cid: str) -> Shown:
        """Return how one of them is shown."""
        return self._by_cid[cid]

    def name(self, cid: str) -> str:
        """Return the name of a component's class."""
        return self.stage.live.tokens.read(self._by_cid[cid].token).name

    def state(self, cid: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Return a component's fields, and its messages, as they are stored."""
        live = self.stage.live
        payload = live.tokens.read(self._by_cid[cid].token)
        definition = live.registry.get(payload.name)
        row = live.store.load(self.connection.conversation.owner, cid)
        raw = row.state if row is not None else bytes(getattr(payload, "state", b"null"))
        if raw == b"null":
            raise DriveError(
                f"{payload.name} has no state yet: this page is for everybody.",
                fix="Call something first.",
            )
        return definition.schema.decode(raw), read_extras(raw).errors

    # What is done to it.

    def dispatch(self, document: Document, node: Node, *events: Event) -> tuple[bool, bool]:
        """Let events happen to an element; returns whether that meant anything to the page, and
        whether the browser does nothing else."""
        meant, prevented = False, False
        for event in events:
            heard = hear(document, node, event, self._once)
            prevented = prevented or heard.prevented
            meant = meant or heard.meant
            self.calls(heard.calls)
        return meant, prevented

    def calls(self, calls: Sequence[Call], *, wait: bool = True) -> None:
        """Call methods, in order. Raises what they raise."""
        if self.connection.reloads:
            raise DriveError(
                f"the page was asked to load anew ({self.connection.reloads[-1]}), so that nothing "
                "more can be done here.",
                fix="Write page.reload() to do so.",
            )
        if self._left:
            raise DriveError("the page was left.", fix="Write page.reload() to load it anew.")
        if calls:
            self._waits = self._waits and wait
            self.action(self._call(calls))

    async def _call(self, calls: Sequence[Call]) -> None:
        for call in calls:
            shown = self._by_cid.get(call.cid)
            if shown is None:
                raise DriveError(f"the component {call.cid} is no longer on the page.")
            data, sent = apart(call.data)
            definition = self.stage.live.registry.get(self.name(call.cid))
            files = takes_files(definition, call.method, sent) if sent else None
            await self.connection.call(
                shown, call.method, *call.args, data=data, files=files, wait=self._waits
            )

    def action(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something over the connection, and take up what comes of it. Raises what was
        raised."""
        run(work)
        self.catch_up()

    def catch_up(self, *, wait: bool = False) -> None:
        """See what was answered up to now; with `wait`, or unless somebody said otherwise, all."""
        self._waits = self._waits or wait
        run(self._take_up())
        frames = self.connection.frames[self._told :]
        self._told += len(frames)
        raised = list(self._raised)
        self._raised.clear()
        if not raised:
            raised = [CallRefused(one[4], code=one[3]) for one in frames if one[0] == "e"]
        if not raised and self.connection.closed and not self.connection.reloads:
            code, reason = self.connection.closed
            raised = [DriveError(f"the server ended the conversation: {reason} ({code}).")]
        for other in raised[1:]:
            raised[0].add_note(f"After it came: {other!r}")
        if raised:
            raise raised[0]

    async def _take_up(self) -> None:
        """Join the components that appeared, leave those that went."""
        for _ in range(_DEPTH):
            await self._settle()
            document = self._document()
            if document is self._taken:
                return
            found = {one["cid"]: one["token"] for one in wrappers(document.html)}
            for cid in [cid for cid in self._by_cid if cid not in found]:
                await self.connection.leave(self._by_cid.pop(cid))
            new = [cid for cid in found if cid not in self._by_cid]
            if not new:
                self._taken = self._document()
                return
            for cid in new:
                # Joined one by one: an answer that fails names its component.
                [self._by_cid[cid]] = await self.connection.join([found[cid]])

    async def _settle(self) -> None:
        conversation = self.connection.conversation
        await asyncio.sleep(0)  # what other threads handed over comes first
        while self._waits and not conversation.closed:
            await self.connection.settle()
            if conversation.quiet:
                return
            await asyncio.sleep(0.001)

    def close(self) -> None:
        """Leave the page."""
        self._left = True
        run(_close(self.connection))


async def _connect(stage: Stage, session_id: str, raised: list[Exception]) -> Connection:
    def failed(_: int, error: Exception) -> None:
        raised.append(error)

    return Connection(
        stage.live,
        session_id,
        secrets.token_hex(8),
        failed=failed,
        pause=_no_pause,
        **stage.options(session_id),
    )


async def _close(connection: Connection) -> None:
    await connection.conversation.close()


async def _no_pause(seconds: float) -> None:
    """A test need not wait for the rate that it is held to."""
    del seconds
