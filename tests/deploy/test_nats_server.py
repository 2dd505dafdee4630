"""Our own nats-server: what it keeps over a crash, and how it comes up again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import nats
import psutil
import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig

from deploy import health, nats_server
from deploy.credentials import Credentials
from deploy.errors import StartError
from deploy.nats_cluster import NatsCluster
from deploy.nats_config import User
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.ports import free_ports

PARTIES = (Party("provisioner", Kind.PROVISIONER), Party("router", Kind.SERVICE))


def users(house: Path) -> tuple[User, ...]:
    return Credentials(house).users(PARTIES)


async def client(house: Path, name: str, *urls: str) -> Client:
    return await nats.connect(
        list(urls),
        nkeys_seed=str(Credentials(house).seed_file(name)),
        inbox_prefix=f"_INBOX_{name}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.02,
    )


async def make_log(house: Path, *urls: str, replicas: int = 1) -> None:
    nc = await client(house, "provisioner", *urls)
    await nc.jetstream(timeout=10).add_stream(
        StreamConfig(name="LOG", subjects=["log.>"], num_replicas=replicas)
    )
    await nc.close()


async def append(nc: Client, text: bytes) -> int:
    """One message, tried until it is acknowledged: what every writer of the log does."""
    while True:
        try:
            stored = await nc.jetstream().publish("log.case.1", text, timeout=2)
        except (nats.errors.Error, nats.js.errors.APIError):
            await asyncio.sleep(0.02)
        else:
            return stored.seq


async def leader_of_all(cluster: NatsCluster) -> str:
    """The member that leads the cluster itself: without it some seconds pass until the next."""
    answer = await health.get_json(f"{cluster.servers[0].monitor_url}/jsz")
    assert answer is not None
    return str(answer[1]["meta_cluster"]["leader"])


async def test_what_was_acknowledged_is_there_after_a_crash(house: Path) -> None:
    async with NatsServer(house, users(house)) as server:
        await make_log(house, server.url)
        nc = await client(house, "router", server.url)
        for number in range(20):
            await append(nc, b"%d" % number)
        first_url, first_pid = server.url, server.pid
        await server.kill()
        assert server.pid is None
        await server.start()

        assert server.url == first_url
        assert server.pid != first_pid
        assert await append(nc, b"after") == 21
        assert (await nc.jetstream().get_msg("LOG", 20)).data == b"19"
        await nc.close()


async def test_a_restart_keeps_clients_and_messages(house: Path) -> None:
    async with NatsServer(house, users(house)) as server:
        await make_log(house, server.url)
        nc = await client(house, "router", server.url)
        await append(nc, b"before")
        await server.restart()
        assert await append(nc, b"after") == 2
        await nc.close()


async def test_the_running_server_syncs_every_message(house: Path) -> None:
    async with NatsServer(house, users(house)) as server:
        answer = await health.get_json(f"{server.monitor_url}/varz")
        assert answer is not None
        jetstream = answer[1]["jetstream"]["config"]
        assert jetstream["sync_always"] is True
        assert jetstream["store_dir"].startswith(str(server.house))


async def test_two_houses_stand_side_by_side(house: Path) -> None:
    one, two = house / "one", house / "two"
    async with NatsServer(one, users(one)) as first, NatsServer(two, users(two)) as second:
        assert first.url != second.url
        await make_log(one, first.url)
        await make_log(two, second.url)
        with pytest.raises(nats.errors.Error):
            await nats.connect(
                second.url,
                nkeys_seed=str(Credentials(one).seed_file("router")),
                allow_reconnect=False,
            )


async def test_a_server_left_by_a_crash_is_stopped_before_a_new_one_takes_the_store(
    house: Path,
) -> None:
    left = NatsServer(house, users(house))
    await left.start()
    assert left.pid is not None
    process = psutil.Process(left.pid)
    async with NatsServer(house, users(house)) as server:
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        assert server.pid != process.pid
    assert await left.wait() == 0


async def test_a_port_taken_between_choosing_and_binding_is_no_matter(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offers = iter([(taken.getsockname()[1], 1), (taken.getsockname()[1], 2)])
        monkeypatch.setattr(
            nats_server, "free_ports", lambda count: next(offers, None) or free_ports(count)
        )
        async with NatsServer(house, users(house)) as server:
            assert server.port != taken.getsockname()[1]


async def test_a_given_port_that_is_taken_is_named_in_the_error(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_server, "_TRIES", 2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = NatsServer(house, users(house), port=port)
        with pytest.raises(StartError, match=f"{port}: bind: address already in use"):
            await server.start()
        assert server.pid is None


async def test_a_broken_configuration_is_told_with_the_words_of_the_server(house: Path) -> None:
    with pytest.raises(StartError, match=r"nats ended with status 1\.(.|\n)*nkey"):
        await NatsServer(house, [User(PARTIES[0], "not a key")]).start()


async def test_a_server_that_hangs_is_killed_in_the_end(house: Path) -> None:
    server = NatsServer(house, users(house), grace=0.2)
    await server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop()
    assert await server.wait() == -signal.SIGKILL


async def test_a_cluster_acknowledges_on_while_one_member_is_killed(house: Path) -> None:
    async with await NatsCluster.start(house, users=users(house)) as cluster:
        await make_log(house, *cluster.urls, replicas=3)
        nc = await client(house, "router", *cluster.urls)
        assert await append(nc, b"all three") == 1
        info = await nc.jetstream(timeout=5).stream_info("LOG")
        assert info.cluster is not None
        leaders = {info.cluster.leader, await leader_of_all(cluster)}
        follower = next(each for each in cluster.servers if each.server_name not in leaders)

        await follower.kill()
        assert await append(nc, b"two of three") == 2
        await follower.start()
        assert await append(nc, b"all again") == 3
        assert (await nc.jetstream().get_msg("LOG", 2)).data == b"two of three"
        await nc.close()
