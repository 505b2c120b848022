from __future__ import annotations

import socket
from collections.abc import Generator

import pytest

from asok.cli.dev.address import free_port_after, listen, network_host, url_host
from asok.errors import CommandError


@pytest.fixture
def taken() -> Generator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_free_port_is_listened_on_and_inherited() -> None:
    with listen("127.0.0.1", 0) as sock:
        assert sock.getsockname()[1] > 0
        assert sock.get_inheritable()
        with socket.create_connection(sock.getsockname(), timeout=5):
            pass


def test_taken_port_is_refused_with_the_next_free_one(taken: int) -> None:
    with pytest.raises(CommandError, match=f"port {taken} of 127.0.0.1 is taken") as caught:
        listen("127.0.0.1", taken, command="asok preview")
    assert caught.value.fix is not None
    port = int(caught.value.fix.rpartition(" ")[2])
    assert caught.value.fix == f"Try: asok preview --port {port}"
    assert port > taken
    listen("127.0.0.1", port).close()


def test_taken_last_port_has_no_next_one() -> None:
    assert free_port_after("127.0.0.1", 65_535) is None


def test_host_of_another_machine_is_refused() -> None:
    with pytest.raises(CommandError, match=r"192\.0\.2\.1 is no address of this machine"):
        listen("192.0.2.1", 0)


def test_port_without_the_right_to_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(sock: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(CommandError, match="port 80 needs more rights") as caught:
        listen("127.0.0.1", 80)
    assert caught.value.fix is not None
    assert "8000" in caught.value.fix


def test_host_in_a_url() -> None:
    assert url_host("::1") == "[::1]"
    assert url_host("127.0.0.1") == "127.0.0.1"


def test_network_host_is_never_this_machines_own_name() -> None:
    found = network_host()
    assert found is None or not found.startswith("127.")


def test_network_host_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(sock: socket.socket, address: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert network_host() is None
