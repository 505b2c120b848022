"""Which tokens are taken, and what is said of the others."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from .conftest import Make, ask

UNFIT = [None, 5, b"x", "", "a/b", "a\\b", "a b", "a\r\nb", "a\x00", "a\x85b", "\u2028", ".", "..",
         "a?b", "a#b", "a%2fb", "{x}", "a*b", "a:b", "\ud800"]  # fmt: skip


@pytest.mark.parametrize("token", UNFIT)
def test_an_unfit_token_is_a_configuration_error_that_says_what_to_do(
    make: Make, token: Any
) -> None:
    from tet.framework import ConfigurationError

    def configure(config: Any) -> None:
        config.set_cachebreaker(token)

    with pytest.raises(ConfigurationError, match=r"Call config\.set_cachebreaker\("):
        make("1", configure)


@pytest.mark.parametrize("token", UNFIT)
def test_a_token_put_on_the_registry_is_judged_too(
    make: Make, package: ModuleType, token: Any
) -> None:
    from tet.framework import ConfigurationError

    def configure(config: Any) -> None:
        config.registry.cachebreaker = token
        config.add_static_view_with_breaker(name="s/{breaker}", path=f"{package.__name__}:static")

    with pytest.raises(ConfigurationError, match="The cache-breaker token is wrong"):
        make("1", configure, name="")


@pytest.mark.parametrize(
    "token", ["1.4.2", "v1", "3f2a9c", "rel_1-2+3", "a@b", "~", "...", "é", "(1)"]
)
def test_any_other_token_works(make: Make, token: str) -> None:
    from urllib.parse import quote

    app = make(token)
    assert ask(app, f"/static/{quote(token)}/app.js").body == b"1"


def test_releases_say_which_opaque_tokens_are_older_or_newer(
    make: Make, package: ModuleType
) -> None:
    def configure(config: Any) -> None:
        config.set_cachebreaker("bb", releases=["aa", "bb", "cc", "bb"])
        path = f"{package.__name__}:static"
        config.add_static_view_with_breaker(name="s/{breaker}", path=path)
        config.set_cachebreaker("cc", ["aa", "bb"])
        config.add_static_view_with_breaker(name="t/{breaker}", path=path)
        config.set_cachebreaker("bb")
        config.add_static_view_with_breaker(name="u/{breaker}", path=path)

    app = make("1", configure, name="")
    found = {
        (view, token): ask(app, f"/{view}/{token}/app.js").status_int
        for view in "stu"
        for token in ("aa", "bb", "cc", "dd")
    }
    assert list(found.values()) == [301, 200, 200, 200, 301, 301, 200, 200, 200, 200, 200, 200]
    assert ask(app, "/t/bb/app.js").headers["Location"] == "/t/cc/app.js"


@pytest.mark.parametrize("releases", ["1.4.0", 5, None, ["a/b"], [5], [""]])
def test_unfit_releases_are_a_configuration_error(make: Make, releases: Any) -> None:
    from tet.framework import ConfigurationError

    def configure(config: Any) -> None:
        config.set_cachebreaker("1.4.1", releases=releases)

    with pytest.raises(ConfigurationError, match=r"set_cachebreaker\("):
        make("1", configure)
