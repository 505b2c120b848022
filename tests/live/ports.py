"""An application of live components made of ports: no framework, no template engine."""

from __future__ import annotations

import html
import os
import re
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

from asok.live import (
    Component,
    Limits,
    Live,
    LiveStore,
    MemoryLiveStore,
    Registry,
)
from asok.signing import Keys

NAMES = ("client", "cid", "slot", "lazy")
KEYS = Keys(["a-secret-key-of-at-least-32-characters"])


class FakeSession(MutableMapping[str, Any]):
    """A session; the data of every id is in one shared dictionary."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.modified = False
        self.saves = 0

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def save(self) -> None:
        self.saves += 1
        self.modified = False


class Templates:
    """A template engine of one rule: `{{ name.attribute }}` is replaced and escaped."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources

    def __call__(self, name: str, context: Any, *, page_dir: Path | None = None) -> str:
        def value(found: re.Match[str]) -> str:
            head, *rest = found[1].split(".")
            result: Any = context[head]
            for part in rest:
                result = getattr(result, part)
            if callable(result):
                result = result()
            if hasattr(result, "__html__"):
                return str(result.__html__())
            return html.escape(str(result))

        return re.sub(r"{{ *([\w.]+) *}}", value, self.sources[name])


class Site:
    """An application of components: `Site().live`."""

    def __init__(self, *classes: type[Component], **options: Any) -> None:
        self.registry = Registry()
        for cls in classes:
            self.registry.register(cls)
        self.sessions: dict[str, FakeSession] = {}
        self.templates = Templates(options.pop("templates", {}))
        settings: dict[str, Any] = {
            "keys": KEYS,
            "store": MemoryLiveStore(),
            "limits": Limits(messages_per_second=1e6),
            "runtime_url": "/asok/alive-0.js",
            **options,
        }
        self.live = Live(
            self.registry,
            render_template=self.templates,
            open_session=self.session,
            **settings,
        )

    def session(self, session_id: str) -> FakeSession:
        return self.sessions.setdefault(session_id, FakeSession({}))

    def page(
        self, name: str, *, path: str = "/", session_id: str | None = None, frozen: bool = False,
        **options: Any,
    ) -> str:  # fmt: skip
        """Render a page of one component."""
        props = {k: v for k, v in options.items() if k not in NAMES}
        rest = {k: v for k, v in options.items() if k in NAMES}
        return self.live.render(
            name, page=path, session_id=session_id, frozen=frozen, props=props, **rest
        )


def in_fork(work: Callable[[], bool]) -> bool:
    """Run `work` in a forked process and return what it returned; False where it raised."""
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads, which is what preloading servers do.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


StoreMaker = Callable[..., LiveStore]
