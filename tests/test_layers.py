"""Imports go down only: ground, rooms, bindings, composition root, command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

GROUND = {
    "drafting",
    "sharing",
    "errors",
    "signing",
    "single_flight",
    "atomic",
    "dependencies",
    "kept",
    "holes",
    "notices",
    "observing",
    "fingerprint",
    "sizes",
    "source_file",
    "sqlite_file",
    "site_modules",
    "forked",
    "contents",
    "redis_link",
}
ROOMS = {"pages", "live", "cache", "assets", "sessions"}
BINDINGS = {"asgi", "jinja", "models"}
#: What each part may import of the others, besides itself.
ALLOWED = {
    **dict.fromkeys(GROUND | ROOMS, GROUND),
    **dict.fromkeys(BINDINGS, GROUND | ROOMS),
    "component": {"live"},
    "settings": GROUND | {"variables"},
    "variables": GROUND,
    "backends": GROUND | ROOMS | BINDINGS | {"settings"},
    "grounds": GROUND | {"settings"},
    "building": GROUND | ROOMS | BINDINGS | {"settings", "grounds"},
    "checks": GROUND | ROOMS | BINDINGS | {"settings"},
    "export": GROUND | ROOMS | BINDINGS | {"settings", "checks"},
    "composition": GROUND | ROOMS | BINDINGS | {"settings", "backends"},
    "app": GROUND | ROOMS | BINDINGS | {"settings", "backends", "building", "composition"},
    "__init__": {
        "app",
        "component",
        "live",
        "models",
        "errors",
        "settings",
        "asgi",
        "pages",
        "assets",
    },
    "cli": None,
    "testing": None,
    "__main__": {"cli"},
}
#: Libraries that only one binding (or the root, or the command line) may know.
FRAMEWORKS = {
    "starlette": {"asgi", "composition", "cli", "testing"},
    "jinja2": {"jinja", "cli"},
    "sqlalchemy": {"models", "cli", "testing"},
    "alembic": {"models", "cli"},
    "uvicorn": {"cli", "testing"},
    "click": {"cli"},
    "rich": {"cli"},
    "redis": {"cache", "live", "redis_link", "sessions"},
    "dotenv": {"settings", "cli"},
    "pyramid": set[str](),
}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            yield node.module, node.lineno
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def part_of(path: Path) -> str:
    first = path.relative_to(SOURCE / "asok").parts[0]
    return first.removesuffix(".py")


FILES = [
    path
    for path in sorted((SOURCE / "asok").rglob("*.py"))
    if "templates" not in path.relative_to(SOURCE / "asok").parts
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down_only(path: Path) -> None:
    part = part_of(path)
    allowed = ALLOWED[part]
    for module, line in imports(path):
        head, *rest = module.split(".")
        where = f"{path.relative_to(SOURCE)}:{line} imports {module}"
        if head == "asok" and rest and allowed is not None:
            known = (SOURCE / "asok" / rest[0]).is_dir() or (SOURCE / f"asok/{rest[0]}.py").exists()
            assert not known or rest[0] == part or rest[0] in allowed, where
        assert part in FRAMEWORKS.get(head, {part}), where
        assert head != "tet", where


def test_tet_shares_only_the_asset_core() -> None:
    for path in sorted((SOURCE / "tet").rglob("*.py")):
        for module, line in imports(path):
            if module.startswith("asok."):
                assert module.split(".")[1] in GROUND | {"assets"}, f"{path}:{line}: {module}"


def test_only_the_settings_read_the_environment() -> None:
    for path in FILES:
        if part_of(path) in ("settings", "cli"):
            continue
        text = path.read_text()
        assert "os.environ" not in text, path
        assert "os.getenv" not in text, path


def test_no_file_is_longer_than_a_person_reads() -> None:
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 400, path
