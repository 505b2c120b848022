"""One generation: imports the site and serves it until the supervisor retires it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import uvicorn

from asok import observing
from asok.cli.dev.application import DevelopmentApplication
from asok.cli.dev.browsers import Browsers
from asok.cli.dev.changes import Effect
from asok.cli.dev.channel import Lines, encode
from asok.cli.dev.faults import read_faults, summary
from asok.cli.dev.first_database import make_missing, pending_note
from asok.cli.dev.frames import FrameReader
from asok.cli.dev.logs import shown_logs
from asok.cli.dev.masking import Masker
from asok.cli.dev.panel.facts import Facts
from asok.cli.dev.panel.panel import Panel
from asok.cli.site import import_site
from asok.errors import AsokError

if TYPE_CHECKING:
    from asok.app import Asok

__all__ = ["Child", "serve"]

log = logging.getLogger("asok.dev")

#: Seconds that requests under way may take once a newer generation serves.
_GRACE: Final = 3


def serve(root: Path, listener: socket.socket, channel: socket.socket, generation: int) -> None:
    """Import the site at `root` and serve it on `listener` until `channel` says to stop."""
    app: Asok | None = None
    failure: BaseException | None = None
    note: str | None = None
    observing.begin()
    try:
        app = import_site(root)
        note = make_missing(app)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001
        # Whatever the site raises, `sys.exit()` too, is shown in the browser.
        app, failure = None, error if isinstance(error, Exception) else _wrapped(error)
    Child(root, app, failure, generation, note).run(listener, channel)


def _wrapped(error: BaseException) -> Exception:
    wrapped = RuntimeError(f"wsgi.py ended the process: {type(error).__name__}({error})")
    wrapped.__cause__ = error
    return wrapped


class Server(uvicorn.Server):
    """Calls `on_started` when it accepts connections; `leave` sends them to its successor."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def leave(self) -> None:
        """Stop accepting, close sockets (1012) and idle connections, answer what is under way."""
        for server in self.servers:
            server.close()
        # Now and not at the server's next tick: a browser would ask for its new page on a
        # connection that is kept open to this old process.
        for connection in list(self.server_state.connections):
            connection.shutdown()
        self.should_exit = True


class Child:
    """The process of one generation; `failure` says why there is no `app`.

    `note` is a line for the terminal about what was done before it started.
    """

    def __init__(
        self,
        root: Path,
        app: Asok | None,
        failure: BaseException | None,
        generation: int,
        note: str | None = None,
    ) -> None:
        self.app = app
        self.note = note
        self.browsers = Browsers(generation)
        secrets = app.settings.secret_keys if app is not None else ()
        masker = Masker(secrets)
        self.reader = FrameReader(root, masker)
        facts = Facts(app, root) if app is not None else None
        self.application = DevelopmentApplication(
            app,
            failure,
            root=root,
            reader=self.reader,
            browsers=self.browsers,
            panel=Panel(self.browsers, masker, facts),
            report=report,
        )

    def run(self, listener: socket.socket, channel: socket.socket) -> None:
        """Serve until the channel says "retire", or ends because the supervisor is gone."""
        config = uvicorn.Config(
            self.application,
            http="httptools",
            ws="websockets-sansio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve(config, listener, channel))

    async def _serve(
        self, config: uvicorn.Config, listener: socket.socket, channel: socket.socket
    ) -> None:
        loop = asyncio.get_running_loop()
        channel.setblocking(False)
        server = Server(config, lambda: channel.send(encode(["ready", self._info()])))
        tasks = [asyncio.create_task(self._listen(channel, server))]
        if self.browsers.generation == 1 and self.app is not None:
            tasks.append(asyncio.create_task(self._look_for_pending(channel, self.app)))
        with shown_logs(
            lambda error: loop.call_soon_threadsafe(self.application.keep, error),
            lambda error: summary(read_faults(error, self.reader)),
        ):
            try:
                await server.serve([listener])
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _info(self) -> dict[str, Any]:
        failure = self.application.failure
        return {
            "pages": len(self.app.router.routes) if self.app is not None else 0,
            "note": self.note,
            "error": summary(read_faults(failure, self.reader)) if failure else None,
        }

    async def _listen(self, channel: socket.socket, server: Server) -> None:
        loop = asyncio.get_running_loop()
        lines = Lines()
        while data := await loop.sock_recv(channel, 65_536):
            for message in lines.feed(data):
                if message[0] == "changed":
                    self._changed(Effect[message[1]])
                elif message[0] == "retire":
                    break
            else:
                continue
            break
        server.leave()

    async def _look_for_pending(self, channel: socket.socket, app: Asok) -> None:
        """Say once which migrations are missing; it takes a moment, so nobody waits for it."""
        try:
            note = await asyncio.to_thread(pending_note, app)
        except AsokError as error:
            note = str(error)
        if note is not None:
            await asyncio.get_running_loop().sock_sendall(channel, encode(["note", note]))

    def _changed(self, effect: Effect) -> None:
        if effect is Effect.STYLE:
            self.browsers.styles_changed()
        else:
            if self.app is not None:
                self.app.templates.invalidate()
            self.browsers.pages_changed()


def report(method: str, path: str, status: int, milliseconds: float, error: str) -> None:
    """Write a line for an answer; answers of files are left out unless they failed."""
    if status < 400 and path.startswith(("/static/", "/asok/")):
        return
    colour = "red" if status >= 500 else "yellow" if status >= 400 else "green"
    line = f"  {click.style(str(status), fg=colour)}  {method:<5} {path}"
    click.echo(line + click.style(f"  {milliseconds:.0f} ms", dim=True))
    for text in error.splitlines():
        click.echo(f"       {click.style(text, fg='red')}")
