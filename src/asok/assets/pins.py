"""Pins: bare names that modules import each other by, beside the names of the assets.

They stand in `src/importmap.json`, in the form of an import map (HTML, section 8.1.6.2);
an address is the name of an asset or a URL.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any, cast

from asok.assets.urls import missing
from asok.errors import AssetError

__all__ = ["is_url", "read_pins", "site_pins"]


def site_pins(site: Path) -> Path:
    """Return where the pins of a site are: `src/importmap.json`, which need not be there."""
    return site / "src" / "importmap.json"


def is_url(address: str) -> bool:
    """Return True for an address that is no name of an asset."""
    return address.startswith("/") or ":" in address.partition("/")[0]


def read_pins(file: Path | None, known: Container[str] | Iterable[str]) -> dict[str, str]:
    """Return the addresses by bare name; none where there is no `file`.

    Raises `AssetError`, with the line where there is one, for what is no import map and for
    an address that is none of the assets `known`.
    """
    if file is None or not file.is_file():
        return {}
    text = file.read_text("utf-8")
    fix = 'Write {"imports": {"preact": "js/vendor/preact.js"}}: texts to texts.'
    try:
        read: Any = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise AssetError(f"is no JSON: {error}.", fix=fix, file=file, line=line) from error
    imports: Any = cast("dict[str, Any]", read).get("imports") if isinstance(read, dict) else None
    if not isinstance(imports, dict):
        raise AssetError("got no import map.", fix=fix, file=file)
    pins: dict[str, str] = {}
    for name, address in cast("dict[str, Any]", imports).items():
        if not isinstance(address, str):
            raise AssetError(f"got {address!r} for {name!r}.", fix=fix, file=file)
        if not is_url(address) and address not in cast("Container[str]", known):
            error = missing(address, cast("Iterable[str]", known), "the name of an asset or a URL")
            at = text.find(json.dumps(address, ensure_ascii=False))
            line = text.count("\n", 0, max(at, 0)) + 1
            raise AssetError(error.message, fix=error.fix, file=file, line=line)
        pins[name] = address
    return pins
