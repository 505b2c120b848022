"""Trees of page files in samples/: `input/` is scanned, `output.json` says what comes out.

Write the outputs anew with `UPDATE_SAMPLES=1 pytest tests/pages/test_scan.py`, and read the
difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from asok.errors import RouteConflict, RouteError
from asok.pages import Route, Router, scan

SAMPLES = Path(__file__).parent / "samples"


def describe(root: Path) -> dict[str, Any]:
    def name(file: Path | None) -> str | None:
        return file.relative_to(root).as_posix() if file else None

    def route(found: Route) -> dict[str, Any]:
        return {
            "module": name(found.module),
            "params": dict(found.params),
            "pattern": found.pattern,
            "template": name(found.template),
        }

    try:
        tree = scan(root)
        router = Router(tree.routes)
    except RouteError as error:
        files = (
            [name(error.first), name(error.second)]
            if isinstance(error, RouteConflict)
            else [name(error.file)]
        )
        message = error.message.replace(str(root) + "/", "")
        fix = (error.fix or "").replace(str(root) + "/", "")
        return {"error": type(error).__name__, "files": files, "fix": fix, "message": message}
    return {
        "errors": {str(status): route(found) for status, found in sorted(tree.errors.items())},
        "routes": [route(found) for found in router.routes],
    }


@pytest.mark.parametrize("case", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_sample_tree(case: str) -> None:
    root, expected = SAMPLES / case / "input", SAMPLES / case / "output.json"
    found = describe(root)
    if os.environ.get("UPDATE_SAMPLES"):
        expected.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    assert found == json.loads(expected.read_text())


def test_a_missing_folder_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(RouteError, match="asok create"):
        scan(tmp_path / "pages")


def test_a_link_to_a_parent_is_refused_not_followed_for_ever(tmp_path: Path) -> None:
    (tmp_path / "page.html").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(RouteError, match="symbolic link"):
        scan(tmp_path)


def test_a_composed_and_a_decomposed_name_are_one_address(tmp_path: Path) -> None:
    for name in ("caf\u00e9", "cafe\u0301"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.html").touch()
    with pytest.raises(RouteConflict, match="both are the page of /caf\u00e9") as caught:
        Router(scan(tmp_path).routes)
    assert caught.value.file == caught.value.second
