"""A stored page of 12 KB against constant bytes on the same server, Django and Next.js.

Everything is measured in one run, in turn, round after round; also while the pages are
regenerated all the time. `--no-peers` leaves the others out.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import peers
from load import ROUNDS, SECONDS, Awake, Row, compare, server
from sites import hits

#: Sends what a hit sent, as fast as this server can: the floor of everything.
CONSTANT = """
import pathlib, pickle
STATUS, HEADERS, BODY = pickle.loads(pathlib.Path(__file__).with_name("answer.pickle").read_bytes())
START = {"type": "http.response.start", "status": STATUS, "headers": HEADERS}
END = {"type": "http.response.body", "body": BODY}
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send(START)
        await send(END)
    else:
        await receive(); await send({"type": "lifespan.startup.complete"})
        await receive(); await send({"type": "lifespan.shutdown.complete"})
"""

#: Makes both pages due again, twenty times a second: each time a visitor gets the old page and
#: the worker makes a new one behind it.
STORM = """
import time
from wsgi import app
while True:
    for path in ("/holes", "/plain"):
        app.store.invalidate(path, time.time(), block=False)
    time.sleep(0.05)
"""


def write_constant(folder: Path, answer: httpx.Response, body: bytes) -> Path:
    folder.mkdir()
    headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower() not in (b"date", b"server", b"set-cookie")
    ]
    (folder / "answer.pickle").write_bytes(pickle.dumps((200, headers, body)))
    (folder / "constant.py").write_text(CONSTANT)
    return folder


def raw(url: str, coding: str) -> tuple[httpx.Response, bytes]:
    """Ask for a page in one content coding; returns the answer and its bytes as they came."""
    with httpx.stream("GET", url, headers={"accept-encoding": coding}) as answer:
        return answer, b"".join(answer.iter_raw())


@contextmanager
def storm(site: Path, environment: Mapping[str, str]) -> Generator[Awake]:
    """A process that makes the pages of `site` due all the time, while it is awake."""
    process = subprocess.Popen([sys.executable, "-c", STORM], cwd=site, env=dict(environment))
    try:
        process.send_signal(signal.SIGSTOP)
        yield Awake(process)
    finally:
        process.kill()
        process.wait()


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        calm, stormy = hits(root / "site"), hits(root / "stormy")
        for site in (calm, stormy):
            subprocess.run([sys.executable, "-m", "asok", "build"], cwd=site, check=True,
                           env=environment, stdout=subprocess.DEVNULL)  # fmt: skip
        url = stack.enter_context(server("wsgi:app", calm, environment))
        restless = stack.enter_context(server("wsgi:app", stormy, environment))
        raging = stack.enter_context(storm(stormy, environment))

        filled = httpx.get(url + "/holes")
        cookie = {"Cookie": f"asok={filled.cookies['asok']}"}
        same = {"Cookie": f"asok={httpx.get(restless + '/holes').cookies['asok']}"}
        floors: dict[str, str] = {}
        for kind, answer, body in (
            ("holes", filled, filled.content),
            ("plain", *raw(url + "/plain", "identity")),
            ("brotli", *raw(url + "/plain", "br")),
        ):
            assert answer.headers["x-asok-ssg-cache"] == "HIT"
            folder = write_constant(root / kind, answer, body)
            floors[kind] = stack.enter_context(server("constant:app", folder, environment))
        brotli = {"Accept-Encoding": "br"}
        rows = {
            "constant bytes, a filled page's": Row(floors["holes"] + "/", "", cookie),
            "hit with holes": Row(url + "/holes", "", cookie),
            "hit with holes, first visit (a cookie is made)": Row(url + "/holes", ""),
            "hit with holes, storm of regenerations": Row(restless + "/holes", "", same, raging),
            "constant bytes": Row(floors["plain"] + "/", ""),
            "hit without holes": Row(url + "/plain", ""),
            "hit without holes, storm of regenerations": Row(restless + "/plain", "", {}, raging),
            "constant bytes, brotli": Row(floors["brotli"] + "/", "", brotli),
            "hit without holes, brotli": Row(url + "/plain", "", brotli),
        }
        floor = ""
        for row, given in rows.items():
            floor = row if row.startswith("constant") else floor
            rows[row] = Row(given.url, floor, given.headers, given.during)
        if "--no-peers" not in sys.argv:
            others = {
                **peers.django(root / "django", environment, stack),
                **peers.next_js(root / "next", environment, stack),
            }
            rows |= {row: Row(other + "/", "constant bytes") for row, other in others.items()}
        print(f"{ROUNDS} rounds of {SECONDS} s each, 16 connections; ratios to the constant bytes:")
        compare(rows)
        for site, count in ((calm, "calm"), (stormy, "stormy")):
            made = [(site / f"renders-{page}").stat().st_size for page in ("holes", "plain")]
            print(f"renders of the two pages, {count}: {made[0]} and {made[1]}")


if __name__ == "__main__":
    main()
