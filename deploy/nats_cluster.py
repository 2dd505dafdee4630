"""Several nats-servers on this machine that replicate each other's streams."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from deploy.errors import StartError
from deploy.nats_config import Cluster, Seat, User
from deploy.nats_server import NatsServer
from deploy.ports import free_ports

_TRIES: Final = 5


class NatsCluster:
    """A cluster whose members are ordinary servers, each to be stopped, killed and restarted.

    All on one disk, so it replicates but does not survive what one machine does not survive.
    """

    def __init__(self, servers: Sequence[NatsServer]) -> None:
        self.servers = tuple(servers)

    @classmethod
    async def start(
        cls,
        folder: Path,
        n: int = 3,
        users: Sequence[User] = (),
        seats: Sequence[Seat] = (),
    ) -> NatsCluster:
        """Start `n` servers in `folder`/n1, n2 ... and wait until they have a leader.

        Each in a seat of its own, where there are any, or else all on loopback.
        """
        seats = seats or [Seat()] * n
        for attempt in range(1, _TRIES + 1):
            ports = free_ports(n)
            peers = tuple(f"{s.host}:{port}" for s, port in zip(seats, ports, strict=True))
            secret = secrets.token_urlsafe(24)
            cluster = cls(
                [
                    NatsServer(
                        folder / f"n{number}",
                        users,
                        name=f"n{number}",
                        cluster=Cluster("waggle", port, peers, secret, seat),
                    )
                    for number, (seat, port) in enumerate(zip(seats, ports, strict=True), start=1)
                ]
            )
            starts = (server.start() for server in cluster.servers)
            results = await asyncio.gather(*starts, return_exceptions=True)
            failures = [result for result in results if result is not None]
            if not failures:
                return cluster
            await cluster.stop()
            if attempt == _TRIES or not isinstance(failures[0], StartError):
                raise failures[0]
        raise AssertionError("unreachable")

    @property
    def urls(self) -> list[str]:
        """Where clients connect; give them all of these."""
        return [server.url for server in self.servers]

    async def stop(self) -> None:
        """Stop every member that runs."""
        await asyncio.gather(*(server.stop() for server in self.servers))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
