"""Three servers that keep the log together: killed, paused, and parted from each other.

In networks of their own where they can be made. Where they cannot, all are on loopback, and only
deaths and pauses can be tested.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

import nats.errors
import pytest

from deploy.nats_cluster import NatsCluster
from deploy.nats_server import NatsServer
from deploy.provision import PROVISIONER
from eventlog.message import LOG
from tests.deploy.folders import empty_house
from tests.faults.fault import Fault
from tests.faults.networks import Network, networks, why_no_networks
from tests.faults.stand import Stand, house_on, users_of
from tests.journey.crew import connected


@dataclass
class ClusterStand(Stand):
    """A house on three servers."""

    servers: tuple[NatsServer, ...] = ()
    networks: Sequence[Network] = ()

    async def leader(self) -> NatsServer:
        """Who leads the log now; waits until somebody does."""
        async with asyncio.timeout(60), connected(self.house.info, PROVISIONER) as nc:
            while True:
                try:
                    info = await nc.jetstream(timeout=2).stream_info(LOG)
                except (nats.errors.Error, OSError):
                    await asyncio.sleep(0.1)
                    continue
                for server in self.servers:
                    if info.cluster and info.cluster.leader == server.server_name:
                        return server
                await asyncio.sleep(0.1)

    def network_of(self, server: NatsServer) -> Network:
        """The network that a server runs in."""
        return self.networks[self.servers.index(server)]


@asynccontextmanager
async def on_three_servers() -> AsyncIterator[Stand]:
    """A house whose every stream is kept by three servers."""
    async with AsyncExitStack() as stack:
        theirs, folder = (stack.enter_context(empty_house()) for _ in range(2))
        made = () if why_no_networks() else stack.enter_context(networks())
        users = users_of(folder / "var")
        cluster = await NatsCluster.start(theirs, 3, users, [network.seat for network in made])
        stack.push_async_callback(cluster.stop)
        servers = {"NATS_URL": ",".join(cluster.urls), "WAGGLE_REPLICAS": "3"}
        house = await stack.enter_async_context(house_on(folder / "var", servers))
        yield ClusterStand(house, servers=cluster.servers, networks=made)


class OfThree(Fault):
    """A fault of some of three servers. Its effect: somebody else leads."""

    stand = staticmethod(on_three_servers)

    async def act(self, stand: Stand, dice: Random) -> None:
        assert isinstance(stand, ClusterStand)
        leader = await stand.leader()
        await self.strike(stand, leader, dice)

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        """What happens to the leader, or to others."""
        raise NotImplementedError

    async def another_leads(self, stand: ClusterStand, former: NatsServer) -> None:
        """Until another server leads the log."""
        self.effects["elections"] += 0
        async with asyncio.timeout(60):
            while await stand.leader() is former:
                await asyncio.sleep(0.2)
        self.effects["elections"] += 1


class LeaderKilled(OfThree):
    """kill -9 of the server that leads the log."""

    number = "F4"

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        await leader.kill()
        await self.another_leads(stand, leader)
        await leader.start()


class TwoKilled(OfThree):
    """kill -9 of two: no majority, nothing is taken until one is back."""

    number = "F4"

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        other = dice.choice([server for server in stand.servers if server is not leader])
        await asyncio.gather(leader.kill(), other.kill())
        self.effects["killed"] = 2
        await asyncio.sleep(dice.uniform(1, 3))
        await asyncio.gather(leader.start(), other.start())


class AllKilled(OfThree):
    """kill -9 of all three at once."""

    number = "F4"

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        await asyncio.gather(*(server.kill() for server in stand.servers))
        self.effects["killed"] = 3
        await asyncio.sleep(dice.uniform(0.2, 1))
        await asyncio.gather(*(server.start() for server in stand.servers))


class LeaderParted(OfThree):
    """The leader is cut off from everybody; the others go on without it."""

    number = "F5"

    async def arrange(self, stand: Stand) -> None:
        if reason := why_no_networks():
            pytest.skip(f"NOT TESTED HERE: {reason}")

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        network = stand.network_of(leader)
        self.part(network)
        try:
            await self.another_leads(stand, leader)
            await asyncio.sleep(dice.uniform(0.5, 2))
        finally:
            network.join()

    def part(self, network: Network) -> None:
        """How it is cut off."""
        network.cut()


class LeaderPartedFromItsPeers(LeaderParted):
    """The leader is cut off from the other two, but clients still speak to it: it must refuse."""

    def part(self, network: Network) -> None:
        network.cut_from_peers()


class FollowerParted(LeaderParted):
    """One that follows is cut off, and catches up when it is back."""

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        follower = dice.choice([server for server in stand.servers if server is not leader])
        network = stand.network_of(follower)
        network.cut()
        try:
            await asyncio.sleep(dice.uniform(3, 6))
            self.effects["behind when it was back"] = int(await _is_behind(stand, follower))
        finally:
            network.join()


class LeaderPaused(OfThree):
    """The leader stands still, is replaced, and wakes up believing that it leads."""

    number = "F6"

    async def strike(self, stand: ClusterStand, leader: NatsServer, dice: Random) -> None:
        assert leader.pid is not None
        os.kill(leader.pid, signal.SIGSTOP)
        try:
            await self.another_leads(stand, leader)
            await asyncio.sleep(dice.uniform(0.5, 3))
        finally:
            os.kill(leader.pid, signal.SIGCONT)


async def _is_behind(stand: ClusterStand, follower: NatsServer) -> bool:
    """Whether the leader says that a follower lacks something."""
    async with connected(stand.house.info, PROVISIONER) as nc:
        info = await nc.jetstream(timeout=5).stream_info(LOG)
    replicas = (info.cluster.replicas if info.cluster else None) or []
    mine = next(replica for replica in replicas if replica.name == follower.server_name)
    return bool(mine.lag) or not mine.current or bool(mine.offline)
