"""`asok cache`: shows and empties what the site keeps to be faster."""

from __future__ import annotations

from collections.abc import Sequence

import click

from asok.cli.group import CommandGroup, asok_command
from asok.cli.site import find_site, without_key

__all__ = ["cache"]

cache = CommandGroup(
    "cache",
    table={
        "stats": ("asok.cli.cached:stats", "Show how much is stored, and how often it was of use."),
        "get": ("asok.cli.cached:get", "Show the value of KEY."),
        "forget": ("asok.cli.cached:forget", "Forget the values of some keys."),
        "clear": ("asok.cli.cache:clear", "Forget cached values and regenerated pages."),
    },
    help="Show and empty the site's caches.",
    epilog="asok cache stats\nasok cache get api_data\nasok cache clear --tag posts",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@asok_command(
    "clear",
    example="asok cache clear\nasok cache clear --tag posts\nasok cache clear --pages",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only values that carry TAG.")
@click.option("--pages", "only", flag_value="pages", help="Only the regenerated pages.")
@click.option("--values", "only", flag_value="values", help="Only the cache (values, fragments).")
def clear(only: str | None, tags: Sequence[str]) -> None:
    """Forget cached values and regenerated pages.

    The pages of the last build stay: they are the site. Workers that run notice it, also where
    each of them has a cache of its own (ASOK_CACHE_BACKEND=memory). --tag may
    be given several times; the pages that carry a tag are the matter of `asok revalidate`.
    """
    from asok.settings import Settings

    if tags and only == "pages":
        raise click.UsageError(
            "--tag is about cached values. For pages: asok revalidate --tag " + tags[0]
        )
    root = find_site()
    without_key()
    settings = Settings.load(root)
    if only != "pages":
        from asok.cli.cached import purging

        store = purging(settings)
        which = f"those tagged {', '.join(tags)} forgotten" if tags else "forgotten"
        if tags:
            from asok.cache.tags import check_tags, flush_tags

            flush_tags(store, check_tags(tags))
        else:
            store.clear()
        click.echo(f"values  {which} ({settings.cache_backend})")
    if tags:
        return
    if only != "values":
        from asok import backends

        folder = settings.state_folder / "ssg_cache"
        if folder.is_dir():
            backends.pages(settings, folder).clear()
        click.echo("pages   back to those of the last build")
