"""A stored page of 12 KB against constant bytes with the same headers on the same server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from load import compare, server
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


def write_constant(folder: Path, answer: httpx.Response) -> Path:
    import pickle

    folder.mkdir()
    headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower() not in (b"date", b"server", b"set-cookie")
    ]
    data = pickle.dumps((200, headers, answer.content))
    (folder / "answer.pickle").write_bytes(data)
    (folder / "constant.py").write_text(CONSTANT)
    return folder


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        site = hits(root / "site")
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run([sys.executable, "-m", "asok", "build"], cwd=site, check=True,
                       env=environment, stdout=subprocess.DEVNULL)  # fmt: skip
        with server("wsgi:app", site, environment) as url:
            first = httpx.get(url + "/holes")
            cookie = {"Cookie": f"asok={first.cookies['asok']}"}
            plain = httpx.get(url + "/plain", headers={"accept-encoding": "identity"})
            assert first.headers["x-asok-ssg-cache"] == plain.headers["x-asok-ssg-cache"] == "HIT"
            with (
                server("constant:app", write_constant(root / "a", first), environment) as floor,
                server("constant:app", write_constant(root / "b", plain), environment) as bare,
            ):
                print("nonce and CSRF filled, against constant bytes:")
                compare(
                    {
                        "constant bytes": (floor + "/", cookie),
                        "hit with holes": (url + "/holes", cookie),
                        "hit with holes, first visit (a cookie is made)": (url + "/holes", {}),
                    },
                    "constant bytes",
                )
                print("without holes, against constant bytes:")
                compare(
                    {
                        "constant bytes": (bare + "/", {}),
                        "hit without holes": (url + "/plain", {}),
                        "hit without holes, brotli": (url + "/plain", {"Accept-Encoding": "br"}),
                    },
                    "constant bytes",
                )


if __name__ == "__main__":
    main()
