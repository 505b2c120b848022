"""The site's code as packages: one class by every documented import, one site at a time."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asok import site_modules
from asok.errors import ConfigurationError, ModelError
from asok.models import Model, registry

POST = """
from asok.models import Mapped, Model, field, relationship

class Post(Model):
    title: Mapped[str]
    author_id: Mapped[int | None] = field(foreign_key="authors.id")
    author: Mapped["Author"] = relationship()
"""
AUTHOR = """
from asok.models import Mapped, Model

class Author(Model):
    name: Mapped[str]
"""

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def site(tmp_path: Path) -> Generator[Write]:
    """Write files of a site and install it; called again it changes the files."""

    def write(files: dict[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        importlib.invalidate_caches()
        site_modules.install(tmp_path)
        return tmp_path

    yield write
    site_modules.uninstall()


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("packages", [(), ("src",), ("src/models",), ("src", "src/models")])
@pytest.mark.parametrize(
    "order",
    [
        ("src.models", "src.models.post", "models.post", "models"),
        ("models.post", "models", "src.models.post", "src.models"),
        ("models", "src.models", "models.post", "src.models.post"),
        ("src.models.post", "models.post", "src.models", "models"),
    ],
)
def test_every_documented_import_gives_the_same_class(
    site: Write, packages: tuple[str, ...], order: tuple[str, ...]
) -> None:
    files = {f"{package}/__init__.py": "" for package in packages}
    site({**files, "src/models/post.py": POST, "src/models/author.py": AUTHOR})
    classes = [load(name).Post for name in order]
    assert all(found is classes[0] for found in classes)
    assert load("models") is load("src.models")
    assert load("models.post") is load("src.models.post")
    assert load("src.models").post is load("models.post")
    assert load("models.post").__spec__.name == "src.models.post"
    assert classes[0].__module__ == "src.models.post"


def test_the_documents_own_import_statements(site: Write) -> None:
    site(
        {
            "src/models/post.py": POST,
            "src/models/author.py": AUTHOR,
            "src/pages/blog/page.py": "from src.models import Post\n"
            "from models.post import Post as P\n",
            "src/components/Counter.py": "from models import Author\nimport models.post as post\n",
        }
    )
    page, counter = load("src.pages.blog.page"), load("src.components.Counter")
    assert page.Post is page.P is counter.post.Post
    assert counter.Author is load("src.models.author").Author


def test_all_models_are_known_as_soon_as_one_is(site: Write) -> None:
    site({"src/models/post.py": POST, "src/models/author.py": AUTHOR})
    post = load("models.post").Post
    # The relation names Author, whose file nobody has imported by itself.
    assert post(title="x", author=None).title == "x"
    assert site_modules.load_models() == ("Author", "Post")
    assert load("models").__all__ == ["Author", "Post"]
    namespace: dict[str, Any] = {}
    exec("from src.models import *", namespace)
    assert namespace["Author"] is load("models.author").Author


def test_model_files_may_import_each_other(site: Write) -> None:
    site(
        {
            "src/models/author.py": AUTHOR,
            "src/models/a_first.py": "from src.models import Author\nfrom .helper import number\n",
            "src/models/helper.py": "from models import Author\nnumber = 1\n",
            "src/models/shop/order.py": "from src.models.author import Author\n"
            + POST.replace("Post", "Order"),
            "src/models/not a module.py": "this is no Python",
        }
    )
    assert site_modules.load_models() == ("Author", "Order")
    assert load("models").Order is load("models.shop.order").Order
    assert load("src.models.helper").number == 1


def test_a_circle_of_imports_says_how_to_break_it(site: Write) -> None:
    site(
        {
            "src/models/author.py": "from src.models import Post\n" + AUTHOR,
            "src/models/post.py": "from src.models import Author\n" + POST,
        }
    )
    with pytest.raises(ImportError, match=r'relationship\("Author"\)'):
        load("src.models")


def test_a_misspelt_model_is_answered_with_the_nearest(site: Write) -> None:
    site({"src/models/post.py": POST, "src/models/author.py": AUTHOR})
    with pytest.raises(ImportError, match=r"No file in src/models defines a model Psot\. Did you"):
        exec("from src.models import Psot")
    with pytest.raises(ImportError, match="It has: Author, Post"):
        exec("from models import Zebra")
    with pytest.raises(ImportError, match="cannot import name 'zebra'"):
        exec("from models import zebra")
    with pytest.raises(ModuleNotFoundError, match=r"stands for src\.models\.zebra"):
        load("models.zebra")
    exec("from models import post")


def test_a_missing_model_while_importing_is_named(site: Write) -> None:
    site({"src/models/post.py": "from src.models import Zebra\n"})
    with pytest.raises(ImportError, match="defines a model Zebra, or its file is still being"):
        load("models")


def test_two_files_with_one_name_are_refused(site: Write) -> None:
    site(
        {
            "src/models/author.py": AUTHOR,
            "src/models/writer.py": AUTHOR.replace(
                "name: Mapped[str]", "name: Mapped[str]\n    __tablename__ = 'second_authors'"
            ),
        }
    )
    with pytest.raises(
        ModelError, match=r"a model Author: src\.models\.author and src\.models\.wr"
    ):
        load("models")


def test_a_broken_file_raises_its_own_error_each_time_until_it_is_mended(site: Write) -> None:
    root = site(
        {
            "src/models/author.py": AUTHOR,
            "src/models/broken.py": AUTHOR.replace("Author", "Broken") + "\n1 / 0\n",
        }
    )
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load("models")
    (root / "src/models/broken.py").write_text(AUTHOR.replace("Author", "Broken") + "\n#mended\n")
    importlib.invalidate_caches()
    assert site_modules.load_models() == ("Author", "Broken")
    (root / "src/models/broken.py").write_text("import nowhere_at_all\n# and longer than before\n")
    site_modules.purge()
    with pytest.raises(ModuleNotFoundError, match="No module named 'nowhere_at_all'"):
        load("models.broken")


def test_a_file_loaded_by_another_way_is_refused(
    site: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = site({"src/models/author.py": AUTHOR})
    load("models")
    monkeypatch.syspath_prepend(str(root / "src" / "models"))
    with pytest.raises(ModelError, match=r"loaded twice, as src\.models\.author and as author"):
        load("author")


def test_models_in_one_file(site: Write) -> None:
    site({"src/models.py": AUTHOR})
    assert load("models").Author is load("src.models").Author
    assert site_modules.load_models() == ("Author",)


def test_a_sites_own_init_file_is_run_and_wins(site: Write) -> None:
    site(
        {
            "src/models/author.py": AUTHOR,
            "src/models/__init__.py": "from .author import Author as Writer\n"
            "__all__ = ['Writer']\n",
        }
    )
    module = load("models")
    assert module.__all__ == ["Writer"]
    assert module.Writer is module.Author
    assert "Writer" in inspect.getsource(module)
    assert "Writer" in (module.__loader__.get_source("src.models") or "")
    assert site_modules.load_models() == ("Author", "Writer")


def test_purging_reads_the_files_anew_and_leaves_other_models_alone(site: Write) -> None:
    class Elsewhere(Model):
        pass

    tags = """
from sqlalchemy import Column, ForeignKey, Table
pairs = Table("pairs", Model.metadata, Column("a", ForeignKey("authors.id"), primary_key=True))
"""
    root = site({"src/models/author.py": AUTHOR + tags, "src/components/C.py": "number = 1\n"})
    before, component = load("models").Author, load("src.components.C")
    (root / "src/models/author.py").write_text(AUTHOR + "    age: Mapped[int]\n" + tags)
    site_modules.purge()
    after = load("models").Author
    assert after is not before
    assert hasattr(after, "age")
    assert load("src.components.C") is not component
    assert Elsewhere(id=1).id == 1
    assert {"elsewheres", "pairs"} <= set(Model.metadata.tables)
    site_modules.uninstall()
    assert "pairs" not in Model.metadata.tables
    registry.forget_models(Model, lambda module: module == __name__)
    assert "elsewheres" not in Model.metadata.tables


def test_a_second_site_replaces_the_first(site: Write, tmp_path: Path) -> None:
    site({"src/models/author.py": AUTHOR})
    first = load("models").Author
    second = tmp_path / "second"
    (second / "src/models").mkdir(parents=True)
    (second / "src/models/author.py").write_text(AUTHOR)
    installed = site_modules.install(second)
    assert site_modules.install(second) is installed is site_modules.current()
    assert str(second) in repr(installed)
    assert load("models").Author is not first
    assert load("models.author").__file__.startswith(str(second))


def test_without_a_site_nothing_is_found(tmp_path: Path) -> None:
    site_modules.uninstall()
    site_modules.uninstall()
    assert site_modules.current() is None
    assert site_modules.load_models() == ()
    site_modules.install(tmp_path)
    try:
        assert site_modules.load_models() == ()
        for name in ("models", "models.post", "src.models"):
            with pytest.raises(ModuleNotFoundError):
                load(name)
    finally:
        site_modules.uninstall()


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no folder"):
        site_modules.install(tmp_path / "nowhere")


def test_other_folders_called_src_are_not_looked_at(
    site: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    (other / "src").mkdir(parents=True)
    (other / "src" / "stray.py").write_text("")
    monkeypatch.syspath_prepend(str(other))
    site({"src/pages/page.py": ""})
    load("src.pages.page")
    with pytest.raises(ModuleNotFoundError):
        load("src.stray")


def test_folders_of_routes_can_be_imported_by_name(site: Write) -> None:
    site({"src/pages/blog/[slug]/page.py": "SSG = True\n"})
    assert load("src.pages.blog.[slug].page").SSG is True


def test_threads_that_import_at_once_get_one_class(site: Write) -> None:
    site(
        {
            "src/models/post.py": "import time; time.sleep(0.05)\n" + POST,
            "src/models/author.py": AUTHOR,
        }
    )
    names = ["models.post", "src.models", "models", "src.models.post"] * 3
    found: list[ModuleType] = []
    start = threading.Barrier(len(names))

    def run(name: str) -> None:
        start.wait()
        found.append(load(name).Post)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(names)
    assert len(set(found)) == 1


def test_a_site_without_models_never_imports_sqlalchemy(tmp_path: Path) -> None:
    (tmp_path / "src/pages").mkdir(parents=True)
    (tmp_path / "src/pages/page.py").write_text("")
    (tmp_path / "src/models").mkdir(parents=True)
    program = (
        "import sys\n"
        "from asok import site_modules\n"
        f"site_modules.install({str(tmp_path)!r})\n"
        "import src.pages.page\n"
        "import models\n"
        "assert 'sqlalchemy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
