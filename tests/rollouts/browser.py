"""A browser as far as static files see one: it follows redirects and has an HTTP cache."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Answer", "Browser", "Fetch", "Loaded"]


@dataclass(frozen=True)
class Answer:
    """What a host answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Loaded:
    """What the page got in the end, and over how many redirects."""

    status: int
    body: bytes
    redirects: int


#: Asks for a path with headers.
Fetch = Callable[[str, Mapping[str, str]], Answer]


@dataclass
class Browser:
    """Keeps answers as RFC 9111 allows, and 301 without a lifetime for ever, as browsers did."""

    fetch: Fetch
    #: Seconds on its clock.
    now: float = 0
    kept: dict[str, tuple[Answer, float]] = field(default_factory=dict[str, tuple[Answer, float]])

    def load(self, url: str) -> Loaded:
        """Load one file of a page. A script or stylesheet is never asked for again after 503."""
        for redirects in range(6):
            answer = self._one(url)
            if answer.status != 301:
                return Loaded(answer.status, answer.body, redirects)
            url = answer.headers["location"]
            assert re.match(r"^/[^/\\]", url)
        raise AssertionError(f"redirected for ever, at last to {url}")

    def _one(self, url: str) -> Answer:
        answer, since = self.kept.get(url, (None, 0.0))
        if answer is not None and self.now - since < _lifetime(answer):
            return answer
        tag = answer.headers.get("etag") if answer is not None else None
        found = self.fetch(url, {"if-none-match": tag} if tag else {})
        if found.status == 304:
            assert answer is not None
            found = Answer(answer.status, {**answer.headers, **found.headers}, answer.body)
        if found.status in (200, 301, 404) and "no-store" not in _caching(found):
            self.kept[url] = (found, self.now)
        else:
            self.kept.pop(url, None)
        return found


def _caching(answer: Answer) -> str:
    return answer.headers.get("cache-control", "")


def _lifetime(answer: Answer) -> float:
    caching = _caching(answer)
    if "no-cache" in caching:
        return 0
    age = re.search(r"max-age=(\d+)", caching)
    if age is not None:
        return int(age[1])
    return float("inf") if answer.status == 301 else 0
