"""`asok build`: bytecode, assets and static pages, published as one release."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asok import dependencies
from asok.cli.build_report import BuildReport
from asok.cli.failure import Failure
from asok.cli.failure import as_json as as_json_error
from asok.cli.group import NamedChoice, asok_command
from asok.cli.listing import listing
from asok.cli.progress import Progress, shown_progress
from asok.cli.site import find_site, import_site, production
from asok.cli.size import SIZE
from asok.errors import AsokError

if TYPE_CHECKING:
    from asok.assets import Manifest
    from asok.checks import Links
    from asok.settings import Settings

__all__ = ["build"]


@asok_command(
    "build",
    example="asok build\nasok build --full --json\nasok build --links warn --budget 200KB\n"
    "asok build -o dist --keep-source",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Build a copy of the site into this folder, ready for a server.",
)
@click.option("--keep-source", is_flag=True, help="With -o: keep the Python source in the copy.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that render pages.")
@click.option(
    "--links",
    type=NamedChoice(["error", "warn", "off"]),
    default="error",
    help="What a link that leads nowhere does: fail the build (error), or be told of (warn).",
)
@click.option(
    "--budget",
    type=SIZE,
    help="What a page may weigh with its scripts and styles, as sent. Default: ASOK_PAGE_BUDGET.",
)
@click.option("--full", is_flag=True, help="Render every page, also those that did not change.")
@click.option("--json", "as_json", is_flag=True, help="Print a report for other programs.")
def build(
    output: Path | None,
    keep_source: bool,
    workers: int | None,
    links: Links,
    budget: int | None,
    full: bool,
    as_json: bool,
) -> None:
    """Build the site for production.

    Compiles its Python, minifies and names its assets by their content, and renders every
    static page that would not come out as the last build made it. A page that fails fails
    the build, and so does a link that leads nowhere or a page over its budget: it exits with
    1, and what was built before stays in use.
    """
    if keep_source and output is None:
        raise click.UsageError("--keep-source is about the copy that -o makes: add -o FOLDER.")
    root = find_site()
    wishes = _Wishes(workers, links, budget, full)
    started = time.perf_counter()
    production()
    try:
        with _seldom_collecting(), shown_progress(quiet=as_json) as progress:
            if output is None:
                report = _build(root, progress, started, wishes, strip=False)
            else:
                report = _build_copy(root, output, progress, started, wishes, not keep_source)
    except AsokError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"ok": False, "error": as_json_error(error)}, indent=2))
        raise click.exceptions.Exit(Failure.exit_code) from error
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
        return
    report.write()
    where = f"cd {output} && " if output is not None else ""
    click.echo(click.style(f"    look at it: {where}asok preview\n", dim=True))


@contextmanager
def _seldom_collecting() -> Generator[None]:
    """Look for cyclic garbage a hundred times less often: a tenth of a build's time is that.

    Imports and pages make many objects that stay and few cycles; the bound keeps the memory
    of 30,000 pages flat.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the command line asks of a build."""

    workers: int | None
    links: Links
    budget: int | None
    full: bool


def _build_copy(
    root: Path, output: Path, progress: Progress, started: float, wishes: _Wishes, strip: bool
) -> BuildReport:
    from dotenv import dotenv_values

    from asok.cli.output import staged
    from asok.settings import Settings

    output = output.absolute()
    # The copy has no .env, which is this machine's; its build reads the same settings.
    settings = Settings.load(root)
    for name, value in dotenv_values(root / ".env").items():
        os.environ.setdefault(name, value or "")
    os.environ.setdefault("DATABASE_URL", settings.database_url)
    before = Path.cwd()
    with staged(root, output) as copy:
        os.environ["ASOK_ROOT"] = str(copy)
        try:
            return _build(copy, progress, started, wishes, strip=strip)
        except AsokError as error:
            # The copy goes away: what is to be mended is the site's own file.
            error.message = error.message.replace(str(copy), str(root))
            if error.file is not None and error.file.is_relative_to(copy):
                error.file = root / error.file.relative_to(copy)
            raise
        finally:
            os.chdir(before)


def _build(
    root: Path, progress: Progress, started: float, wishes: _Wishes, *, strip: bool
) -> BuildReport:
    from asok.checks import SiteChecks
    from asok.cli import bytecode
    from asok.contents import remembering
    from asok.settings import Settings

    source = root / "src"
    modules = bytecode.replace_source(source) if strip else bytecode.compile_source(source)
    settings = Settings.load(root)
    assets = _Assets(root / ".asok" / "assets", settings)
    memory = settings.state_folder / "ssg_cache" / "contents"
    with assets, remembering(memory), dependencies.watch(root):
        manifest = assets.build(root, progress)
        app = import_site(root)
        checks = SiteChecks(app, links=wishes.links, budget=wishes.budget, served=app.front.doors)
        pages, release = app.freeze(
            progress=lambda done, total, _: progress.step("Pages", done, total),
            workers=wishes.workers,
            checks=[checks],
            full=wishes.full,
        )
        assets.keep()
    return BuildReport(
        root=root,
        lines=listing(app),
        pages=pages,
        assets=manifest,
        modules=modules,
        release=release.folder.name,
        findings=checks.findings,
        seconds=time.perf_counter() - started,
    )


class _Assets:
    """The published assets: their manifest goes back to what it was unless `keep` is called.

    The files of the last releases stay beside the new ones, so the old manifest is whole.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self._settings = settings
        self._manifest = folder / "manifest.json"
        self._kept = False
        self._before: bytes | None = None

    def build(self, root: Path, progress: Progress) -> Manifest:
        """Build the assets of the site at `root`."""
        from asok.assets import build_assets, scan, site_pins, site_roots

        roots = site_roots(root)
        total = len(scan(roots))
        done = 0

        def stepped(_name: str) -> None:
            nonlocal done
            done += 1
            progress.step("Assets", done, total)

        return build_assets(
            roots,
            self.folder,
            form=self._settings.assets,
            release=self._settings.release,
            keep=self._settings.assets_keep,
            pins=site_pins(root),
            progress=stepped,
        )

    def keep(self) -> None:
        """The build succeeded."""
        self._kept = True

    def __enter__(self) -> None:
        if self._manifest.is_file():
            self._before = self._manifest.read_bytes()

    def __exit__(self, *_: object) -> None:
        from asok import atomic

        if self._kept:
            return
        if self._before is not None:
            atomic.write(self._manifest, self._before, mode=0o644)
        else:
            self._manifest.unlink(missing_ok=True)
