"""The whole development server, asked over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from ...services import wait_until
from ..conftest import Spawn
from .conftest import Start

HTML = {"accept": "text/html"}


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers={**HTML, **headers}, timeout=20, follow_redirects=True)


def shows(url: str, text: str) -> bool:
    try:
        return text in get(url).text
    except httpx.TransportError:
        return False


def test_start_says_where_and_how_many_pages(start: Start, site: Path) -> None:
    server = start(site)
    assert "Local    http://127.0.0.1:" in server.said
    assert "Network  asok dev --host 0.0.0.0" in server.said
    assert "1 page, ready in " in server.said
    assert "Count: 10" in get(server.url).text
    server.wait_for("200  GET   /")
    assert server.stop() == 0


def test_python_change_is_served_by_a_new_process(start: Start, site: Path) -> None:
    server = start(site)
    server.write("src/pages/pid/page.py", "import os\ndef get(request): return str(os.getpid())\n")
    wait_until(lambda: get(server.url + "/pid").status_code == 200, what="the new page", limit=20)
    first = serving(server.url)
    server.edit("src/components/Counter.py", "+= 1", "+= 2")
    wait_until(lambda: serving(server.url) != first, what="a new process", limit=20)
    server.wait_for("ready")
    wait_until(lambda: not alive(first), what="the end of the old process", limit=20)


def serving(url: str) -> int:
    """The process that answers; the site has a page that says so."""
    return int(get(url + "/pid").text.split()[0])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_template_change_needs_no_new_process(start: Start, site: Path) -> None:
    server = start(site)
    server.edit("src/pages/page.html", "it is yours", "it is mine")
    wait_until(lambda: shows(server.url, "it is mine"), what="the change", limit=20)
    server.wait_for("reloaded  src/pages/page.html")
    assert "restarting" not in server.said


def test_broken_python_is_shown_and_the_server_stays(start: Start, site: Path) -> None:
    server = start(site)
    server.edit("src/pages/page.py", "SSG = True", "SSG = True\nprices = load_prices()")
    wait_until(lambda: shows(server.url, "load_prices"), what="the failure", limit=20)
    page = get(server.url)
    assert page.status_code == 500
    assert "src/pages/page.py:4" in page.text
    assert "NameError" in page.text
    assert page.headers["cache-control"] == "no-store"
    server.wait_for("at src/pages/page.py:4")
    server.edit("src/pages/page.py", "prices = load_prices()", "")
    wait_until(lambda: shows(server.url, "Count: 10"), what="the fixed page", limit=20)


def test_broken_wsgi_at_the_start_keeps_the_server_up(start: Start, site: Path) -> None:
    wsgi = (site / "wsgi.py").read_text()
    (site / "wsgi.py").write_text("from asok import Asok\napp = Asok(\n")
    server = start(site)
    page = get(server.url)
    assert page.status_code == 500
    assert "wsgi.py:2" in page.text
    (site / "wsgi.py").write_text(wsgi)
    wait_until(lambda: shows(server.url, "Count: 10"), what="the fixed site", limit=20)


def test_site_that_ends_the_process_is_shown(start: Start, site: Path) -> None:
    (site / "wsgi.py").write_text("import sys\nsys.exit('not today')\n")
    server = start(site)
    assert "SystemExit" in get(server.url).text


def test_conflicting_routes_are_shown_with_both_files(start: Start, site: Path) -> None:
    server = start(site)
    server.write("src/pages/[a]/page.html", "a")
    server.write("src/pages/[b]/page.html", "b")
    wait_until(lambda: shows(server.url, "RouteConflict"), what="the conflict", limit=20)
    text = get(server.url).text
    assert "[a]/page.html" in text
    assert "[b]/page.html" in text


def test_bad_settings_are_shown(start: Start, site: Path) -> None:
    (site / ".env").write_text("DEBUG=true\nASOK_PORT=abc\n")
    server = start(site)
    assert "ASOK_PORT" in get(server.url).text


def test_failing_handler_is_shown_with_its_variables_masked(start: Start, site: Path) -> None:
    server = start(site)
    key = (site / ".env").read_text().partition("SECRET_KEY=")[2].strip()
    server.write(
        "src/pages/shop/page.py",
        "def get(request):\n"
        "    price = 12\n"
        f"    hidden = {key!r}\n"
        "    password = 'hunter2'\n"
        "    return str(price / 0)\n",
    )
    wait_until(lambda: shows(server.url + "/shop", "ZeroDivision"), what="the page", limit=20)
    page = get(server.url + "/shop")
    assert page.status_code == 500
    assert "src/pages/shop/page.py:5" in page.text
    assert ">12<" in page.text
    assert page.text.count("hunter2") == 1  # its source is the user's own; its value is not shown
    assert "default-src 'none'" in page.headers["content-security-policy"]
    other = httpx.get(server.url + "/shop", headers={"accept": "application/json"})
    assert other.status_code == 500
    assert other.text.startswith("ZeroDivisionError: division by zero\n  at src/pages/shop/page.py")


def test_source_is_not_shown_under_a_foreign_name(start: Start, site: Path) -> None:
    server = start(site)
    server.edit("src/pages/page.html", "{% block main %}", "{% block main %}{{ missing }}")
    wait_until(lambda: get(server.url).status_code == 500, what="the failure", limit=20)
    page = get(server.url, host="evil.example")
    assert "page.html" not in page.text


def test_missing_page_lists_what_is_near(start: Start, site: Path) -> None:
    server = start(site)
    server.write("src/pages/about/page.html", "about")
    wait_until(lambda: get(server.url + "/about").status_code == 200, what="the page", limit=20)
    page = get(server.url + "/abuot")
    assert page.status_code == 404
    assert "src/pages/abuot/page.html" in page.text
    assert "asok make page abuot" in page.text
    assert page.text.count('href="/about"') == 2
    assert "There is nothing here." in get(server.url + "/abuot?asok-404").text
    asked_by_code = httpx.get(server.url + "/abuot", headers={"accept": "application/json"})
    assert "Did you mean" not in asked_by_code.text


def test_pages_get_the_script_and_other_answers_do_not(start: Start, site: Path) -> None:
    server = start(site)
    page = get(server.url)
    assert '<script src="/asok/dev.js?v=1.0" defer></script>' in page.text
    assert '<script src="/asok/dev/panel/tap.js?page=1"></script>' in page.text
    assert int(page.headers["content-length"]) == len(page.content)
    assert "asok/dev" not in get(server.url + "/static/css/base.css").text
    script = get(server.url + "/asok/dev.js")
    assert script.headers["content-type"].startswith("text/javascript")
    head = httpx.head(server.url, headers=HTML)
    assert head.status_code == 200
    assert head.content == b""


def test_port_that_is_taken_is_refused_with_the_next_one(spawn: Spawn, site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = spawn("dev", "--port", str(port), cwd=site)
    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in result.stderr
    assert "Try: asok dev --port" in result.stderr


def test_no_process_is_left_when_the_supervisor_is_killed(start: Start, site: Path) -> None:
    server = start(site)
    children = descendants(server.process.pid)
    assert len(children) == 2
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    wait_until(lambda: not any(map(alive, children)), what="the end of the children", limit=20)


def descendants(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]
    parents = {int(line.split()[0]): int(line.split()[1]) for line in found}
    below = [child for child, parent in parents.items() if parent == pid]
    return below + [one for child in below for one in descendants(child)]


def test_serving_process_that_is_killed_is_started_again(start: Start, site: Path) -> None:
    server = start(site)
    server.write("src/pages/pid/page.py", "import os\ndef get(request): return str(os.getpid())\n")
    wait_until(lambda: get(server.url + "/pid").status_code == 200, what="the page", limit=20)
    os.kill(serving(server.url), signal.SIGKILL)
    server.wait_for("starting it again")
    wait_until(lambda: shows(server.url, "Count: 10"), what="the new process", limit=20)


def test_sigterm_ends_it_in_order(start: Start, site: Path) -> None:
    server = start(site)
    children = descendants(server.process.pid)
    os.kill(server.process.pid, signal.SIGTERM)
    assert server.process.wait(20) == 0
    assert not any(map(alive, children))


def test_zygote_needs_the_interpreter_of_the_command_only(site: Path) -> None:
    code = "import asok.cli.dev.zygote, sys; print('click' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def test_missing_database_is_made_and_later_migrations_are_told(start: Start, blog: Path) -> None:
    server = start(blog)
    assert "made db.sqlite3: 2 migrations" in server.said
    assert "Static until it matters" in get(server.url).text
    assert server.stop() == 0
    (blog / "src/migrations/20270101_000000_more.py").write_text(
        '"""More"""\nrevision = "20270101_000000"\ndown_revision = "20260101_000001"\n'
        "def upgrade() -> None: ...\ndef downgrade() -> None: ...\n"
    )
    again = start(blog)
    again.wait_for("1 migration is not in the database yet: asok migrate")
    assert "made db" not in again.said


def test_migration_that_fails_is_shown(start: Start, blog: Path) -> None:
    first = blog / "src/migrations/20260101_000000_create_posts_and_messages.py"
    first.write_text(
        first.read_text().replace("def upgrade() -> None:", "def upgrade() -> None:\n    1 / 0")
    )
    server = start(blog)
    assert "ZeroDivisionError" in get(server.url).text
