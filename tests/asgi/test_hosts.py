"""The Host header is well formed and one of ours."""

from __future__ import annotations

import pytest

from asok.asgi.hosts import HostCheck


def check(hosts: HostCheck, *values: bytes) -> bool:
    return hosts.of([(b"host", value) for value in values]) is not None


@pytest.mark.parametrize(
    "host", [b"example.org", b"example.org:8000", b"127.0.0.1", b"[::1]:80", b"a-b.c", b"a_b"]
)
def test_well_formed_hosts_pass_where_none_are_named(host: bytes) -> None:
    hosts = HostCheck()
    assert check(hosts, host)
    assert check(hosts, host)


@pytest.mark.parametrize(
    "host", [b"", b"a/?x=", b"a b", b"a:b", b"a@b", b"-a", b"[x]", b"a\r\nb", b"a,b", b"\xff"]
)
def test_ill_formed_hosts_are_refused(host: bytes) -> None:
    assert not check(HostCheck(["*"]), host)


def test_a_missing_or_doubled_host_is_refused() -> None:
    assert not check(HostCheck())
    assert not check(HostCheck(), b"a", b"a")


def test_only_named_hosts_pass() -> None:
    hosts = HostCheck(["Example.org", ".sub.example", "*.star.example"])
    for good in (b"example.org", b"EXAMPLE.org:80", b"example.org.", b"a.sub.example"):
        assert check(hosts, good)
    assert check(hosts, b"sub.example")
    assert check(hosts, b"x.star.example")
    for bad in (b"evil.example", b"notexample.org", b"xsub.example", b"127.0.0.1"):
        assert not check(hosts, bad)


def test_addresses_pass_where_rebinding_is_the_danger() -> None:
    hosts = HostCheck(["localhost"], addresses=True)
    assert check(hosts, b"192.168.1.5:8000")
    assert check(hosts, b"[fe80::1]")
    assert not check(hosts, b"evil.example")


def test_a_flood_of_hosts_is_not_remembered_for_ever() -> None:
    hosts = HostCheck()
    for number in range(3000):
        assert check(hosts, b"h%d" % number)
    assert len(hosts._known) == 1024
