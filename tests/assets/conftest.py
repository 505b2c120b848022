"""A small tree of assets, as folders and as the output of a build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asok.assets import Assets, DiskAssets, ManifestAssets, Plan, build_assets

Tree = Callable[[dict[str, str | bytes]], Path]

CSS = "nav :hover { width: calc(100% + 2px) }\n" + "a { color: #ff0000; }\n" * 60
FONT = bytes(range(256)) * 4


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a call that writes files under `roots/` and returns that folder."""

    def write(files: dict[str, str | bytes]) -> Path:
        root = tmp_path / "roots"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write


@pytest.fixture
def root(tree: Tree) -> Path:
    return tree(
        {
            "css/base.css": CSS,
            "js/app.js": "const text = 'x // y'; export { text }\n",
            "js/app.js.map": "{}",
            "js/app.js.gz": "not served",
            "images/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>",
            "fonts/a.woff2": FONT,
            "text/ümlaut name.txt": "text",
            "empty.txt": "",
            ".env": "SECRET_KEY=x",
            ".git/config": "x",
        }
    )


@pytest.fixture(params=["disk", "manifest"])
def assets(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Assets:
    """The same files in development and in production."""
    (tmp_path / "roots_secret").mkdir()
    (tmp_path / "roots_secret" / "x.css").write_text("secret")
    (tmp_path / "secret.css").write_text("secret")
    if request.param == "disk":
        return DiskAssets([root])
    build_assets([root], tmp_path / "out")
    return ManifestAssets(tmp_path / "out")


def ask(assets: Assets, path: str, method: str = "GET", query: str = "", **headers: str) -> Plan:
    """Return the plan for a path under the prefix; `if_none_match` stands for If-None-Match."""
    pairs = [(n.replace("_", "-").encode(), v.encode("latin-1")) for n, v in headers.items()]
    plan = assets.plan(method, path, query, pairs)
    assert plan is not None
    return plan


def header(plan: Plan, name: str) -> str | None:
    """Return a header of a plan, None where it is absent; it must not be there twice."""
    values = [value.decode("latin-1") for key, value in plan.headers if key.decode() == name]
    assert len(values) < 2, f"{name} is there twice"
    return values[0] if values else None


def content(plan: Plan) -> bytes:
    """Return the body of a plan, read from the disk where it is a slice of a file."""
    return plan.read()
