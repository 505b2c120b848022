"""The Host header: well formed, and one of ours (DNS rebinding, cache poisoning)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

__all__ = ["HostCheck"]

# RFC 9110, 7.2 and RFC 3986, 3.2.2: a name or an address, and a port.
_FORM = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}))(?::\d{1,5})?")
_REMEMBERED = 1024


class HostCheck:
    """Says whether a request's Host is acceptable.

    `allowed` holds `example.org`, `.example.org` (with its subdomains) or `*`; an empty one
    accepts every well-formed host, which is safe here because no page and no URL is made
    from it. With `addresses` every IP address is accepted too: rebinding needs a name.
    Answers are remembered for a bounded number of hosts.
    """

    def __init__(self, allowed: Sequence[str] = (), *, addresses: bool = False) -> None:
        self.allowed = tuple(item.lower() for item in allowed)
        self.addresses = addresses
        self._known: dict[bytes | None, bool] = {}
        #: Whether a value of the header was found good before: one look into a dictionary.
        self.known: Callable[[bytes | None], bool | None] = self._known.get

    def of(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """Return the single Host header's value, or None where it is missing, doubled or bad."""
        found: bytes | None = None
        for name, value in headers:
            if name == b"host":
                if found is not None:
                    return None
                found = value
        if found is None:
            return None
        good = self._known.get(found)
        if good is None:
            good = self._check(found)
            if len(self._known) < _REMEMBERED:
                self._known[found] = good
        return found if good else None

    def _check(self, host: bytes) -> bool:
        match = _FORM.fullmatch(host)
        if match is None:
            return False
        name = match[1].decode("ascii").lower().rstrip(".")
        if not self.allowed or "*" in self.allowed:
            return True
        if self.addresses and _is_address(name):
            return True
        return any(
            name == item.lstrip("*").lstrip(".")
            or (item.startswith((".", "*.")) and name.endswith("." + item.lstrip("*.")))
            for item in self.allowed
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
