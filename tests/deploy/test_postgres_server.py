"""Our own PostgreSQL: what it keeps over a crash, who gets in, and what it never says."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

from deploy import postgres_files, postgres_server, records
from deploy.databases import KEYRING, KEYS, PROJECTIONS, PROJECTOR, create_databases
from deploy.errors import StartError
from deploy.postgres_server import PostgresServer
from tests.deploy.folders import empty_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def template() -> AsyncIterator[Path]:
    """A house whose database is made and stopped: copying it is quicker than making another."""
    with empty_house() as folder:
        async with PostgresServer(folder):
            pass
        yield folder


@pytest.fixture
def furnished(template: Path, house: Path) -> Path:
    """A house of one's own whose database is made already."""
    subprocess.run(["cp", "-a", f"{template}/.", str(house)], check=True)
    return house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(template: Path) -> AsyncIterator[PostgresServer]:
    """One server for the tests that only make roles and databases of their own in it."""
    async with PostgresServer(template) as server:
        yield server


async def run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        result: object = await connection.fetchval(query)
    finally:
        await connection.close()
    return result


async def test_what_was_committed_is_there_after_a_crash_and_what_was_not_is_not(
    furnished: Path,
) -> None:
    async with PostgresServer(furnished) as server:
        first_url = server.admin_url
        await run(first_url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        unfinished = await asyncpg.connect(first_url)
        await unfinished.execute("BEGIN")
        await unfinished.execute("INSERT INTO t VALUES (2)")
        await server.kill()
        unfinished.terminate()
        assert server.pid is None
        assert list(postgres_files.server_processes(server.data)) == []

        await server.start()
        assert server.admin_url == first_url
        assert await value(first_url, "SELECT array_agg(n) FROM t") == [1]
        await server.restart()
        assert await value(first_url, "SELECT count(*) FROM t") == 1


async def test_a_commit_is_on_disk_and_the_server_on_loopback_only(server: PostgresServer) -> None:
    for setting, expected in (
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
    ):
        assert await value(server.admin_url, f"SHOW {setting}") == expected


async def test_without_the_password_nobody_comes_in(server: PostgresServer) -> None:
    await server.create_role("router")
    for url in (
        server.admin_url.replace(server.credentials.password("postgres"), "guess"),
        server.url("router", "postgres").replace(server.credentials.password("router"), ""),
    ):
        with pytest.raises(asyncpg.PostgresError, match="password"):
            await asyncpg.connect(url)


async def test_roles_and_databases_are_the_same_at_every_start(server: PostgresServer) -> None:
    password = await server.create_role("router")
    await server.create_database("roles", "router")
    await run(server.url("router", "roles"), "CREATE TABLE kept (n int)")
    assert await server.create_role("router") == password
    url = await server.create_database("roles", "router")
    assert await value(url, "SELECT count(*) FROM kept") == 0
    assert password not in server.log_file.read_text()


async def test_a_password_that_was_changed_behind_our_back_is_set_again(
    server: PostgresServer,
) -> None:
    await server.create_role("router")
    await run(server.admin_url, "ALTER ROLE router PASSWORD 'other'")
    await server.create_role("router")
    await server.create_database("roles", "router")
    await run(server.url("router", "roles"), "SELECT 1")


async def test_readers_read_what_the_projector_makes_later_and_write_nothing(
    server: PostgresServer,
) -> None:
    await create_databases(server, readers=["router", "points"], key_users=["router"])
    reader = server.url("router", PROJECTIONS)
    await run(
        server.url(PROJECTOR, PROJECTIONS),
        "CREATE SCHEMA rebuild_2",
        "CREATE TABLE rebuild_2.cases (n int)",
        "INSERT INTO rebuild_2.cases VALUES (7)",
    )
    assert await value(reader, "SELECT n FROM rebuild_2.cases") == 7
    for forbidden in (
        "INSERT INTO rebuild_2.cases VALUES (8)",
        "DROP TABLE rebuild_2.cases",
        "CREATE TABLE mine (n int)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(reader, forbidden)

    await create_databases(server, readers=["points"], key_users=["router"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(reader)


async def test_keys_are_for_those_who_use_them_only(server: PostgresServer) -> None:
    await create_databases(server, readers=["router", "points"], key_users=["router"])
    await run(server.url(KEYRING, KEYS), "CREATE TABLE keys (rider text, key bytea)")
    user = server.url("router", KEYS)
    await run(user, "INSERT INTO keys VALUES ('r', 'k')", "DELETE FROM keys")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(user, "DROP TABLE keys")
    for stranger in ("points", PROJECTOR):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(server.url(stranger, KEYS))


async def test_two_houses_stand_side_by_side(furnished: Path) -> None:
    other = furnished / "other"
    async with PostgresServer(furnished) as one, PostgresServer(other) as two:
        assert one.port != two.port
        assert one.credentials.password("postgres") != two.credentials.password("postgres")
        await run(one.admin_url, "CREATE TABLE only_in_one (n int)")
        assert await value(two.admin_url, "SELECT to_regclass('only_in_one')") is None


async def test_a_server_left_by_a_crash_is_stopped_and_its_data_used(furnished: Path) -> None:
    left = PostgresServer(furnished)
    await left.start()
    await run(left.admin_url, "CREATE TABLE t (n int)")
    async with PostgresServer(furnished) as server:
        assert await left.wait() == 0
        assert await value(server.admin_url, "SELECT count(*) FROM t") == 0


async def test_a_server_that_no_record_tells_of_is_found_by_its_data_folder(
    furnished: Path,
) -> None:
    left = PostgresServer(furnished)
    await left.start()
    (furnished / "run" / "postgres.json").unlink()
    async with PostgresServer(furnished) as server:
        assert await left.wait() == 0
        assert server.pid is not None


async def test_a_lock_file_whose_process_id_is_now_anothers_does_not_hold_up_a_start(
    furnished: Path,
) -> None:
    async with PostgresServer(furnished) as server:
        other = psutil.Process()
        await server.kill()
        lock = server.data / "postmaster.pid"
        _, *rest = lock.read_text().splitlines()
        lock.write_text("\n".join([str(other.pid), *rest]))
        await server.start()
        assert other.is_running()


async def test_a_start_that_was_cut_off_while_making_the_folder_is_no_matter(house: Path) -> None:
    draft = house / "postgres" / "data.draft"
    draft.mkdir(parents=True)
    (draft / "half").write_text("done")
    async with PostgresServer(house) as server:
        assert not draft.exists()
        assert server.data.is_dir()


async def test_a_port_taken_between_choosing_and_binding_is_no_matter(
    furnished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = unused_port()
        offers = iter([(taken.getsockname()[1],), (free,)])
        monkeypatch.setattr(postgres_server, "free_ports", lambda _count: next(offers))
        async with PostgresServer(furnished) as server:
            assert server.port == free


async def test_the_data_of_another_version_is_left_alone(house: Path) -> None:
    data = house / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartError, match="belongs to PostgreSQL 16, this is 18"):
        await PostgresServer(house).start()


async def test_a_start_that_fails_says_what_the_server_said(furnished: Path) -> None:
    async with PostgresServer(furnished) as server:
        await server.stop()
        with (server.data / "postgresql.conf").open("a") as config:
            config.write("shared_buffers = 'much'\n")
        with pytest.raises(StartError, match=r"postgres ended with status 1.(.|\n)*shared_buffers"):
            await server.start()


async def test_a_backend_that_outlives_its_server_is_ended(furnished: Path) -> None:
    async with PostgresServer(furnished) as server:
        connection = await asyncpg.connect(server.admin_url)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        process = psutil.Process(backend)
        process.suspend()
        try:
            await server.kill()
        finally:
            connection.terminate()
        assert records.ended(process)
        await server.start()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
