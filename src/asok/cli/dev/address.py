"""The address that is listened on: bound once, with a clear word where it is taken."""

from __future__ import annotations

import errno
import socket
from typing import Final

from asok.errors import CommandError

__all__ = ["free_port_after", "listen", "network_host", "url_host"]

_BACKLOG: Final = 512
_TRIED: Final = 100


def listen(host: str, port: int, *, command: str = "asok dev") -> socket.socket:
    """Return a socket that listens on `host` and `port` (0 takes any free one).

    Raises `CommandError` where the port is taken, naming the next free one, and for a host
    that isn't this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            free = free_port_after(host, port)
            fix = f"Try: {command} --port {free}" if free else "Choose another one with --port."
            raise CommandError(f"port {port} of {host} is taken.", fix=fix) from error
        if error.errno == errno.EACCES:
            raise CommandError(
                f"port {port} needs more rights than you have.",
                fix=f"Take one above 1023: {command} --port 8000",
            ) from error
        raise CommandError(
            f"{host} is no address of this machine ({error.strerror}).",
            fix=f"Try: {command} --host 127.0.0.1, or 0.0.0.0 for every address.",
        ) from error
    sock.set_inheritable(True)
    return sock


def free_port_after(host: str, port: int) -> int | None:
    """Return the next port after `port` that can be bound on `host`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port + 1, min(port + 1 + _TRIED, 65_536)):
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            try:
                sock.bind((host, candidate))
            except OSError:
                continue
            return candidate
    return None


def network_host() -> str | None:
    """Return the address by which others on the network reach this machine, if there is one.

    Connecting a datagram socket sends nothing: it only asks the system which of its
    addresses it would use (203.0.113.0/24 is reserved for documentation, RFC 5737).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("203.0.113.1", 9))
        except OSError:
            return None
        address: str = sock.getsockname()[0]
    return None if address.startswith("127.") else address


def url_host(host: str) -> str:
    """Return `host` as it is written in a URL (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host
