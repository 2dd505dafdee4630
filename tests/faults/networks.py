"""Three networks with one server each, joined by a bridge that can be taken apart.

In Linux network namespaces, where there is the right to make them. A network that is cut loses
every packet without a word, as behind a broken switch; connections stay open and silent.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.nats_config import Seat


@dataclass(frozen=True)
class Network:
    """One network: a namespace, its end of the cable, and the addresses of all."""

    name: str
    cable: str
    address: str
    others: tuple[str, ...]

    @property
    def seat(self) -> Seat:
        """For a server that is to run in it."""
        return Seat(self.address, ("ip", "netns", "exec", self.name))

    def cut(self) -> None:
        """From everybody: peers and clients."""
        _ip("link", "set", self.cable, "down")

    def join(self) -> None:
        """Connected to everybody again."""
        _ip("link", "set", self.cable, "up")
        for other in self.others:
            subprocess.run(
                ["ip", "-n", self.name, "route", "del", "blackhole", other],
                check=False,
                capture_output=True,
            )

    def cut_from_peers(self) -> None:
        """From the other servers alone: clients still reach it."""
        for other in self.others:
            _ip("-n", self.name, "route", "add", "blackhole", other)


@contextmanager
def networks(count: int = 3) -> Iterator[Sequence[Network]]:
    """So many networks, gone afterwards."""
    token = secrets.token_hex(2)
    subnet = f"10.213.{secrets.randbelow(256)}"
    bridge = f"wgl{token}"
    made: list[Network] = []
    _ip("link", "add", bridge, "type", "bridge")
    try:
        _ip("addr", "add", f"{subnet}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        addresses = [f"{subnet}.{number}" for number in range(1, count + 1)]
        for number, address in enumerate(addresses, start=1):
            others = tuple(other for other in addresses if other != address)
            made.append(Network(f"wgl{token}n{number}", f"wgl{token}v{number}", address, others))
            _make(made[-1], bridge)
        yield made
    finally:
        for network in made:
            subprocess.run(["ip", "netns", "del", network.name], check=False, capture_output=True)
        _ip("link", "del", bridge)


def _make(network: Network, bridge: str) -> None:
    inside = ("-n", network.name)
    _ip("netns", "add", network.name)
    _ip("link", "add", network.cable, "type", "veth", "peer", "name", "eth0", "netns", network.name)
    _ip("link", "set", network.cable, "master", bridge)
    _ip(*inside, "addr", "add", f"{network.address}/24", "dev", "eth0")
    _ip(*inside, "link", "set", "lo", "up")
    _ip(*inside, "link", "set", "eth0", "up")
    _ip("link", "set", network.cable, "up")


@functools.cache
def why_no_networks() -> str | None:
    """Why none can be made here; None where they can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces take root and the program ip"
    try:
        with networks(1):
            return None
    except subprocess.CalledProcessError as refused:
        return f"network namespaces are refused here: {refused.stderr.decode().strip()}"


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, capture_output=True)
