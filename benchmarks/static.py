"""A static file of 12 KB against constant bytes, Starlette's StaticFiles and WhiteNoise.

Everything is measured in one run, in turn, round after round. Then the start with 10,000 files
and the memory that it takes, each in a process of its own, against WhiteNoise's.
`--no-start` leaves the start out, `--no-peers` the others.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import httpx
from load import ROUNDS, SECONDS, Row, compare, running, server
from sites import write

from pages import raw, write_constant

FILES = 10_000
CSS = "".join(
    f".block-{n} > a:hover {{ margin: {n}px auto; color: #{n:06x} }}\n" for n in range(229)
)

APPS = """
from pathlib import Path

def missing(environ, start_response):
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]

def white():
    from whitenoise import WhiteNoise
    return WhiteNoise(missing, root="files", prefix="static", max_age=31536000)

def pyramid():
    from tet.config import application_factory
    @application_factory(excluded_features=["renderers.tonnikala"])
    def main(config):
        config.include("tet.static")
        config.set_cachebreaker("1")
        config.add_static_view_with_breaker("static/{breaker}", str(Path("files").absolute()))
        config.add_static_view("plain", str(Path("files").absolute()))
    return main({})

def starlette():
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles
    return Starlette(routes=[Mount("/static", StaticFiles(directory="files"))])
"""

#: Makes the thing, asks for one file, and prints milliseconds, those of processor time, and KiB
#: of memory that it took.
START = """
import gc, json, sys, time
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

def asok(folder):
    from asok.assets import ManifestAssets
    def start():
        assets = ManifestAssets(folder)
        assert assets.plan("GET", assets.url("h/file-7.css"), "", []).status == 200
        return assets
    return start

def whitenoise(folder):
    from whitenoise import WhiteNoise
    def start():
        made = WhiteNoise(None, root=str(folder), prefix="static", max_age=31536000)
        assert len(made.files) >= 10_000
        return made
    return start

start = globals()[sys.argv[1]](Path(sys.argv[2]))
gc.collect()
before, began, busy = resident(), time.perf_counter(), time.process_time()
kept = start()
spent, used = time.perf_counter() - began, time.process_time() - busy
gc.collect()
print(json.dumps([spent * 1000, used * 1000, resident() - before]))
"""


def rates(root: Path, environment: Mapping[str, str], stack: ExitStack) -> dict[str, Row]:
    """Serve the same file by everything that is there."""
    site = write(
        root / "site",
        {
            "src/partials/css/big.css": CSS,
            "src/pages/page.html": "{{ static('css/big.css') }}",
        },
    )
    subprocess.run([sys.executable, "-m", "asok", "build"], cwd=site, check=True,
                   env=environment, stdout=subprocess.DEVNULL)  # fmt: skip
    url = stack.enter_context(server("wsgi:app", site, environment))
    file = url + httpx.get(url + "/").text.strip()
    answer, body = raw(file, "identity")
    small, squeezed = raw(file, "br")
    assert squeezed != body
    print(f"{len(body)} bytes, {len(squeezed)} with brotli")
    brotli = {"Accept-Encoding": "br"}
    plain = write_constant(root / "constant", answer, body)
    packed = write_constant(root / "packed", small, squeezed)
    rows = {
        "constant bytes": Row(
            stack.enter_context(server("constant:app", plain, environment)) + "/", "constant bytes"
        ),
        "Asok": Row(file, "constant bytes"),
        "constant bytes, brotli": Row(
            stack.enter_context(server("constant:app", packed, environment)) + "/",
            "constant bytes, brotli", brotli,
        ),
        "Asok, brotli": Row(file, "constant bytes, brotli", brotli),
    }  # fmt: skip
    if "--no-peers" in sys.argv:
        return rows
    others = root / "others"
    (others / "files").mkdir(parents=True)
    (others / "files/big.css").write_bytes(body)
    (others / "apps.py").write_text(APPS)
    asgi = stack.enter_context(factory("uvicorn", "starlette", others, environment))
    rows["Starlette's StaticFiles, uvicorn"] = Row(f"{asgi}/static/big.css", "constant bytes")
    if find_spec("gunicorn") is None:
        print("WSGI is left out: gunicorn is not installed.")
        return rows
    wsgi = stack.enter_context(factory("gunicorn", "pyramid", others, environment))
    rows["tet.static, gunicorn"] = Row(f"{wsgi}/static/1/big.css", "constant bytes")
    rows["Pyramid's static view, gunicorn"] = Row(f"{wsgi}/plain/big.css", "constant bytes")
    if find_spec("whitenoise") is None:
        print("WhiteNoise is left out: it is not installed (pip install 'asok[bench]').")
        return rows
    white = stack.enter_context(factory("gunicorn", "white", others, environment))
    rows["WhiteNoise, gunicorn"] = Row(f"{white}/static/big.css", "constant bytes")
    return rows


def factory(kind: str, name: str, folder: Path, environment: Mapping[str, str]):
    """Serve what `apps.<name>()` returns."""
    if kind == "uvicorn":
        command = [
            sys.executable, "-m", "uvicorn", "--factory", f"apps:{name}", "--port", "{port}",
            "--no-access-log", "--log-level", "warning", "--no-server-header", "--no-date-header",
        ]  # fmt: skip
    else:
        command = [
            sys.executable, "-W", "ignore", "-m", "gunicorn", "-w", "1", "-k", "gthread",
            "--threads", "4", "-b", "127.0.0.1:{port}", "--log-level", "warning",
            "--keep-alive", "60", f"apps:{name}()",
        ]  # fmt: skip
    return running(command, folder, environment)


def starts(root: Path, environment: Mapping[str, str]) -> None:
    """Print what the start with 10,000 files costs."""
    from asok.assets import build_assets

    source, out = root / "many", root / "published"
    for number in range(FILES):
        path = source / "abcdefghij"[number % 10] / f"file-{number}.css"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f".file-{number} {{ color: red }}\n" * 40)
    build_assets([source], out, quality=1, minify=False)
    print(f"\nThe start with {FILES:,} files, and their compressed forms:")
    names = ["asok", *(["whitenoise"] if find_spec("whitenoise") else [])]
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            done = subprocess.run(
                [sys.executable, "-c", START, name, str(out)],
                capture_output=True, text=True, env=dict(environment), check=True,
            )  # fmt: skip
            found[name].append(tuple(json.loads(done.stdout)))
    for name, rounds in found.items():
        spent, used, taken = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(
            f"{name:12} {spent:8.1f} ms, {used:.1f} ms of processor time  {taken / 1024:6.1f} MiB"
        )


def main() -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        rows = rates(Path(name), environment, stack)
        print(f"{ROUNDS} rounds of {SECONDS} s each, 16 connections; ratios to the constant bytes:")
        compare(rows)
        if "--no-start" not in sys.argv:
            starts(Path(name), environment)


if __name__ == "__main__":
    main()
