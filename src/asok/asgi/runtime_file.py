"""The scripts of live components under their content-hashed URLs; they answer like assets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from asok.assets import Header, Plan, Resource, Variant, respond
from asok.live import SCRIPTS, script_bytes, script_name

__all__ = ["RuntimeFile"]

_PREFIX = "/asok"
_SCRIPT = re.compile(rf"/asok/({'|'.join(SCRIPTS)})-[0-9a-f]{{12}}\.js")


class RuntimeFile:
    """The Alive runtime, at `url_path`, and the scripts of components that are rendered later, at
    `defer_path`, or that live later, at `later_path`; and what these import."""

    prefix = _PREFIX

    def __init__(self) -> None:
        self._scripts = {
            script: (
                f"{_PREFIX}/{script_name(script)}",
                _resource(script_name(script), script_bytes(script)),
            )
            for script in SCRIPTS
        }
        self._current = dict(self._scripts.values())
        self.url_path = self._scripts["alive"][0]
        self.defer_path = self._scripts["defer"][0]
        self.later_path = self._scripts["later"][0]

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

    def ready(self, path: str, headers: Mapping[bytes, bytes]) -> Plan | None:
        """Return the 200 that a GET got before, None where `plan` is to be asked."""
        resource = self._current.get(path)
        return None if resource is None else resource.ready(headers)


def _resource(name: str, body: bytes) -> Resource:
    tag = name.partition("-")[2].removesuffix(".js")
    return Resource(
        "text/javascript; charset=utf-8",
        (Variant("identity", f'"{tag}"', len(body), body),),
        "public, max-age=31536000, immutable",
    )
