"""nginx, Varnish and Squid as shared caches in front of a site: unprivileged, on free ports.

Each is configured as its own documentation shows for a reverse proxy, and trusts the site:
visitors' cookies don't switch the cache off, so only the site's own headers keep private
answers out of it. Their folders are temporary, and they are ended by their own pid.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.services import free_port, wait_until

__all__ = ["PROXIES", "Proxy", "nginx", "proxy_before", "shared_cache", "varnish"]

#: What every nginx here has; `{inside}` are its servers. The cache is called "pages".
NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache levels=1:2 keys_zone=pages:10m max_size=64m use_temp_path=off;
{inside}}}
"""
ONE_SITE = """
    upstream site {{ server 127.0.0.1:{origin}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_cache pages;
            proxy_cache_revalidate on;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            add_header X-Proxy $upstream_cache_status always;
        }}
        # What makes web cache deception possible: files are kept whatever their headers say.
        location ~ "[.](css|js|png)$" {{
            proxy_pass http://site;
            proxy_set_header Host $http_host;
            proxy_cache pages;
            proxy_ignore_headers Cache-Control Expires Set-Cookie;
            proxy_cache_valid 200 10m;
            add_header X-Proxy $upstream_cache_status always;
        }}
    }}
"""

# Varnish's own rules pass every request with a cookie; this asks the cache for all of them.
VARNISH = """
vcl 4.1;
backend site {{ .host = "127.0.0.1"; .port = "{origin}"; }}
sub vcl_recv {{
    if (req.method == "GET" || req.method == "HEAD") {{ return (hash); }}
}}
sub vcl_backend_response {{
    set beresp.keep = 1h;
    # What makes web cache deception possible: files are kept whatever their headers say.
    if (beresp.status == 200 && bereq.url ~ "[.](css|js|png)$") {{
        unset beresp.http.Set-Cookie;
        set beresp.ttl = 10m;
        return (deliver);
    }}
}}
sub vcl_deliver {{
    set resp.http.X-Proxy = "MISS";
    if (obj.hits > 0) {{ set resp.http.X-Proxy = "HIT"; }}
}}
"""

SQUID = """
http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest originserver name=site
http_access allow all
cache_peer_access site allow all
# What makes web cache deception possible: files are kept whatever their headers say.
refresh_pattern -i [.](css|js|png)$ 10 100% 10 override-expire ignore-no-store ignore-private
refresh_pattern . 0 0% 0
cache_mem 64 MB
maximum_object_size_in_memory 4 MB
memory_cache_shared off
access_log none
cache_store_log none
cache_log {folder}/cache.log
netdb_filename none
pid_filename {folder}/squid.pid
coredump_dir {folder}
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
via off
"""


@dataclass(frozen=True)
class Proxy:
    """A running shared cache: its base URL, its folder and what it keeps its bytes in."""

    name: str
    url: str
    folder: Path
    pid: int

    def hit(self, answer: httpx.Response) -> bool:
        """Whether it answered from what it had stored, by its own word."""
        told = answer.headers.get("x-proxy") or answer.headers.get("x-cache", "")
        return told.startswith(("HIT", "STALE", "UPDATING", "REVALIDATED"))

    def stored(self) -> bytes:
        """Everything that it stored in files; nothing for one that stores in memory only."""
        folder = self.folder / "cache"
        return b"\n".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def nginx(folder: Path, inside: str) -> list[str]:
    """Return the command of an nginx with these servers, its files in `folder`."""
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, inside=inside))
    return [_program("nginx", "nginx-light"), "-e", "stderr", "-c", str(config)]


def _nginx(folder: Path, port: int, origin: int) -> list[str]:
    return nginx(folder, ONE_SITE.format(port=port, origin=origin))


def varnish(folder: Path, port: int, rules: str) -> list[str]:
    """Return the command of a Varnish with these rules, its files in `folder`."""
    config = folder / "site.vcl"
    config.write_text(rules)
    return [
        _program("varnishd", "varnish"), "-F", "-n", str(folder / "work"), "-f", str(config),
        "-a", f"127.0.0.1:{port}", "-T", "none", "-j", "none", "-s", "malloc,64m",
        # Leaves Accept-Encoding and Vary to the site and its visitors, as other caches do.
        "-p", "http_gzip_support=off",
    ]  # fmt: skip


def _varnish(folder: Path, port: int, origin: int) -> list[str]:
    return varnish(folder, port, VARNISH.format(origin=origin))


def _squid(folder: Path, port: int, origin: int) -> list[str]:
    config = folder / "squid.conf"
    config.write_text(SQUID.format(folder=folder, port=port, origin=origin))
    return [_program("squid", "squid"), "-N", "-f", str(config)]


Command = Callable[[Path, int, int], list[str]]

PROXIES: dict[str, Command] = {"nginx": _nginx, "varnish": _varnish, "squid": _squid}


def _program(name: str, package: str) -> str:
    """Debian keeps these in /usr/sbin, which is not in every PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(
            f"{name} is not installed, and this test needs the real one: "
            f"sh scripts/soak_services.sh, or apt-get install -y {package}"
        )
    return found


@contextmanager
def proxy_before(origin: str, name: str) -> Generator[Proxy]:
    """Run the shared cache `name` in front of the site at the URL `origin`."""
    site = int(origin.rpartition(":")[2])
    with shared_cache(name, lambda folder, port: PROXIES[name](folder, port, site)) as proxy:
        yield proxy


@contextmanager
def shared_cache(name: str, command: Callable[[Path, int], list[str]]) -> Generator[Proxy]:
    """Run what `command` returns for a folder and a port, and wait until it listens."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix=f"asok-{name}-"))
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    process = None
    try:
        arguments = command(folder, port)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                arguments,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", "") + ":/usr/sbin", "HOME": str(folder)},
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        wait_until(lambda: _listens(process, port, folder), what=f"the start of {name}")
        yield Proxy(name, f"http://127.0.0.1:{port}", folder, process.pid)
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _listens(process: subprocess.Popen[bytes], port: int, folder: Path) -> bool:
    if process.poll() is not None:
        pytest.fail(f"it ended with {process.returncode}:\n{(folder / 'log').read_text()}")
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
