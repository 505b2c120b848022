"""The table of commands, which is also the order of the help."""

from __future__ import annotations

from typing import Final

import click

from asok.cli.group import CommandGroup

__all__ = ["COMMANDS", "asok"]

#: Name -> (where the command is, its line in the help). Nothing of this is imported for
#: `asok --help`; a test holds each line equal to the first sentence of the command's own help.
COMMANDS: Final = {
    "create": ("asok.cli.create:create", "Start a new site in a new folder."),
    "dev": ("asok.cli.dev.command:dev", "Serve the site while you work on it."),
    "build": ("asok.cli.build:build", "Build the site for production."),
    "export": ("asok.cli.export:export", "Write the site as plain files for a static host."),
    "preview": ("asok.cli.preview:preview", "Serve the built site as in production."),
    "routes": ("asok.cli.routes:routes", "List the pages of the site and how each is made."),
    "pages": ("asok.cli.pages:pages", "List the stored pages, with the state of each and why."),
    "revalidate": ("asok.cli.revalidate:revalidate", "Have pages rendered anew."),
    "make": ("asok.cli.make:make", "Write a page, component, model or migration."),
    "migrate": ("asok.cli.migrate:migrate", "Bring the database to the newest migration."),
    "cache": ("asok.cli.cache:cache", "Show and empty the site's caches."),
}


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        # importlib.metadata costs 20 ms of an `asok --help`.
        from importlib.metadata import version

        click.echo(f"asok {version('asok')}")
        ctx.exit()


asok = CommandGroup(
    "asok",
    table=COMMANDS,
    help="Make sites that are static until they need to be alive.",
    epilog="asok create my-site\nasok COMMAND --help",
    context_settings={"help_option_names": ["-h", "--help"]},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version and exit.",
        )
    ],
)
