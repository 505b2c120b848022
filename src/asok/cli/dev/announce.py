"""What the development server says in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from asok.cli.dev.address import network_host, url_host
from asok.cli.dev.changes import Effect

__all__ = ["Announcer"]

_WORDS = {
    Effect.STYLE: "swapped",
    Effect.RELOAD: "reloaded",
    Effect.RESTART: "restarting",
}
_SHOWN = 3


class Announcer:
    """Writes to the terminal; `write` takes one line.

    `host` and `port` are what is listened on, `site` is the site's name.
    """

    def __init__(
        self,
        site: str,
        version: str,
        host: str,
        port: int,
        write: Callable[[str], object] = click.echo,
    ) -> None:
        self.site = site
        self.version = version
        self.host = host
        self.port = port
        self._write = write

    @property
    def local(self) -> str:
        """The address to open on this machine."""
        every = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
        return f"http://{every.get(self.host, url_host(self.host))}:{self.port}/"

    @property
    def network(self) -> str | None:
        """The address to open on another machine, where we listen for them."""
        if self.host in ("127.0.0.1", "localhost", "::1"):
            return None
        host = network_host() if self.host in ("0.0.0.0", "::") else url_host(self.host)  # noqa: S104
        return f"http://{host}:{self.port}/" if host else None

    def ready(self, number: int, milliseconds: float, info: dict[str, Any]) -> None:
        """A generation serves: the whole banner for the first one, a line for the others.

        `info` is what the child said: `pages` (a number), a `note` or None, and `error` (its
        lines) where the site can't be imported.
        """
        error: str | None = info.get("error")
        took = f"{milliseconds:.0f} ms"
        if number == 1:
            self._banner(took, info)
        elif error is None:
            self._line(click.style("ready", fg="green"), f"in {took}")
        if error is not None:
            first, *rest = error.splitlines()
            self._write(f"\n  {click.style(first, fg='red')}")
            for line in rest:
                self._write(f"  {line}")
            self._write(click.style("\n  Fix it and save: the browser follows.\n", dim=True))

    def _banner(self, took: str, info: dict[str, Any]) -> None:
        network = self.network
        quiet = click.style("asok dev --host 0.0.0.0 shows it to others", dim=True)
        pages: int = info.get("pages", 0)
        counted = "1 page" if pages == 1 else f"{pages} pages"
        self._write("")
        self._write(
            f"  {click.style('Asok', bold=True)} {self.version}  "
            + click.style(self.site, fg="cyan")
        )
        self._write("")
        self._write(f"  Local    {click.style(self.local, fg='cyan', underline=True)}")
        shown = click.style(network, fg="cyan", underline=True) if network else quiet
        self._write(f"  Network  {shown}")
        self._write("")
        if info.get("error") is None:
            self._write(f"  {counted}, ready in {click.style(took, bold=True)}")
        if info.get("note") is not None:
            self._write(f"  {info['note']}")
        self._write(click.style("  Ctrl-C stops it.\n", dim=True))

    def changed(self, paths: Sequence[str], effect: Effect) -> None:
        """Files changed."""
        shown = ", ".join(paths[:_SHOWN])
        if len(paths) > _SHOWN:
            shown += f" and {len(paths) - _SHOWN} more"
        self._line(click.style(_WORDS[effect], fg="yellow"), shown)

    def note(self, sentence: str) -> None:
        """Something that the user should know."""
        self._line(click.style("note", fg="yellow"), sentence)

    def died(self, sentence: str) -> None:
        """A process ended that should not have."""
        self._line(click.style("ended", fg="red"), sentence)

    def _line(self, word: str, text: str) -> None:
        self._write(f"  {word}  {click.style(text, dim=True)}")
