"""The time in which a page comes back whose worker was really killed, in Chromium.

Kills the server of a page with a live counter (SIGKILL), calls while nobody is there, starts the
server again, and prints the milliseconds from the server's first accepted connection to the
answer on the screen; `--transport post` does the same where no WebSocket gets through. The page
must not have been loaded anew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from load import free_port
from playwright.sync_api import Page, sync_playwright
from sites import live_site

#: Milliseconds that the issue of the live components allows.
GOAL = 2_000
#: A WebSocket that never gets through.
BLOCKED = """window.WebSocket = class extends EventTarget {
  readyState = 0;
  constructor() {
    super();
    setTimeout(() => {
      this.readyState = 3;
      this.onerror?.({ type: "error" });
      this.onclose?.({ type: "close" });
    }, 20);
  }
  send() {}
  close() {}
}"""
#: When the counter shows what it is to show, on the page's clock.
WATCH = """text => { window.shown = new Promise(found => {
  const look = () => document.querySelector("h3").textContent == text &&
    found(performance.timeOrigin + performance.now());
  new MutationObserver(look).observe(document, { subtree: true, childList: true,
                                                 characterData: true });
}) }"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--away", type=float, default=3.0, help="seconds without a server")
    parser.add_argument("--transport", choices=["websocket", "post"], default="websocket")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        server = Server(live_site(Path(name)))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context()
        if options.transport == "post":
            context.add_init_script(BLOCKED)
        found = [
            away_and_back(context.new_page(), server, options.away) for _ in range(options.rounds)
        ]
        browser.close()
    slow = sum(one > GOAL for one in found)
    print(
        f"{options.transport}, {options.rounds} times killed and away for {options.away:g} s: "
        f"median {statistics.median(found):,.0f} ms, worst {max(found):,.0f} ms from the server's "
        f"return to the answer; {slow} above {GOAL:,} ms"
    )


class Server:
    """A site on a port of its own, which is killed and started again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; returns when it first took a connection (seconds since 1970)."""
        command = [
            sys.executable, "-m", "uvicorn", "wsgi:app", "--port", str(self.port),
            "--log-level", "critical",
        ]  # fmt: skip
        environment = {**os.environ, "SECRET_KEY": "a-key-for-a-benchmark-" * 3}
        self.process = subprocess.Popen(command, cwd=self.root, env=environment)
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return time.time()
            time.sleep(0.002)

    def kill(self) -> None:
        """Kill it, as the kernel does that runs out of memory."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def away_and_back(page: Page, server: Server, away: float) -> float:
    """Return the milliseconds from the server's return to the answer of a call made meanwhile."""
    server.start()
    try:
        page.goto(f"http://127.0.0.1:{server.port}/")
        count = int((page.locator("h3").text_content() or "").rpartition(" ")[2])
        page.evaluate(WATCH, f"Count: {count + 1}")
        page.get_by_role("button").click()
        page.evaluate("shown")
        page.evaluate("document.documentElement.dataset.same = 'page'")
        server.kill()
        page.evaluate(WATCH, f"Count: {count + 2}")
        page.get_by_role("button").click()
        page.wait_for_timeout(away * 1000)
        returned = server.start()
        shown = float(page.evaluate("shown"))
        if page.evaluate("document.documentElement.dataset.same") != "page":
            raise SystemExit("the page was loaded anew")
        return shown - returned * 1000
    finally:
        page.close()
        server.kill()


if __name__ == "__main__":
    main()
