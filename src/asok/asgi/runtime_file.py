"""The scripts of live components under their content-hashed URLs; they answer like assets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from asok.assets import Header, Plan, Resource, Variant, respond
from asok.live import defer_bytes, defer_name, runtime_bytes, runtime_name

__all__ = ["RuntimeFile"]

_PREFIX = "/asok"
_SCRIPT = re.compile(r"/asok/(alive|defer)-[0-9a-f]{12}\.js")


class RuntimeFile:
    """The Alive runtime, at `url_path`, and the script of deferred components, at `defer_path`."""

    prefix = _PREFIX

    def __init__(self) -> None:
        self.url_path = f"{_PREFIX}/{runtime_name()}"
        self.defer_path = f"{_PREFIX}/{defer_name()}"
        self._scripts = {
            "alive": (self.url_path, _resource(runtime_name(), runtime_bytes())),
            "defer": (self.defer_path, _resource(defer_name(), defer_bytes())),
        }

    def plan(self, method: str, path: str, query: str, headers: Iterable[Header]) -> Plan | None:
        """Return the answer to a request for a script, None for another path.

        The URL of another version gives this one, to be asked for again: a page that was
        stored before an upgrade comes alive with the runtime that there is.
        """
        found = _SCRIPT.fullmatch(path)
        if found is None:
            return None
        url, resource = self._scripts[found[1]]
        if path != url:
            resource = replace(resource, cache_control="no-cache")
        return respond(resource, method, headers)


def _resource(name: str, body: bytes) -> Resource:
    tag = name.partition("-")[2].removesuffix(".js")
    return Resource(
        "text/javascript; charset=utf-8",
        (Variant("identity", f'"{tag}"', len(body), body),),
        "public, max-age=31536000, immutable",
    )
