"""How calls run: whose turn it is, and what runs in a thread and what on the event loop."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from asok.errors import CallRefused
from asok.live.frames import Call
from asok.live.member import Member, Prepared
from asok.live.store import Lease
from asok.live.turn import MODEL, Outcome, Turn

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["Runner"]

T = TypeVar("T")
#: Seconds between two looks at a turn that somebody else has: doubled from one to the other.
_PATIENCE: Final = (0.0005, 0.02)


class Runner:
    """Runs the calls of joined components."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def run(self, member: Member, call: Call) -> Outcome | Prepared:
        """Run one call in its turn; or say what there is, where it was run before.

        Raises `CallRefused`, `StateRefused`, and whatever the method raises.
        """
        turn = member.turn(call, self._live.on_step)
        lease = await self._acquire(member)
        method = member.definition.methods.get(call.method)
        if method is not None and method.is_async:
            try:
                result = await self._run_async(member, turn)
            finally:
                await self._release(lease)
        elif method is not None or not member.definition.on_loop:
            result = await self._run_in_thread(member, turn, lease)
        else:  # `ws-model` of a component that lives on the loop
            assert call.method == MODEL
            try:
                result = await self.off(member, lambda: member.run(turn))
            finally:
                await self._release(lease)
        return result

    async def _run_async(self, member: Member, turn: Turn) -> Prepared | Outcome:
        """An async method: awaited here, what may block off the loop."""
        prepared = await self.off(member, lambda: member.prepare(turn))
        component = prepared.component
        if component is None:
            return prepared
        try:
            limit = asyncio.timeout(self._live.limits.call_seconds)
            try:
                async with limit:
                    await turn.method(component)
            except TimeoutError as error:
                if not limit.expired():  # the method's own
                    raise
                raise CallRefused(f"{turn.method_name} took too long.", code="timeout") from error
            return await self.off(member, lambda: member.conclude(turn, component))
        except Exception:
            await self.off(member, turn.fail)
            raise

    async def _run_in_thread(self, member: Member, turn: Turn, lease: Lease) -> Prepared | Outcome:
        """A sync method: the whole call in one thread, which can't be stopped.

        One that takes too long is given up: the browser hears of it now, the turn ends with
        the thread, and what the method did to the state is thrown away.
        """
        running = asyncio.ensure_future(
            self._live.run_sync(lambda: _release_after(lease, lambda: member.run(turn)))
        )
        done, _ = await asyncio.wait({running}, timeout=self._live.limits.call_seconds)
        if not done:
            turn.abandoned = True
            running.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise CallRefused(f"{turn.method_name} took too long.", code="timeout")
        return running.result()

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

    async def off(self, member: Member, work: Callable[[], T]) -> T:
        """Run `work` on the loop where it can't block, else in a thread.

        A class with an async method says that its rendering does not block; one whose methods
        are all sync may ask a database in its template.
        """
        if self._live.store.blocking or not member.definition.on_loop:
            return await self._live.run_sync(work)
        return work()


def _release_after(lease: Lease, work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        lease.release()
