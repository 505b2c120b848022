"""The cache-breaker token: the default, and what a given one may be."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import cast

from tet.framework import ConfigurationError
from tet.server_master import generation_start

__all__ = ["PLACEHOLDER", "checked_releases", "checked_token", "default_token"]

#: Where the token goes in the name of a static view.
PLACEHOLDER = "{breaker}"

# What would end or split the segment of a URL (`/ \ ? # %`, white space, control characters)
# or mean something in a route's pattern (`{ } * :`).
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0/\\?#%{}*:\u2028\u2029\ud800-\udfff]")


def default_token() -> str:
    """Return the time in milliseconds since the epoch, zero-padded to twelve digits.

    It is the time at which this process configured the application or, for a worker of a
    server that tells it, the one at which the server started: its workers then agree.
    """
    start = generation_start()
    return f"{int(time.time() * 1000) if start is None else start:012d}"


def checked_token(token: object) -> str:
    """Return `token` where it can be one segment of a URL; else raise `ConfigurationError`."""
    if not isinstance(token, str):
        problem = f"got {token!r}, expected a string"
    elif not token:
        problem = "got an empty string, expected at least one character"
    elif token in {".", ".."}:
        problem = f"got {token!r}, which a browser takes out of a URL"
    elif unfit := _UNFIT.search(token):
        problem = f"got {token!r}, which holds {unfit[0]!r}, expected one segment of a URL"
    else:
        return token
    raise ConfigurationError(
        f"The cache-breaker token is wrong: {problem}. Call config.set_cachebreaker(...) before "
        "add_static_view_with_breaker with letters, digits, '.', '_' and '-', such as a release "
        "'1.4.2', a commit or a build number of your CI; or leave the call out to get a "
        "timestamp."
    )


def checked_releases(token: str, releases: object) -> tuple[str, ...]:
    """Return the tokens of the deploys, oldest to newest, the last being `token`.

    An empty list stays empty: nothing is known of other releases then. Raises
    `ConfigurationError`.
    """
    if isinstance(releases, str) or not isinstance(releases, Iterable):
        raise ConfigurationError(
            f"got releases={releases!r}, expected the tokens of the deploys in a list, oldest "
            f"first. Write set_cachebreaker({token!r}, releases=['1.4.0', '1.4.1'])."
        )
    tokens = tuple(checked_token(one) for one in cast("Iterable[object]", releases))
    return tokens if not tokens or tokens[-1] == token else (*tokens, token)
