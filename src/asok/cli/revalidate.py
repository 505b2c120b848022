"""`asok revalidate`: has pages rendered anew, in the workers that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asok.cli.group import asok_command
from asok.cli.site import import_stored_site
from asok.errors import CommandError

if TYPE_CHECKING:
    from asok.pages import OnDemand, Target

__all__ = ["revalidate"]


@asok_command(
    "revalidate",
    example="asok revalidate /blog/first\n"
    "asok revalidate '/blog/[slug]'\n"
    "asok revalidate --tag posts --block",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Every page with this tag.")
@click.option("--block", is_flag=True, help="Let the next visitor wait for the new page.")
def revalidate(paths: tuple[str, ...], tags: tuple[str, ...], block: bool) -> None:
    """Have pages rendered anew.

    PATH is the path of a page, its address, or a pattern as `asok routes` lists them, for all
    its pages. Workers that run notice within a second. Until the new page is made, the old one
    is served, unless --block is given.
    """
    if not paths and not tags:
        raise click.UsageError("there is nothing to revalidate: give a PATH, or --tag TAG.")
    on_demand = import_stored_site().on_demand
    # All of them are looked up before any is invalidated: a typing error changes nothing.
    targets = [on_demand.resolve(path) for path in paths]
    names = tuple(map(on_demand.check_tag, tags))
    _carry_out(on_demand, targets, names, block)


def _carry_out(
    on_demand: OnDemand, targets: list[Target], tags: tuple[str, ...], block: bool
) -> None:
    told = True
    for target in targets:
        told = on_demand.invalidate(target, block=block) and told
        kind = "path" if target.path is not None else "pattern"
        click.echo(f"{kind:<8} {click.style(target.name, fg='cyan')}")
    told = on_demand.revalidate_tags(tags, block=block) and told
    for tag in tags:
        click.echo(f"{'tag':<8} {click.style(tag, fg='cyan')}")
    if not told:
        raise CommandError(
            "the store of pages could not be written, so the workers do not know of it.",
            fix="See the line above, and run this command again when that is mended.",
        )
    click.echo(
        "The next visitor waits for the new page."
        if block
        else "The old page is served while the new one is made."
    )
