"""The paths of a site that are no pages: sockets, fragments, the webhook, public files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp

from asok.asgi.fragments import FRAGMENTS_PATH, FragmentsDoor
from asok.asgi.live_door import LIVE_PATH, LiveDoor
from asok.asgi.parts import Parts
from asok.asgi.public_files import development_doors, public_doors
from asok.asgi.webhook import WEBHOOK_PATH, Webhook, WebhookKey
from asok.assets import Assets
from asok.live import Live
from asok.pages import DiskStore, OnDemand

__all__ = ["Doors", "make_doors"]


@dataclass(frozen=True, slots=True)
class Doors:
    """`paths` are applications for one path below the mount each; `live` is that of sockets."""

    paths: Mapping[str, ASGIApp]
    live: LiveDoor


def make_doors(
    parts: Parts,
    *,
    live: Live,
    assets: Assets,
    store: DiskStore | None,
    on_demand: OnDemand,
    webhook_secret: str,
    begin: Callable[[], None],
) -> Doors:
    """Return the doors of a site.

    `store` is None while developing. There is a webhook where it has a secret. `begin` is
    called before the first socket.
    """
    door = LiveDoor(live, parts, begin=begin)
    paths: dict[str, ASGIApp] = {}
    if store is None:
        paths.update(development_doors(assets, parts.router))
    elif store.release is not None:
        paths.update(public_doors(store.release.folder / "public"))
    if webhook_secret:
        paths[WEBHOOK_PATH] = Webhook(WebhookKey(webhook_secret), on_demand)
    paths[LIVE_PATH] = door
    paths[FRAGMENTS_PATH] = FragmentsDoor(live, parts)
    return Doors(paths, door)
