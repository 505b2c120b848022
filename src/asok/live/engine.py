"""`Live`: the live components of an application, as one object."""

from __future__ import annotations

import asyncio
import html
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from asok import holes
from asok.errors import LiveError
from asok.live.answers import Admit
from asok.live.bases import Bases
from asok.live.broadcasting import Broadcasts
from asok.live.client import check_client, waits
from asok.live.component import SessionLike
from asok.live.conversation import Conversation, HangUp
from asok.live.deferred import Deferrals
from asok.live.limits import Limits
from asok.live.place import Place, RenderTemplate
from asok.live.recent import Recent
from asok.live.registry import Definition, Registry
from asok.live.scope import Scope, Visit, current, enter, owner_of
from asok.live.screen import Emit, Failed
from asok.live.showing import Showing
from asok.live.slot import Html, keep
from asok.live.store import LiveStore
from asok.live.token import Tokens
from asok.live.wiring import check_html
from asok.notices import Notices
from asok.signing import Keys

__all__ = ["Live"]

T = TypeVar("T")


def _no_step(name: str) -> None:
    del name


class Live:
    """Renders components into pages and holds conversations with the browsers that show them.

    Ports: `store` keeps joined state; `render_template(name, context, page_dir=folder)`
    renders; `open_session(session_id)` opens the visitor's session; `run_sync(function)`
    runs what may block in a thread, and `scope()` is entered around what does not.
    `runtime_url`, `defer_url` and `later_url` are where its scripts are served; `notices`
    carries broadcasts to the other workers. `show_errors` lets browsers see what went wrong
    (development). `on_step` is told every point of a call between two effects.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        keys: Keys,
        store: LiveStore,
        mount: str = "",
        render_template: RenderTemplate,
        open_session: Callable[[str], SessionLike],
        runtime_url: str,
        defer_url: str = "/asok/defer.js",
        later_url: str = "/asok/later.js",
        limits: Limits | None = None,
        notices: Notices | None = None,
        run_sync: Callable[[Callable[[], Any]], Awaitable[Any]] = asyncio.to_thread,
        scope: Callable[[], AbstractContextManager[Any]] = nullcontext,
        show_errors: bool = False,
        clock: Callable[[], float] = time.time,
        on_step: Callable[[str], None] = _no_step,
    ) -> None:
        self.registry = registry
        self.store = store
        #: What the site's paths begin with.
        self.mount = mount
        self.limits = limits or Limits()
        self.run_sync = run_sync
        self.scope = scope
        self.show_errors = show_errors
        self.clock = clock
        self.on_step = on_step
        self.tokens = Tokens(keys)
        self.bases = Bases(self.limits.base_bytes)
        self.runtime_url = runtime_url
        self._later_url = later_url
        #: The neighbour of the runtime, also where the application is mounted.
        self.door_url = runtime_url.rpartition("/")[0] + "/live"
        self.deferrals = Deferrals(self, keys, script_url=defer_url)
        recent = Recent(seconds=self.limits.replay_seconds, limit=self.limits.replay_bytes)
        self.broadcasts = Broadcasts(
            notices, limit=self.limits.broadcast_bytes, recent=recent, clock=clock
        )
        self._showing = Showing(self)
        self.tasks: set[asyncio.Task[None]] = set()
        self._render_template = render_template
        self._open_session = open_session
        self._conversations: defaultdict[str, set[Conversation]] = defaultdict(set)

    # Pages.

    @contextmanager
    def page(
        self,
        path: str,
        *,
        session_id: str | None = None,
        session: SessionLike | None = None,
        frozen: bool = False,
    ) -> Generator[None]:
        """Count the components that are rendered inside the block as those of page `path`.

        `session_id` and `session` are the visitor's, where there is one; with `frozen` the
        page is for everybody and neither is looked at.
        """
        if frozen:
            visit = Visit(None, frozen=True, page=path, origin=path)
        else:
            visit = Visit(session_id, False, session, page=path, origin=path)
        with enter(Scope(path, visit)):
            yield

    def component(
        self,
        name: str,
        /,
        *,
        client: str | None = None,
        cid: str | None = None,
        key: object = None,
        lazy: bool = False,
        slot: str | None = None,
        **props: Any,
    ) -> Html:
        """`{{ component('Counter', count=10) }}`: the HTML of a component, in its wrapper.

        `client` says when it comes alive: load (default), visible, idle, only (not rendered
        on the page), defer (rendered for each visitor after the page), none (never),
        media:(query). `cid` gives it an identity that is the same on every page, `key` one among
        its siblings, whatever their order. With `lazy` the page shows its placeholder, and it
        mounts when it joins. Raises `ComponentError` and `StateError`.
        """
        scope = current.get()
        if scope is None:
            raise LiveError(
                f"component {name!r} was rendered outside any page.",
                fix="Render it inside `with live.page(path):`, as request.html(…) does.",
            )
        definition = self.registry.get(name)
        when = check_client(name, client)
        identity = scope.identify(name, cid, key)
        values = definition.schema.values(props)
        given = Html(slot or "")
        if when == "defer" and scope.visit.page is not None:
            return self.deferrals.placeholder(definition, identity, values, given, scope.visit)
        # What comes after the page is for one visitor already.
        when = None if when == "defer" else when
        kept = keep(given, name, self.limits.state_bytes)
        return self.show(
            definition, identity, scope.visit, values,
            slot=given, kept=kept, client=when, lazy=lazy,
        )  # fmt: skip

    def show(
        self,
        definition: Definition,
        cid: str,
        visit: Visit,
        values: dict[str, Any],
        *,
        slot: Html,
        kept: str,
        client: str | None = None,
        lazy: bool = False,
    ) -> Html:
        """Return the HTML of an instance in its wrapper; `kept` is what its token says of the
        slot."""
        further = (self._later_url,) if waits(client) else ()
        scripts = "" if client == "none" else self.scripts(visit, *further)
        place = self.place(definition, cid, visit, slot)
        return Html(self._showing.wrapped(place, visit, values, kept, client, lazy) + scripts)

    def render(
        self,
        name: str,
        /,
        *,
        page: str,
        session_id: str | None,
        frozen: bool,
        client: str | None = None,
        cid: str | None = None,
        slot: str | None = None,
        lazy: bool = False,
        props: dict[str, Any] | None = None,
    ) -> Html:
        """`component` for a caller that is inside no `page` block: one component of one page."""
        with self.page(page, session_id=session_id, frozen=frozen):
            return self.component(
                name, client=client, cid=cid, slot=slot, lazy=lazy, **(props or {})
            )

    def scripts(self, visit: Visit, *further: str) -> str:
        """Return the tags of the runtime and `further` scripts that the page does not have."""
        return "".join(
            f'<script type="module" src="{html.escape(url)}"></script>'
            for url in (self.runtime_url, *further)
            if visit.first(url)
        )

    def place(self, definition: Definition, cid: str, visit: Visit, slot: Html) -> Place:
        """Return the surroundings of an instance."""
        return Place(
            definition,
            cid,
            visit,
            slot=slot,
            render_template=self._render_template,
            open_session=self._open_session,
            context={"component": self.component},
            check=check_html if self.show_errors else None,
        )

    # Sockets.

    def conversation(
        self,
        session_id: str,
        *,
        emit: Emit,
        hang_up: HangUp,
        secrets: holes.Secrets | None = None,
        admit: Admit | None = None,
        failed: Failed | None = None,
        whole: bool = False,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> Conversation:
        """Begin a conversation with one browser; see `Conversation`."""
        made = Conversation(
            self, session_id, emit=emit, hang_up=hang_up, secrets=secrets, admit=admit,
            failed=failed, whole=whole, pause=pause,
        )  # fmt: skip
        self._conversations[made.owner].add(made)
        return made

    def forget(self, conversation: Conversation) -> None:
        """Called by a conversation that closes."""
        open_ones = self._conversations.get(conversation.owner)
        if open_ones is not None:
            open_ones.discard(conversation)
            if not open_ones:
                del self._conversations[conversation.owner]

    def __len__(self) -> int:
        return sum(map(len, self._conversations.values()))

    def drop_session(self, session_id: str) -> None:
        """End a session (logout): its state is gone in every worker, its sockets here close.

        Other workers learn of it by a notice and call `close_session`; until then no call of
        theirs changes anything.
        """
        self.store.drop(owner_of(session_id))
        self.close_session(session_id)

    def move_session(self, session_id: str, successor: str) -> None:
        """End a session whose place another one takes (login): its state goes over.

        Nothing can be written for the old one any more, and what was signed for it is refused,
        so whoever knew its id has nothing of the new one.
        """
        self.store.move(owner_of(session_id), owner_of(successor))
        self.close_session(session_id)

    def close_session(self, session_id: str) -> None:
        """Ask the session's browsers on this worker to reload, and close them. Any thread."""
        for conversation in list(self._conversations.get(owner_of(session_id), ())):
            conversation.end("session")

    async def drain(self, seconds: float) -> bool:
        """Wait for the calls that run; whether all ended within `seconds`."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=seconds)
        return not self.tasks
