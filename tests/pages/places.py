"""Where the stores of the contract live: a folder, or a Redis with a folder for the build."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import redis

from asok.pages import DiskStore, ReleaseDraft, StoredPage
from asok.pages.names import page_name
from asok.pages.redis_overlay import RedisOverlay
from asok.testing.stores.asking import eventually

__all__ = ["DiskPlace", "Place", "RedisPlace", "wait_for"]


def wait_for(ready: Callable[[], object], *, what: str) -> None:
    """Wait until others' writes were noticed."""
    eventually(lambda: bool(ready()), what=what)


class Place:
    """A folder with releases; `open` makes a store of one more worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "ssg_cache"
        self.stores: list[DiskStore] = []

    def open(self, **options: Any) -> DiskStore:
        """A store as another process has it, for the code `f1` where no other is named."""
        store = self.make({"fingerprint": "f1", **options})
        self.stores.append(store)
        return store

    def make(self, options: dict[str, Any]) -> DiskStore:
        return DiskStore(self.folder, **options)

    @property
    def source(self) -> str:
        """Python that makes `store` in another process."""
        return f"store = DiskStore(Path({str(self.folder)!r}), fingerprint='f1')\n"

    def spawn(self, program: str) -> subprocess.Popen[str]:
        """Run `program` in another process, where `store` and `stored` are known."""
        head = (
            "import os, sys, threading, time\nfrom pathlib import Path\n"
            "from asok.pages import DiskStore\nfrom tests.pages.store_contract import stored\n"
        )
        return subprocess.Popen(
            [sys.executable, "-c", head + self.source + dedent(program)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def build(self, *pages: StoredPage, fingerprint: str = "f1", now: float = 1000.0) -> None:
        """Publish a release of `pages`."""
        with ReleaseDraft(self.folder, fingerprint=fingerprint, now=now) as draft:
            for page in pages:
                draft.add_page(page)
            draft.publish()

    def damage(self, key: str, part: str, data: bytes) -> None:
        """Write `data` over the "record" or "body" of a stored page."""
        suffix = ".json" if part == "record" else ".html"
        (file,) = self.folder.glob(f"overlay/*/*listed/{page_name(key)}*{suffix}")
        file.write_bytes(data)

    def close(self) -> None:
        """End what the stores left running."""


class DiskPlace(Place):
    """The overlay is in the folder too."""


class RedisPlace(Place):
    """The overlay is in Redis, under a space of this test's own."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.url = url
        self.space = f"test:{uuid4().hex[:8]}"
        self.overlays: list[RedisOverlay] = []
        connect: Any = redis.Redis.from_url  # pyright: ignore[reportUnknownMemberType]
        self.client: Any = connect(url)

    def overlay(self, fingerprint: str = "f1", **options: Any) -> RedisOverlay:
        known: dict[str, Any] = {"max_pages": 10_000, "max_bytes": 2**28, "space": self.space}
        known.update(options)
        made = RedisOverlay(known.pop("url", self.url), fingerprint, **known)
        self.overlays.append(made)
        return made

    def make(self, options: dict[str, Any]) -> DiskStore:
        bounds = {name: options[name] for name in ("max_pages", "max_bytes") if name in options}
        overlay = self.overlay(options["fingerprint"], **bounds)
        return DiskStore(self.folder, overlay=overlay, inherited=overlay.inherited, **options)

    @property
    def source(self) -> str:
        return (
            "from asok.pages.redis_overlay import RedisOverlay\n"
            f"overlay = RedisOverlay({self.url!r}, 'f1', max_pages=1000, max_bytes=2**28,"
            f" space={self.space!r})\n"
            f"store = DiskStore(Path({str(self.folder)!r}), fingerprint='f1', overlay=overlay)\n"
        )

    def damage(self, key: str, part: str, data: bytes) -> None:
        name = f"{self.space}:f1:p:{page_name(key)}"
        self.client.hset(name, "r" if part == "record" else "b", data)

    def keys_like(self, pattern: str = "*") -> list[str]:
        """The keys of this place in Redis, without their space."""
        found: list[bytes] = self.client.keys(f"{self.space}:{pattern}")
        return sorted(key.decode()[len(self.space) + 1 :] for key in found)

    def close(self) -> None:
        for overlay in self.overlays:
            overlay.close()
        for key in self.client.keys(f"{self.space}:*"):
            self.client.delete(key)
        self.client.close()
