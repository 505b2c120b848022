"""Component files: found, imported once, refused with their place."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from asok.component import Component
from asok.errors import AsokError, ComponentError
from asok.live import Registry

COUNTER = "from asok import component\nclass Counter(component.Component):\n    count = 0\n"


class Importer:
    """Imports `src.components.X` from a folder, each file once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[str, ModuleType] = {}
        self.imports: list[str] = []

    def __call__(self, name: str) -> ModuleType:
        if name not in self.modules:
            self.imports.append(name)
            file = self.folder.joinpath(*name.split(".")[2:]).with_suffix(".py")
            spec = importlib.util.spec_from_file_location(name, file)
            assert spec is not None
            assert spec.loader is not None
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            finally:
                del sys.modules[name]
            self.modules[name] = module
        return self.modules[name]


def load(folder: Path, files: dict[str, str]) -> tuple[Registry, Importer]:
    for name, source in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    registry, importer = Registry(), Importer(folder)
    registry.load(folder, importer)
    return registry, importer


def test_files_at_any_depth_are_found(tmp_path: Path) -> None:
    registry, importer = load(
        tmp_path,
        {
            "Counter.py": COUNTER,
            "shop/HeaderCart.py": COUNTER.replace("Counter", "HeaderCart"),
            "_private.py": "1/0",
            "__pycache__/x.py": "1/0",
            "texts.py": "HELLO = 1",
            "counter.html": "",
        },
    )

    assert registry.names() == ["Counter", "HeaderCart"]
    assert importer.imports == [
        "src.components.Counter",
        "src.components.shop.HeaderCart",
        "src.components.texts",
    ]
    assert registry.get("HeaderCart").folder == tmp_path / "shop"
    assert [one.name for one in registry] == ["Counter", "HeaderCart"]
    assert len(registry) == 2
    assert "Counter.py" in repr(registry.get("Counter"))


def test_only_classes_of_the_file_itself_count(tmp_path: Path) -> None:
    source = COUNTER + (
        "from asok.component import Component, exposed\n"
        "class _Base(Component): pass\n"
        "class Two(_Base): pass\n"
        "alias = Two\n"
    )
    registry, _ = load(tmp_path, {"Counter.py": source})

    assert registry.names() == ["Counter", "Two"]


def test_two_classes_of_one_name_name_both_files(tmp_path: Path) -> None:
    with pytest.raises(ComponentError) as error:
        load(tmp_path, {"a/Counter.py": COUNTER, "b/Counter.py": COUNTER})

    assert str(tmp_path / "a/Counter.py") in str(error.value)
    assert str(tmp_path / "b/Counter.py") in str(error.value)


def test_an_import_error_is_shown_where_it_happened(tmp_path: Path) -> None:
    with pytest.raises(ComponentError) as error:
        load(tmp_path, {"Broken.py": "import json\n\nx = json.loads('{')\n"})

    assert error.value.file == tmp_path / "Broken.py"
    assert error.value.line == 3
    assert "JSONDecodeError" in str(error.value)


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(ComponentError) as error:
        load(tmp_path, {"Broken.py": "x = 1\nclass :\n"})

    assert (error.value.file, error.value.line) == (tmp_path / "Broken.py", 2)


def test_a_file_that_can_not_be_found_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "Counter.py").write_text(COUNTER)

    def fail(name: str) -> ModuleType:
        raise ImportError("nothing works")

    with pytest.raises(ComponentError) as error:
        Registry().load(tmp_path, fail)

    assert (error.value.file, error.value.line) == (tmp_path / "Counter.py", None)


def test_an_error_of_ours_passes_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Counter.py").write_text(COUNTER)

    def fail(name: str) -> ModuleType:
        raise AsokError("known")

    with pytest.raises(AsokError, match="known"):
        Registry().load(tmp_path, fail)


def test_a_file_name_that_is_no_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="header-cart"):
        load(tmp_path, {"header-cart.py": COUNTER})


def test_an_unknown_name_has_a_suggestion(tmp_path: Path) -> None:
    registry, _ = load(tmp_path, {"Counter.py": COUNTER})

    with pytest.raises(ComponentError, match="Did you mean 'Counter'"):
        registry.get("Conter")
    with pytest.raises(ComponentError, match="There are: Counter"):
        registry.get("Zzz")
    with pytest.raises(ComponentError, match="asok make component Zzz"):
        Registry().get("Zzz")


def test_registering_a_class_twice_is_harmless() -> None:
    class Counter(Component):
        pass

    registry = Registry()
    registry.register(Counter)
    registry.register(Counter)

    assert registry.names() == ["Counter"]


@pytest.mark.parametrize(
    ("cls", "files", "template"),
    [
        ("TodoList", ["todo_list.html"], "todo_list.html"),
        ("TodoList", ["todolist.html"], "todolist.html"),
        ("TodoList", ["TodoList.asok"], "TodoList.asok"),
        ("TodoList", [], "todo_list.html"),
        ("HTMLView", ["html_view.html"], "html_view.html"),
        ("Counter", ["counter.asok"], "counter.asok"),
    ],
)
def test_the_own_template(tmp_path: Path, cls: str, files: list[str], template: str) -> None:
    sources = {f"{cls}.py": COUNTER.replace("Counter", cls), **dict.fromkeys(files, "")}
    registry, _ = load(tmp_path, sources)

    assert registry.get(cls).template == template
