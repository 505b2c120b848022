from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from asok.cli.dev.excerpt import excerpt
from asok.cli.dev.faults import Fault, read_faults, summary
from asok.cli.dev.frames import FrameReader
from asok.cli.dev.masking import MASK, Masker
from asok.errors import PageImportError

Module = Callable[[str, str], Path]


@pytest.fixture
def reader(tmp_path: Path) -> FrameReader:
    return FrameReader(tmp_path, Masker(["a-very-secret-value"]))


@pytest.fixture
def module(tmp_path: Path) -> Module:
    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
        return path

    return write


def raised(path: Path, **names: Any) -> BaseException:
    """What running the file raises."""
    try:
        exec(compile(path.read_text("utf-8"), str(path), "exec"), {"__name__": "x", **names})
    except Exception as error:  # noqa: BLE001 - what it raises is what is tested
        return error
    pytest.fail("nothing was raised")


def marked(fault: Fault) -> str:
    assert fault.place is not None
    (line,) = [one for one in fault.place.lines if one.marked]
    return line.parts[1]


def test_place_is_the_users_innermost_frame_with_source_and_variables(
    reader: FrameReader, module: Module
) -> None:
    source = "def shout(text):\n    return ' '.join(text, 3)\n\nshout('hello')\n"
    (fault,) = read_faults(raised(module("src/page.py", source)), reader)
    assert fault.kind == "TypeError"
    assert fault.place is not None
    assert (fault.place.shown, fault.place.line) == ("src/page.py", 2)
    assert fault.place.function == "shout"
    assert fault.place.variables == (("text", "'hello'"),)
    assert marked(fault) == "' '.join(text, 3)"
    assert [(one.line, one.function) for one in fault.mine] == [(4, "")]


def test_frames_of_libraries_are_apart(reader: FrameReader, module: Module) -> None:
    source = "import json\njson.loads('{')\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert fault.place is not None
    assert fault.place.line == 2
    assert {Path(one.path).parent.name for one in fault.others} >= {"json"}
    assert all(not one.lines and not one.variables for one in fault.others)


def test_columns_count_characters_not_bytes(reader: FrameReader, module: Module) -> None:
    source = "ü = 'äöü'; x = {}['missing']\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert marked(fault) == "{}['missing']"


def test_expression_over_several_lines_marks_its_whole_first_line(
    reader: FrameReader, module: Module
) -> None:
    source = "x = (1 +\n  None)\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert marked(fault) == "x = (1 +"


def test_causes_follow_with_their_own_places(reader: FrameReader, module: Module) -> None:
    source = (
        "def load():\n    raise KeyError('price')\n\n"
        "try:\n    load()\nexcept KeyError as error:\n    raise ValueError('no price') from error\n"
    )
    first, second = read_faults(raised(module("page.py", source)), reader)
    assert (first.kind, first.relation) == ("ValueError", "")
    assert (second.kind, second.relation) == ("KeyError", "Caused by")
    assert first.place is not None
    assert second.place is not None
    assert (first.place.line, second.place.line) == (7, 2)


def test_error_while_another_is_handled_says_so(reader: FrameReader, module: Module) -> None:
    source = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}['x']\n"
    _, second = read_faults(raised(module("page.py", source)), reader)
    assert second.relation == "While this was being handled"


def test_suppressed_causes_and_circles_end(reader: FrameReader, module: Module) -> None:
    source = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('x') from None\n"
    error = raised(module("page.py", source))
    assert len(read_faults(error, reader)) == 1
    error.__suppress_context__ = False
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert len(read_faults(first, reader)) == 2


def test_our_own_error_shows_its_place_and_fix_once(reader: FrameReader, module: Module) -> None:
    path = module("src/pages/page.py", "price = 1\nprice.missing\n")
    cause = raised(path)
    error = PageImportError(
        f"importing page.py failed: AttributeError: {cause}.", file=path, line=2, fix="Name it."
    )
    error.__cause__ = cause
    (fault,) = read_faults(error, reader)
    assert fault.fix == "Name it."
    assert fault.place is not None
    assert fault.place.variables == (("price", "1"),)
    assert summary((fault,)).splitlines()[1:] == ["  at src/pages/page.py:2", "  fix: Name it."]


def test_our_own_error_without_a_line_shows_the_files_beginning(
    reader: FrameReader, module: Module, tmp_path: Path
) -> None:
    module("src/page.html", "<p>\n" * 20)
    (fault,) = read_faults(PageImportError("no", file=Path("src/page.html")), reader)
    assert fault.place is not None
    assert fault.place.path == tmp_path / "src/page.html"
    assert not any(line.marked for line in fault.place.lines)
    assert summary((fault,)).endswith("at src/page.html")


def test_syntax_error_is_at_its_own_place(reader: FrameReader, module: Module) -> None:
    source = "x = 1\nif x\n    pass\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert (fault.kind, fault.message) == ("SyntaxError", "expected ':'")
    assert fault.place is not None
    assert fault.place.line == 2


def test_syntax_error_marks_what_is_wrong(reader: FrameReader, module: Module) -> None:
    (fault,) = read_faults(raised(module("page.py", "value = 1 +* 2\n")), reader)
    assert marked(fault).startswith("*")


def test_error_in_a_template_is_at_the_templates_line(
    reader: FrameReader, module: Module, tmp_path: Path
) -> None:
    module("src/page.html", "<h1>{{ title }}</h1>\n<p>{{ 1 / nothing }}</p>\n")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(tmp_path / "src"), autoescape=True
    )
    with pytest.raises(ZeroDivisionError) as caught:
        environment.get_template("page.html").render(title="Hi", nothing=0)
    (fault,) = read_faults(caught.value, reader)
    assert fault.place is not None
    assert (fault.place.shown, fault.place.line) == ("src/page.html", 2)
    assert ("nothing", "0") in fault.place.variables


def test_secrets_are_masked_in_variables_and_messages(reader: FrameReader, module: Module) -> None:
    source = "password = 'hunter2'\nplain = 'a-very-secret-value'\nraise ValueError(plain)\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert fault.message == MASK
    assert fault.place is not None
    assert dict(fault.place.variables) == {"password": MASK, "plain": f"'{MASK}'"}


def test_endless_recursion_is_shown_by_its_ends(reader: FrameReader, module: Module) -> None:
    source = "def again():\n    again()\n\nagain()\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert fault.kind == "RecursionError"
    assert len(fault.frames) == 60


def test_error_without_a_message_is_named_by_its_type(reader: FrameReader) -> None:
    (fault,) = read_faults(ValueError(), reader)
    assert fault.message == "ValueError"
    assert fault.place is None
    assert summary((fault,)) == "ValueError: ValueError"


def test_packages_in_the_sites_folder_are_not_the_users(tmp_path: Path) -> None:
    reader = FrameReader(tmp_path, Masker())
    assert reader.is_mine(tmp_path / "src/page.py")
    assert not reader.is_mine(tmp_path / ".venv/lib/python3/site-packages/x.py")
    assert not reader.is_mine(Path(sys.prefix) / "x.py")


def test_environment_of_any_name_in_the_sites_folder_is_not_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    reader = FrameReader(tmp_path, Masker())
    assert not reader.is_mine(tmp_path / "env/lib/x.py")
    assert reader.is_mine(tmp_path / "src/x.py")


def test_many_variables_are_cut(reader: FrameReader, module: Module) -> None:
    source = "".join(f"v{n} = {n}\n" for n in range(100)) + "1 / 0\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert fault.place is not None
    assert len(fault.place.variables) == 40


def test_what_a_module_defines_and_imports_is_no_variable(
    reader: FrameReader, module: Module
) -> None:
    source = "import json\ndef work(): pass\ncount = 3\n1 / 0\n"
    (fault,) = read_faults(raised(module("page.py", source)), reader)
    assert fault.place is not None
    assert fault.place.variables == (("count", "3"),)


def test_file_that_is_gone_has_no_excerpt(tmp_path: Path) -> None:
    assert excerpt(tmp_path / "gone.py", 3) == ()


def test_line_past_the_end_shows_what_is_there(module: Module) -> None:
    path = module("short.html", "one\ntwo\n")
    assert [line.text for line in excerpt(path, 5)] == ["one", "two"]
