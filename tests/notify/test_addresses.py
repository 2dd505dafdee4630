"""Where a notice may be posted to."""

from __future__ import annotations

import pytest

from services.notify.addresses import may_post_to

PUBLIC = ("93.184.215.14", "223.5.5.5", "2400:3200::1", "64:ff9b::df05:505")
PRIVATE = (
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
)
NEVER = (
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::7f00:1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2001:0:1::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert may_post_to(address, allow_private=False)
    assert may_post_to(address, allow_private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_open_only_where_that_is_wanted(address: str) -> None:
    assert not may_post_to(address, allow_private=False)
    assert may_post_to(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_open(address: str) -> None:
    assert not may_post_to(address, allow_private=False)
    assert not may_post_to(address, allow_private=True)
