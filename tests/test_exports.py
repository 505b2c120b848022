"""The doors: what each package offers, frozen here so that a change of it is meant."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

DOORS = {
    "asok": (
        "AsokError Asok Component Model Request Settings Upload broadcast exposed "
        "integrity listens revalidate_path revalidate_tag static"
    ),
    "asok.component": "Component exposed listens",
    "asok.testing": ("Client Element LiveComponent LivePage Queries client live queries rollback"),
    "asok.testing.stores": "CacheContract CacheStoreContract StorePlace",
    "asok.sessions": (
        "FIELD HEADER SAFE_METHODS SECURITY_HEADERS Csrf MemorySessionStore Policy "
        "RedisSessionStore Session SessionIds SessionStore SqliteSessionStore StoredSession "
        "WatchedSession headers_problem hidden_input masked new_nonce origin_problem NONCES"
    ),
}
PACKAGES = [
    "asok",
    "asok.assets",
    "asok.cache",
    "asok.component",
    "asok.errors",
    "asok.jinja",
    "asok.live",
    "asok.models",
    "asok.pages",
    "asok.sessions",
    "asok.testing",
    "tet.config",
    "tet.static",
]


# Pyramid 2.1 imports `cgi` (by WebOb) and `pkg_resources`; both say so.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:pkg_resources:UserWarning")
@pytest.mark.parametrize("name", PACKAGES)
def test_every_offered_name_is_there_and_the_list_is_sorted(name: str) -> None:
    module = importlib.import_module(name)
    offered: list[str] = module.__all__
    assert len(set(offered)) == len(offered)
    for item in offered:
        assert getattr(module, item) is not None
    if name == "asok":
        return
    order = sorted(offered, key=lambda item: (not item.isupper(), not item[:1].isupper(), item))
    assert offered == order


@pytest.mark.parametrize("name", DOORS)
def test_the_doors_are_those_that_are_documented(name: str) -> None:
    assert sorted(importlib.import_module(name).__all__) == sorted(DOORS[name].split())


def test_importing_asok_imports_no_library() -> None:
    code = (
        "import sys, asok; "
        "print([m for m in ('sqlalchemy', 'starlette', 'jinja2', 'redis', 'alembic', 'rich') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_site_without_models_never_imports_sqlalchemy() -> None:
    code = "import sys, asok.app; print('sqlalchemy' in sys.modules, 'redis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_an_unknown_name_is_an_attribute_error() -> None:
    import asok
    import asok.models

    for module in (asok, asok.models):
        with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
            _ = module.Nothing
    assert "Component" in dir(asok)
