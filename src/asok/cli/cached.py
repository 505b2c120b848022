"""`asok cache stats`, `get` and `forget`: looking into the store that the workers share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pprint import pformat
from typing import TYPE_CHECKING

import click

from asok.cli.group import asok_command
from asok.cli.site import find_site, without_key
from asok.errors import CommandError

if TYPE_CHECKING:
    from asok.cache import Cache
    from asok.cache.api import Store
    from asok.settings import Settings

__all__ = ["forget", "get", "purging", "shared_store", "stats"]


def shared_store(settings: Settings) -> Store:
    """The store of the site's cache, whose troubles are errors here and no misses.

    Raises `CommandError` where each process has a cache of its own.
    """
    return _shared(settings).store


def _shared(settings: Settings) -> Cache:
    from asok import backends

    if settings.cache_backend == "memory":
        raise CommandError(
            "each process has a cache of its own (ASOK_CACHE_BACKEND=memory), which no other "
            "can look into.",
            fix="Set ASOK_CACHE_BACKEND=file or redis. `asok cache clear` and `forget` work.",
        )
    return backends.cache(settings)


def purging(settings: Settings) -> Store:
    """The store of the site's cache, for removing: where each worker has its own, they all hear."""
    from asok import backends

    store = backends.cache(settings).store
    if settings.cache_backend == "memory":
        from asok.cache.purges import share_purges

        share_purges(store, backends.notices(settings))
    return store


def _settings() -> Settings:
    from asok.settings import Settings

    root = find_site()
    without_key()
    return Settings.load(root)


@asok_command("stats", example="asok cache stats\nasok cache stats --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")
def stats(as_json: bool) -> None:
    """Show how much is stored, and how often it was of use.

    The counts are those of all workers since the cache was last cleared; each tells the store
    every two seconds.
    """
    settings = _settings()
    cache = _shared(settings)
    usage, counts = cache.store.usage(), cache.totals()
    if as_json:
        found = {"backend": settings.cache_backend, **usage._asdict(), **counts}
        click.echo(json.dumps(found, indent=2))
        return
    where = settings.redis_url.rpartition("@")[2]
    if settings.cache_backend == "file":
        where = str(settings.cache_path)
    asked = counts["hits"] + counts["stale"] + counts["misses"]
    useful = counts["hits"] + counts["stale"]
    answered = "nothing was asked yet"
    if asked:
        answered = (
            f"{useful:,} of {asked:,} from the cache ({100 * useful // asked} %), "
            f"{counts['stale']:,} of them stale"
        )
    lines = {
        "store": f"{settings.cache_backend}, {where}",
        "entries": f"{usage.entries:,} ({_size(usage.bytes)})",
        "answered": answered,
        "computed": f"{counts['computations']:,}",
        "errors": f"{counts['errors']:,}",
    }
    for name, text in lines.items():
        shown = click.style(text, fg="red") if name == "errors" and counts["errors"] else text
        click.echo(f"{click.style(name.ljust(9), dim=True)} {shown}")


def _size(number: float) -> str:
    for unit in ("B", "KB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


@asok_command("get", example="asok cache get api_data\nasok cache get api_data --json")
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print the value as it is stored: JSON.")
def get(key: str, as_json: bool) -> None:
    """Show the value of KEY.

    Exits with 1 where there is none. KEY is the one that the program used; fragments of
    templates and whole pages have keys of their own.
    """
    from asok.cache.api import check_key
    from asok.cache.tags import tags_hold
    from asok.cache.values import dumps

    check_key(key)
    store = shared_store(_settings())
    entry = store.get(key)
    if entry is None:
        raise CommandError(
            f"nothing is cached under {key!r}.",
            fix="Keys are those of values; fragments, pages and queries have others. Forget "
            "them by a tag: asok cache clear --tag posts.",
        )
    if not all(tags_hold(store, entry.tags)):
        raise CommandError(f"what was cached under {key!r} was forgotten by one of its tags.")
    if not entry.fresh:
        click.secho(f"stale for {entry.late:.0f} s", fg="yellow", err=True)
    value = entry.take()
    if as_json:
        click.echo(dumps(value).decode())
    else:
        click.echo(value if isinstance(value, str) else pformat(value, sort_dicts=False))


@asok_command("forget", example="asok cache forget api_data weather")
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
def forget(keys: Sequence[str]) -> None:
    """Forget the values of some keys.

    Those that are being computed right now will not be stored. Workers that have a cache of
    their own (ASOK_CACHE_BACKEND=memory) hear of it within half a second.
    """
    from asok.cache.api import check_key

    for key in keys:
        check_key(key)
    settings = _settings()
    store = purging(settings)
    for key in keys:
        # What the workers have in their memories nobody else knows.
        was_there = store.delete(key) or settings.cache_backend == "memory"
        click.echo(f"{key}  {'forgotten' if was_there else 'was not there'}")
