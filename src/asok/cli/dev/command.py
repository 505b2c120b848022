"""`asok dev`: the development server."""

from __future__ import annotations

import os
from pathlib import Path

import click

from asok.cli.group import asok_command
from asok.cli.site import find_site

__all__ = ["dev"]


@asok_command("dev", example="asok dev\nasok dev --port 3000 --host 0.0.0.0")
@click.option("-p", "--port", type=click.IntRange(0, 65_535), help="Default: ASOK_PORT, or 8000.")
@click.option("--host", help="Default: ASOK_HOST, or 127.0.0.1; 0.0.0.0 shows it to others.")
def dev(port: int | None, host: str | None) -> None:
    """Serve the site while you work on it.

    A changed template or stylesheet appears in the browser at once, changed Python code in
    a new process. An error is shown where you look: in the browser, at your own line.
    """
    from importlib.metadata import version

    from asok.cli.dev.address import listen
    from asok.cli.dev.announce import Announcer
    from asok.cli.dev.supervisor import Supervisor

    root = find_site()
    if host is None or port is None:
        configured = _configured(root)
        host = host or configured[0]
        port = configured[1] if port is None else port
    listener = listen(host, port)
    announcer = Announcer(root.name, version("asok"), host, listener.getsockname()[1])
    environment = {**os.environ, "DEBUG": "true", "ASOK_ENV": "development", "ASOK_ROOT": str(root)}
    Supervisor(root, listener, announcer, environment).run()


def _configured(root: Path) -> tuple[str, int]:
    """The host and port that the site's settings name."""
    from asok.errors import ConfigurationError
    from asok.settings import Settings

    try:
        settings = Settings.load(root, debug=True)
    except ConfigurationError:
        # The serving process meets the same error and shows it in the browser.
        return "127.0.0.1", 8000
    return settings.host, settings.port
