"""Compiled templates on disk: used where they are whole and ours, otherwise not."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from asok import holes
from asok.errors import ConfigurationError
from asok.jinja import Templates, bytecode
from asok.jinja import environment as environment_module
from asok.jinja.bytecode import Bytecode


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.html").write_text("<p>{{ x }}</p>")
    return tmp_path


def templates(site: Path) -> Templates:
    return Templates(roots=[site], bytecode=site / "bytecode")


def compiled(site: Path, name: str = "a.html") -> list[str]:
    """Render with a fresh `Templates` and return what it had to compile."""
    found: list[str] = []
    made = templates(site)
    generate = made.environment._generate  # pyright: ignore[reportPrivateUsage]

    def counting(source: Any, name: Any, filename: Any, *rest: Any, **more: Any) -> Any:
        found.append(Path(filename).name)
        return generate(source, name, filename, *rest, **more)

    made.environment._generate = counting  # pyright: ignore[reportPrivateUsage]
    with holes.use(holes.VisitorSecrets(lambda: "N", lambda: "C")):
        made.render(name, {"x": 1})
    return found


def only_file(site: Path) -> Path:
    (found,) = (site / "bytecode").glob("*.bin")
    return found


def test_a_template_is_compiled_once_for_all_processes(site: Path) -> None:
    assert compiled(site) == ["a.html"]
    assert compiled(site) == []


def test_folder_and_files_are_only_for_their_owner(site: Path) -> None:
    compiled(site)
    assert stat.S_IMODE((site / "bytecode").stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(site).stat().st_mode) == 0o600


def test_a_changed_source_is_compiled_again(site: Path) -> None:
    compiled(site)
    (site / "a.html").write_text("<b>{{ x }}</b>")
    assert compiled(site) == ["a.html"]
    assert compiled(site) == []


def test_another_version_of_the_extension_compiles_again(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(site)
    monkeypatch.setattr(bytecode, "VERSION", 999)
    assert compiled(site) == ["a.html"]


def test_another_rule_for_escaping_compiles_again(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(site)
    monkeypatch.setattr(environment_module, "_escapes", lambda _: False)  # pyright: ignore
    assert compiled(site) == ["a.html"]


def test_a_child_is_compiled_again_when_its_parent_moves_the_block(site: Path) -> None:
    (site / "base.html").write_text("<p>{% block x %}{% endblock %}</p>")
    (site / "child.html").write_text('{% extends "base.html" %}{% block x %}<i>{% endblock %}')
    assert sorted(compiled(site, "child.html")) == ["base.html", "child.html"]
    (site / "base.html").write_text("<b>{% block x %}{% endblock %}</b>")
    assert compiled(site, "child.html") == ["base.html"]
    (site / "base.html").write_text("<title>{% block x %}{% endblock %}</title>")
    assert sorted(compiled(site, "child.html")) == ["base.html", "child.html"]


def damage(data: bytes) -> list[bytes]:
    flipped = bytearray(data)
    flipped[-1] ^= 1
    return [b"", data[:10], data[:-1], bytes(flipped), data + b"x", b"j2" + data]


def test_a_damaged_file_is_a_miss(site: Path) -> None:
    compiled(site)
    whole = only_file(site).read_bytes()
    for data in damage(whole):
        only_file(site).write_bytes(data)
        assert compiled(site) == ["a.html"]
    assert only_file(site).read_bytes() == whole


def test_code_of_no_function_is_a_miss(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(site)
    monkeypatch.setattr(bytecode.marshal, "loads", lambda _: "text")  # pyright: ignore
    assert compiled(site) == ["a.html"]


def test_a_file_that_others_may_write_is_not_executed(site: Path) -> None:
    compiled(site)
    only_file(site).chmod(0o622)
    assert compiled(site) == ["a.html"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_not_executed(site: Path) -> None:
    compiled(site)
    os.chown(only_file(site), 65534, 65534)
    assert compiled(site) == ["a.html"]


def test_a_link_is_not_followed(site: Path) -> None:
    compiled(site)
    path = only_file(site)
    path.rename(site / "elsewhere")
    path.symlink_to(site / "elsewhere")
    assert compiled(site) == ["a.html"]


def test_a_folder_in_a_files_place_is_a_miss(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    compiled(site)
    path = only_file(site)
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        assert compiled(site) == ["a.html"]
    assert "can't be kept" in caplog.text


def test_a_folder_that_others_may_write_is_refused(site: Path) -> None:
    (site / "bytecode").mkdir()
    (site / "bytecode").chmod(0o777)
    with pytest.raises(ConfigurationError, match=f"rm -r {site / 'bytecode'}"):
        templates(site)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_of_another_user_is_refused(site: Path) -> None:
    (site / "bytecode").mkdir()
    os.chown(site / "bytecode", 65534, 65534)
    with pytest.raises(ConfigurationError, match="its owner is user 65534"):
        templates(site)


def test_a_file_in_the_folders_place_is_refused(site: Path) -> None:
    (site / "bytecode").write_text("")
    with pytest.raises(ConfigurationError, match="can't be used"):
        templates(site)


def test_a_folder_that_others_may_read_is_taken(site: Path) -> None:
    (site / "bytecode").mkdir()
    (site / "bytecode").chmod(0o755)
    assert compiled(site) == ["a.html"]
    assert compiled(site) == []


def test_a_disk_that_takes_no_files_is_told_once(
    site: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "b.html").write_text("b")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bytecode.atomic, "write", full)
    made = templates(site)
    with caplog.at_level(logging.WARNING):
        assert made.render("a.html", {"x": 1}) == "<p>1</p>"
        assert made.render("b.html", {}) == "b"
    assert caplog.text.count("No space left") == 1


def test_clear_removes_what_is_kept(site: Path) -> None:
    compiled(site)
    Bytecode(site / "bytecode").clear()
    assert compiled(site) == ["a.html"]
