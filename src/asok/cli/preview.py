"""`asok preview`: serves the built site as in production."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from asok.cli.group import asok_command
from asok.cli.site import APPLICATION, find_site, import_site, production
from asok.errors import CommandError

__all__ = ["preview"]

#: Seconds for the requests under way after SIGTERM; systemd and Docker kill after 10 at least.
_GRACE = 8


@asok_command(
    "preview",
    example="asok preview\nasok preview --port 8080 --workers 4\n"
    "ASOK_PORT=8080 asok preview --host 0.0.0.0",
)
@click.option("-p", "--port", type=click.IntRange(0, 65_535), help="Default: ASOK_PORT, or 8000.")
@click.option("--host", help="Default: ASOK_HOST, or 127.0.0.1; 0.0.0.0 is every address.")
@click.option(
    "-w", "--workers", type=click.IntRange(1, 1024), help="Processes. Default: ASOK_WORKERS, or 1."
)
def preview(port: int | None, host: str | None, workers: int | None) -> None:
    """Serve the built site as in production.

    DEBUG is off whatever .env says. SIGTERM stops it gracefully: requests under way are
    answered, at the latest after eight seconds.
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from asok import backends
    from asok.cli.bounded_connection import BoundedConnection
    from asok.cli.dev.address import listen, url_host
    from asok.cli.live_socket import LiveSocket
    from asok.settings import Settings

    root = find_site()
    production()
    _refuse_unbuilt(root)
    settings = Settings.load(root)
    host = host or settings.host
    count = workers or settings.workers
    listener = listen(host, settings.port if port is None else port, command="asok preview")
    # Spawned workers read the same settings.
    os.environ["ASOK_ROOT"] = str(root)
    os.environ["ASOK_WORKERS"] = str(count)
    # Also with several workers: a site that can't be imported is said here, once.
    app = import_site(root)
    config = uvicorn.Config(
        app if count == 1 else APPLICATION,
        workers=count,
        http=BoundedConnection,
        ws=LiveSocket,
        # What is larger than a live frame is told so by the conversation; compression contexts
        # cost 64 KiB a socket.
        ws_max_size=2 * int(backends.live_limits(settings).frame_bytes),
        ws_per_message_deflate=False,
        forwarded_allow_ips=list(settings.trusted_proxies) or "127.0.0.1",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    address = f"http://{url_host(host)}:{listener.getsockname()[1]}/"
    processes = "1 process" if count == 1 else f"{count} processes"
    click.echo(f"{root.name} is served at {click.style(address, fg='cyan')} by {processes}")
    sys.stdout.flush()
    if count == 1:
        uvicorn.Server(config).run([listener])
    else:
        Multiprocess(config, sockets=[listener]).run()


def _refuse_unbuilt(root: Path) -> None:
    built = root / ".asok" / "ssg_cache" / "current"
    if not built.is_file():
        raise CommandError(
            "this site isn't built yet, so there is nothing to preview.",
            fix="Run `asok build` first, or `asok dev` to work on it.",
            file=built,
        )
