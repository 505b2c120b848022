"""`asok cache`: empties what the site keeps to be faster."""

from __future__ import annotations

import click

from asok.cli.group import CommandGroup, asok_command
from asok.cli.site import find_site, without_key

__all__ = ["cache"]

cache = CommandGroup(
    "cache",
    table={"clear": ("asok.cli.cache:clear", "Forget cached values and regenerated pages.")},
    help="Empty the site's caches.",
    epilog="asok cache clear\nasok cache clear --pages",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@asok_command("clear", example="asok cache clear\nasok cache clear --pages")
@click.option("--pages", "only", flag_value="pages", help="Only the regenerated pages.")
@click.option("--values", "only", flag_value="values", help="Only the cache (values, fragments).")
def clear(only: str | None) -> None:
    """Forget cached values and regenerated pages.

    The pages of the last build stay: they are the site. Workers that run notice it.
    """
    from asok.settings import Settings

    root = find_site()
    without_key()
    settings = Settings.load(root)
    if only != "pages":
        if settings.cache_backend == "memory":
            click.echo("values  each process has its own (ASOK_CACHE_BACKEND=memory): restart it")
        else:
            from asok.cache import Cache

            if settings.cache_backend == "redis":
                Cache(backend="redis", url=settings.redis_url).flush()
            else:
                Cache(backend="file", path=settings.cache_path).flush()
            click.echo(f"values  forgotten ({settings.cache_backend})")
    if only != "values":
        from asok import backends

        folder = settings.state_folder / "ssg_cache"
        if folder.is_dir():
            backends.pages(settings, folder).clear()
        click.echo("pages   back to those of the last build")
