"""How calls run: whose turn it is, and what runs in a thread and what on the event loop."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asok.errors import CallRefused
from asok.live.begun import Begun
from asok.live.component import Component
from asok.live.member import Member, Prepared
from asok.live.memo import Memo
from asok.live.store import Lease
from asok.live.turn import Outcome, Turn
from asok.live.work import Work

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Runner"]

T = TypeVar("T")
#: Shows a component as it is within a method: the member, a version, the HTML.
Show = Callable[[Member, float, str], Coroutine[Any, Any, None]]
#: Seconds between two looks at a turn that somebody else has: doubled from one to the other.
_PATIENCE: Final = (0.0005, 0.02)


class Runner:
    """Runs the calls of joined components. `show(member, version, html)` sends what a method
    shows while it still runs."""

    def __init__(self, live: Live, show: Show) -> None:
        self._live = live
        self._show = show

    async def run(self, member: Member, work: Work, memo: Memo | None = None) -> Outcome | Prepared:
        """Run one call, or events, in its turn; or say what there is, where it was run before.

        Raises `CallRefused`, `StateRefused`, and whatever the method raises.
        """
        turn = member.turn(work, self._live.on_step, memo)
        lease = await self._acquire(member)
        try:
            if work.is_async:
                with self._live.scope():
                    return await self._run_async(member, turn)
            if not (work.on_loop and member.on_loop):
                threaded = self._run_in_thread(member, turn, lease)
                lease = None
                return await threaded
            return await self.off(member, lambda: member.run(turn, _shows_nothing), turn)
        finally:
            if lease is not None:
                await self._release(lease)

    async def _run_async(self, member: Member, turn: Turn) -> Prepared | Outcome:
        """An async method: awaited here, what may block off the loop."""
        prepared = await self._off(member, lambda: member.prepare(turn), turn)
        component = prepared.component
        if component is None:
            return prepared
        try:
            result = turn.work.run(component)
            waits = Begun.of(result) if inspect.iscoroutine(result) else result
            if waits is not None:  # it is where a form was wrong, or nothing was waited for
                await self._await(member, turn, component, waits)
            return await self._off(member, lambda: member.conclude(turn, component), turn)
        except Exception:
            await self._off(member, turn.fail)
            raise

    async def _await(self, member: Member, turn: Turn, component: Component, result: Any) -> None:
        """Await what an async method does, for as long as it may run."""
        limit = asyncio.timeout(self._seconds(turn))
        try:
            async with limit:
                if inspect.isasyncgen(result):
                    async with aclosing(result):
                        async for _ in result:
                            await self._progress(member, turn, component)
                            limit.reschedule(
                                asyncio.get_running_loop().time() + self._seconds(turn)
                            )
                else:
                    await result
        except TimeoutError as error:
            if not limit.expired():  # the method's own
                raise
            raise _late(turn.work) from error

    async def _progress(self, member: Member, turn: Turn, component: Component) -> None:
        html = await self._off(member, lambda: turn.render(component))
        turn.streamed = True
        await self._show(member, turn.partial, html)

    async def _run_in_thread(self, member: Member, turn: Turn, lease: Lease) -> Prepared | Outcome:
        """A sync method: the whole call in one thread, which can't be stopped.

        One that takes too long is given up: the browser hears of it now, the turn ends with
        the thread, and what the method did to the state is thrown away. A generator's time
        begins anew at each `yield`, and it ends there.
        """
        loop = asyncio.get_running_loop()
        steps = 0

        def progress(html: str) -> None:
            nonlocal steps
            if turn.abandoned:
                raise _late(turn.work)
            steps += 1
            turn.streamed = True
            sent = self._show(member, turn.partial, html)
            # Waiting for the browser is what slows a fast generator down.
            asyncio.run_coroutine_threadsafe(sent, loop).result()

        running = asyncio.ensure_future(
            self._live.run_sync(lambda: _release_after(lease, lambda: member.run(turn, progress)))
        )
        seen = -1
        while not running.done() and seen != steps:
            seen = steps
            await asyncio.wait({running}, timeout=self._seconds(turn))
        if not running.done():
            turn.abandoned = True
            running.add_done_callback(_passed_over)
            if not turn.begun:
                raise CallRefused("every thread is taken by calls that run for long.", code="busy")
            raise _late(turn.work)
        return running.result()

    def _seconds(self, turn: Turn) -> float:
        return turn.work.seconds or self._live.limits.call_seconds

    async def _acquire(self, member: Member) -> Lease:
        store = self._live.store
        delay, longest = _PATIENCE
        end = time.monotonic() + self._live.limits.turn_seconds
        while True:
            if store.blocking:
                lease = await self._live.run_sync(lambda: store.acquire(member.owner, member.cid))
            else:
                lease = store.acquire(member.owner, member.cid)
            if lease is not None:
                return lease
            if time.monotonic() > end:
                raise CallRefused("another call of this component does not end.", code="busy")
            await asyncio.sleep(delay * (0.5 + random.random()))
            delay = min(delay * 2, longest)

    async def _release(self, lease: Lease) -> None:
        if self._live.store.blocking:
            await asyncio.shield(asyncio.ensure_future(self._live.run_sync(lease.release)))
        else:
            lease.release()

    async def off(self, member: Member, work: Callable[[], T], turn: Turn | None = None) -> T:
        """Run `work` on the loop where it can't block, else in a thread.

        A class with an async method says that its rendering does not block; one whose methods
        are all sync may ask a database in its template. Raises `CallRefused` for what takes too
        long; it is left behind, and its turn is given up.
        """
        if self._stays(member):
            with self._live.scope():
                return work()
        return await self._away(member, work, turn)

    async def _off(self, member: Member, work: Callable[[], T], turn: Turn | None = None) -> T:
        """The same for a turn that has its scope already."""
        if self._stays(member):
            return work()
        return await self._away(member, work, turn)

    def _stays(self, member: Member) -> bool:
        """Whether taking a component up, showing and storing it may run on the loop."""
        return member.on_loop and not self._live.store.blocking

    async def _away(self, member: Member, work: Callable[[], T], turn: Turn | None) -> T:
        running = asyncio.ensure_future(self._live.run_sync(work))
        await asyncio.wait({running}, timeout=self._live.limits.call_seconds)
        if running.done():
            return running.result()
        if turn is not None:
            turn.abandoned = True
        running.add_done_callback(_passed_over)
        raise _late(turn.work if turn is not None else None, member.definition.name)


def _release_after(lease: Lease, work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        lease.release()


def _shows_nothing(html: str) -> None:
    """`ws-model` writes a field: it is no generator."""
    del html


def _passed_over(late: asyncio.Future[Any]) -> None:
    """What comes of a call that was given up is nobody's."""
    if not late.cancelled():
        late.exception()


def _late(work: Work | None, name: str = "") -> CallRefused:
    method = work.method if work else None
    return CallRefused(
        f"{work.name if work else name} took too long.",
        code="timeout",
        fix="Do what is slow in parts, with a yield between them, or write @exposed(timeout=300).",
        file=method.parameters.file if method else None,
        line=method.parameters.line if method else None,
    )
