"""`from asok import static`: the URLs of the site's assets, for Python code."""

from __future__ import annotations

from typing import Protocol

from asok.errors import ConfigurationError

__all__ = ["Urls", "configure_static", "integrity", "static"]


class Urls(Protocol):
    """What templates write of an asset."""

    def static(self, name: str) -> str:
        """Return the URL of the asset `name`."""
        ...

    def integrity(self, name: str) -> str:
        """Return the `integrity` of the asset `name`."""
        ...


class _Current:
    urls: Urls | None = None


def configure_static(urls: Urls) -> None:
    """Let `static` and `integrity` answer for this site; the last one that was made counts."""
    _Current.urls = urls


def static(name: str) -> str:
    """Return the URL of the asset `name`, as `{{ static(name) }}` does in a template.

    Raises `AssetNotFound` while developing, and `ConfigurationError` before there is a site.
    """
    return _urls(f"static({name!r})").static(name)


def integrity(name: str) -> str:
    """Return the value of an `integrity` attribute, as `{{ integrity(name) }}` does.

    Raises as `static` does.
    """
    return _urls(f"integrity({name!r})").integrity(name)


def _urls(call: str) -> Urls:
    if _Current.urls is None:
        raise ConfigurationError(
            f"got {call} before there was a site, which says where its assets are.",
            fix="Call it in a function that runs after `app = Asok()`, such as a page's get().",
        )
    return _Current.urls
