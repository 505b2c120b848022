"""Variables of the environment read as typed values; what is wrong with them is collected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from asok.sizes import parse_size

__all__ = ["Variables", "host_problem", "normal_origin", "origin_problem"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_NO_ORIGIN = "is no origin; write https://example.org, without a path."
_HOST = re.compile(r"(\*|(\*?\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])", re.IGNORECASE)


class Variables:
    """Reads `values`; a relative path is one below `root`. `problems` says what is wrong."""

    def __init__(self, root: Path, values: Mapping[str, str]) -> None:
        self.root = root
        self.values = values
        self.problems: list[str] = []
        self.names: set[str] = set()

    def text(self, name: str, default: str) -> str:
        self.names.add(name)
        return self.values.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value not in _TRUE | _FALSE:
            self.problems.append(f"{name}={value!r} is no truth value; use true or false.")
        return value in _TRUE

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in allowed:
            near = difflib.get_close_matches(value, allowed, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            self.problems.append(f"{name}={value!r} is none of {', '.join(allowed)}.{hint}")
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"-?\d{1,12}", value) or not least <= int(value) <= most:
            self.problems.append(f"{name}={value!r} is no whole number from {least} to {most}.")
            return default
        return int(value)

    def number(self, name: str) -> float | None:
        value = self.text(name, "")
        if not value:
            return None
        if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value) or not float(value) > 0:
            self.problems.append(f"{name}={value!r} is no number above 0.")
            return None
        return float(value) if "." in value else int(value)

    def size(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        size = parse_size(value)
        if size is None:
            self.problems.append(f"{name}={value!r} is no size; use bytes, or 10MB, 512KB.")
            return default
        return size

    def path(self, name: str, default: str) -> Path:
        return self.root / self.text(name, default)

    def url(self, names: tuple[str, ...], default: str, schemes: tuple[str, ...]) -> str:
        values = [(name, self.text(name, "")) for name in names]
        name, value = next(((n, v) for n, v in values if v), (names[0], default))
        if value:
            parts = _split(value)
            # Redis may be a file: unix:///run/redis.sock
            whole = parts and (parts.netloc or (parts.path and "http" not in schemes))
            if not parts or not whole or parts.scheme not in schemes:
                wanted = " or ".join(f"{scheme}://" for scheme in schemes)
                self.problems.append(f"{name}={value!r} is no URL that begins with {wanted}.")
        return value

    def items(
        self, name: str, problem: Callable[[str], str | None] = lambda _: None
    ) -> tuple[str, ...]:
        found = tuple(part.strip() for part in self.text(name, "").split(",") if part.strip())
        for item in found:
            if (why := problem(item)) is not None:
                self.problems.append(f"{name}: {item!r} {why}")
        return found

    def misspelt(self) -> None:
        """A variable with our prefix that nobody reads is a spelling mistake."""
        known = self.names | {"ASOK_ROOT"}
        for name in self.values:
            if name.startswith("ASOK_") and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                self.problems.append(f"{name} is no setting of Asok.{hint}")


def host_problem(item: str) -> str | None:
    """Say what is wrong with a host of ALLOWED_HOSTS, or None."""
    if _HOST.fullmatch(item):
        return None
    return "is no host name; write example.org, .example.org (with subdomains) or *."


def origin_problem(item: str) -> str | None:
    """Say what is wrong with an origin, or None."""
    parts = _split(item)
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        return _NO_ORIGIN
    return _NO_ORIGIN if parts.path.strip("/") or parts.query or parts.fragment else None


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None for one with an impossible host or port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def normal_origin(origin: str) -> str:
    """An origin in lower case, without a path and without its scheme's own port (RFC 6454, 6)."""
    text = origin.lower().rstrip("/")
    own = {"http": ":80", "https": ":443"}.get(text.partition(":")[0], "")
    return text.removesuffix(own) if own else text
