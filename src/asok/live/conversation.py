"""One browser's conversation: frames in, frames out. No socket.

The transport calls `receive` with each frame, one after the other, and gets what is to be
sent by `emit`, whenever it is ready: each joined component answers in the order of its own
frames, and none waits for another one.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from asok import holes
from asok.errors import CallRefused, ComponentError, StateRefused
from asok.live import frames
from asok.live.answers import Admit, Answers
from asok.live.broadcasting import Event
from asok.live.frames import Call, Join
from asok.live.limits import Bucket
from asok.live.member import Job, Member
from asok.live.scope import owner_of
from asok.live.screen import Emit, Failed, Screen
from asok.live.secrets import SocketSecrets

if TYPE_CHECKING:
    from asok.live.engine import Live

__all__ = ["TOO_BIG", "Conversation", "HangUp"]

log = logging.getLogger("asok.live")

#: Closes the transport with a code of RFC 6455 and a reason.
HangUp = Callable[[int, str], Awaitable[None]]

POLICY: Final = 1008
TOO_BIG: Final = 1009


class Conversation:
    """Made by `Live.conversation`. `session_id` is the visitor's, from the cookie; `admit(path)`
    asks the guards of a page; `failed(n, error)` is told what is not for the browser; with
    `whole` no frame is a difference; `pause` is how a sender that is too fast waits.

    After `close` nothing is emitted any more; calls that run go on to their end.
    """

    def __init__(
        self,
        live: Live,
        session_id: str,
        *,
        emit: Emit,
        hang_up: HangUp,
        secrets: holes.Secrets | None = None,
        admit: Admit | None = None,
        failed: Failed | None = None,
        whole: bool = False,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.owner = owner_of(session_id)
        self.closed = False
        self._ending = False
        self._live = live
        self._session_id = session_id
        self._screen = Screen(live, emit, failed, whole=whole)
        self._hang_up = hang_up
        self._secrets = secrets or SocketSecrets()
        self._pause = pause
        # In a circle of references, what was closed would stay until the next collection, which a
        # server without load never has.
        me = weakref.proxy(self)
        self._members: dict[int, Member] = {}
        self._answers = Answers(
            live, self._screen, self.owner, admit=admit, members=self._members,
            leave=lambda n: me._leave(n), push=lambda n, event: me.push(n, event),
        )  # fmt: skip
        self.loop = asyncio.get_running_loop()
        # An event comes from the middle of somebody else's request or call, whose database
        # session and render are not this conversation's.
        self._context = contextvars.copy_context()
        self._bucket = Bucket(live.limits.messages_per_second, live.limits.burst)
        self._bad_signatures = 0
        self._bad_frames = 0
        self._working = 0
        self._settled = asyncio.Event()
        self._settled.set()

    # Frames in.

    async def receive(self, text: str | bytes, *, files: dict[str, Any] | None = None) -> None:
        """Take one frame (with a form's files, by field); returns as soon as the next may come.

        A sender that is too fast waits here. Whatever the frame holds, this raises nothing.
        """
        if self.closed or self._screen.closed:  # who can't be answered sends it again
            return
        limits = self._live.limits
        size = len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode())
        if size > limits.frame_bytes:
            await self._end(TOO_BIG, f"a frame has more than {limits.frame_bytes} bytes")
            return
        wait = self._bucket.take()
        if wait > 0:
            await self._pause(wait)
        try:
            frame = frames.parse(text, depth=limits.depth, arguments=limits.arguments)
        except CallRefused as error:
            await self._screen.fail(0, 0, error.code, error)
            self._bad_frames += 1
            if self._bad_frames >= limits.bad_frames:
                await self._end(POLICY, "too many frames that are none")
            return
        if isinstance(frame, Join):
            await self._join(frame)
        elif isinstance(frame, Call):
            if files:
                frame = structs.replace(frame, data={**(frame.data or {}), **files})
            await self._call(frame)
        else:
            self._leave(frame.n)

    async def _join(self, join: Join) -> None:
        known = self._members.get(join.n)
        if known is None or known.token != join.token or known.tab != join.tab:
            if known is None and len(self._members) >= self._live.limits.components:
                await self._screen.fail(join.n, 0, "too-many")
                return
            self._leave(join.n)
            try:
                payload = self._live.tokens.read(join.token)
                known = Member(
                    self._live, join, payload, session_id=self._session_id, owner=self.owner,
                    secrets=self._secrets,
                )  # fmt: skip
            except StateRefused as error:
                log.warning("a state token was refused: %s", error, extra=self._answers.record())
                await self._screen.send(frames.reload(error.reason))
                self._bad_signatures += 1
                if self._bad_signatures >= self._live.limits.bad_signatures:
                    await self._end(POLICY, "too many states with a wrong signature")
                return
            except ComponentError as error:  # a class that is no longer there
                log.warning("a component was refused: %s", error, extra=self._answers.record())
                await self._screen.send(frames.reload("schema"))
                return
            known.listen = partial(self._listen, known)
            self._members[join.n] = known
        self._queue(known, Job(0, shown=join.version))

    async def _call(self, call: Call) -> None:
        member = self._members.get(call.n)
        if member is None:
            await self._screen.fail(call.n, call.seq, "not-joined")
        elif len(member.jobs) >= self._live.limits.queued_calls:
            # Refused in its place: an answer acknowledges every call before it.
            self._queue(member, Job(call.seq))
        else:
            self._queue(member, Job(call.seq, call))

    def _leave(self, n: int) -> None:
        member = self._members.pop(n, None)
        if member is not None:
            member.leave()
            self._live.broadcasts.listen(self, n, ())
            if member.definition.unmounts:
                self._spawn(self._answers.unmount(member))
        self._screen.drop(n)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work, context=self._context.copy())
        self._live.tasks.add(task)
        task.add_done_callback(self._live.tasks.discard)

    # The work of one component, in order.

    def _queue(self, member: Member, job: Job) -> None:
        member.jobs.append(job)
        if not member.working:
            member.working = True
            self._working += 1
            self._settled.clear()
            self._spawn(self._work(member))

    async def _work(self, member: Member) -> None:
        try:
            while member.jobs and not self.closed:
                job = member.jobs.popleft()
                if job.events is not None:
                    job = structs.replace(job, events=list(member.waiting))
                    member.waiting.clear()
                    if not job.events:  # taken before its time
                        continue
                    member.pushed = self.loop.time()
                await self._answers.answer(member, job)
        finally:
            member.working = False
            self._working -= 1
            if not self._working:
                self._settled.set()

    # Events.

    @property
    def listens(self) -> bool:  # to anything
        return any(member.topics for member in self._members.values())

    def push(self, n: int, event: Event) -> None:
        """Hand an event to component `n`; on the loop.

        The first is taken at once. Of a flood those that come within `push_seconds`, or while
        the component works or its browser reads slowly, are taken together.
        """
        member = self._members.get(n)
        if member is None or self.closed:
            return
        waiting = member.waiting
        waiting.append(event)
        if len(waiting) > self._live.limits.queued_events:
            log.warning("an event for %r was lost: too many wait", member)
            del waiting[0]
        if len(waiting) == 1:
            due = member.pushed + self._live.limits.push_seconds - self.loop.time()
            if due > 0:
                self.loop.call_later(due, self._queue_events, member)
            else:
                self._queue_events(member)

    def _queue_events(self, member: Member) -> None:
        if member.waiting and not member.left and not self.closed:
            # The list is taken when its turn comes: until then more may come.
            self._queue(member, Job(0, events=member.waiting))

    def _listen(self, member: Member, topics: set[str]) -> None:
        """Called from any thread, before what a component shows is read."""
        if not member.left:
            member.topics = frozenset(topics)
            self._live.broadcasts.listen(self, member.n, topics)
            if member.left:  # meanwhile
                self._live.broadcasts.listen(self, member.n, ())

    # The end.

    async def renew_csrf(self, value: str) -> None:
        """Tell the browser a new CSRF value for every form of the page."""
        await self._screen.send(frames.csrf(value))

    def touch(self) -> None:
        """Let the state of every joined component live on: to be called while the browser is
        there, more often than `state_seconds`; may wait for the network (`store.blocking`)."""
        if cids := self.cids:
            self._live.store.touch(self.owner, cids)

    @property
    def cids(self) -> list[str]:  # of all that are joined
        return [member.cid for member in self._members.values()]

    @property
    def quiet(self) -> bool:
        """Whether nothing works, and no event waits for its time."""
        return not self._working and not any(one.waiting for one in self._members.values())

    async def settle(self) -> None:
        """Wait until everything received was answered, and what that emitted was taken."""
        await self._settled.wait()
        while late := [one for one in self._members.values() if one.heard_emitted]:
            for member in late:
                self._queue_events(member)
            await self._settled.wait()

    def end(self, reason: str) -> None:
        """Ask for a reload and close, from any thread."""
        self.loop.call_soon_threadsafe(lambda: self._spawn(self._farewell(reason)))

    async def _farewell(self, reason: str) -> None:
        if self._ending:  # both by its own worker and by the notice to all of them
            return
        self._ending = True
        await self._screen.send(frames.reload(reason))
        await self._end(POLICY, reason)

    async def _end(self, code: int, reason: str) -> None:
        if not self.closed:
            await self.close()
            await self._hang_up(code, reason)

    async def close(self) -> None:
        """The browser has gone, or is to go; idempotent. What runs is not stopped."""
        if self.closed:
            return
        self.closed = self._screen.closed = True
        for n in list(self._members):
            self._leave(n)
        self._live.forget(self)
