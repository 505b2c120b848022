"""`asok export`: the site as plain files, for hosts that run nothing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from dotenv import dotenv_values

from asok.cli.export_report import write_report
from asok.cli.failure import Failure, as_json
from asok.cli.group import asok_command
from asok.cli.progress import Progress, shown_progress
from asok.cli.site import find_site, import_site, production
from asok.cli.staging import replaced
from asok.errors import AsokError

if TYPE_CHECKING:
    from asok.export import ExportReport

__all__ = ["export"]

_MARK = ".asok-export"


@asok_command(
    "export",
    example="asok export dist\nasok export dist --flat --strict\nasok export dist --json",
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--flat", is_flag=True, help="Write about.html instead of about/index.html.")
@click.option("--live", is_flag=True, help="A server answers /asok/ beside the files.")
@click.option("--precompress", is_flag=True, help="Write .br and .gz forms beside the files.")
@click.option("--strict", is_flag=True, help="Exit with 1 where anything could not be exported.")
@click.option("--json", "as_text", is_flag=True, help="Print a report for other programs.")
def export(
    folder: Path, flat: bool, live: bool, precompress: bool, strict: bool, as_text: bool
) -> None:
    """Write the site as plain files for a static host.

    Static pages, assets, the 404 page, sitemap.xml, and the headers and redirects that hosts
    read. Each page holds its own Content-Security-Policy. What needs a server is listed with
    the reason. FOLDER must be empty or an earlier export; it is replaced as a whole.
    """
    root = find_site()
    started = time.perf_counter()
    production()
    folder = folder.absolute()
    if not live:
        _without_secret(root)
    try:
        with shown_progress(quiet=as_text) as progress:
            report = _export(root, folder, progress, flat=flat, live=live, precompress=precompress)
    except AsokError as error:
        if not as_text:
            raise
        click.echo(json.dumps({"ok": False, "error": as_json(error)}, indent=2))
        raise click.exceptions.Exit(Failure.exit_code) from error
    failed = strict and bool(report.shortfalls)
    seconds = time.perf_counter() - started
    if as_text:
        found = {"ok": not failed, "folder": str(folder), "seconds": round(seconds, 4)}
        click.echo(json.dumps({**found, **report.as_json()}, indent=2))
    else:
        write_report(report, folder, seconds)
    if failed:
        raise click.exceptions.Exit(Failure.exit_code)


def _without_secret(root: Path) -> None:
    """A site without a secret key gets one: nothing that an export signs is ever verified.

    It is always the same, so that the same site gives the same files.
    """
    if not (os.environ.get("SECRET_KEY") or dotenv_values(root / ".env").get("SECRET_KEY")):
        os.environ["SECRET_KEY"] = "an-export-needs-no-secret-" * 2


def _export(
    root: Path, folder: Path, progress: Progress, *, flat: bool, live: bool, precompress: bool
) -> ExportReport:
    from asok.assets import ManifestAssets, build_assets, site_pins, site_roots
    from asok.export import export_site

    with (
        replaced(root, folder, mark=_MARK, command="asok export") as staging,
        TemporaryDirectory(prefix=".assets-", dir=staging.parent) as assets,
    ):
        published = Path(assets)
        # What was built for the server stays as it is; unchanged files are taken over.
        build_assets(
            site_roots(root),
            published,
            keep=0,
            pins=site_pins(root),
            previous=root / ".asok" / "assets",
        )
        app = import_site(root)
        origin, mount = app.settings.assets_url, app.settings.base_path
        app.assets = app.addresses.assets = ManifestAssets(published, origin=origin, mount=mount)
        return export_site(
            app,
            published,
            staging,
            flat=flat,
            live=live,
            compressed=precompress,
            progress=lambda done, total: progress.step("Pages", done, total),
        )
