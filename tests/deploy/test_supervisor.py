"""A house that is kept: what dies is started again, what stops is stopped in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy import records
from deploy.backoff import Backoff
from deploy.errors import HouseRunsError, StartError, StoppedBySignalError
from deploy.health import is_healthy
from deploy.house_lock import holder, house_lock
from deploy.nats_server import NatsServer
from deploy.ports import free_ports
from deploy.postgres_server import PostgresServer
from deploy.program import Program, Spec
from deploy.supervisor import State, Status, Supervisor

QUICK = Backoff(first=0.02, longest=0.1, well_after=10.0)
PATIENCE = 10.0
SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)


def program(house: Path, name: str, code: str = SLEEP, **options: object) -> Program:
    spec = Spec(name, (sys.executable, "-S", "-c", code), house, **options)  # type: ignore[arg-type]
    return Program(spec)


async def until(supervisor: Supervisor, restarts: int) -> Status:
    """The first part's status, once it was started again that often and is up."""
    async with asyncio.timeout(PATIENCE):
        while True:
            (status, *_) = supervisor.status()
            if status.restarts >= restarts and status.state is State.READY:
                return status
            await asyncio.sleep(0.01)


async def test_a_part_that_dies_is_started_again(house: Path) -> None:
    async with Supervisor(house, QUICK) as supervisor:
        await supervisor.start(program(house, "service"))
        (first,) = supervisor.status()
        assert (first.state, first.restarts) == (State.READY, 0)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)

        second = await until(supervisor, restarts=1)
        assert second.pid not in (None, first.pid)
        assert second.last_exit == -signal.SIGKILL


async def test_a_part_that_dies_again_and_again_is_never_given_up(house: Path) -> None:
    async with Supervisor(house, QUICK) as supervisor:
        await supervisor.start(program(house, "service", "pass"))
        status = await until(supervisor, restarts=6)
        assert status.last_exit == 0


async def test_a_server_that_is_killed_comes_back_on_the_same_port(house: Path) -> None:
    async with Supervisor(house, QUICK) as supervisor:
        nats = NatsServer(house)
        await supervisor.start(nats)
        url, pid = nats.url, nats.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(supervisor, restarts=1)
        assert nats.url == url
        await nats.wait_ready()


async def test_a_part_that_cannot_start_says_why(house: Path) -> None:
    broken = program(
        house, "broken", "raise SystemExit('no database')", health_url="http://x.invalid"
    )
    async with Supervisor(house, QUICK) as supervisor:
        with pytest.raises(StartError, match=r"broken ended with status 1(.|\n)*no database"):
            await supervisor.start(broken)
        (status,) = supervisor.status()
        assert "no database" in (status.last_error or "")


async def test_a_program_that_does_not_exist_is_named(house: Path) -> None:
    missing = Program(Spec("missing", ("/no/such/program",), house))
    async with Supervisor(house, QUICK) as supervisor:
        with pytest.raises(StartError, match=r"missing cannot be started.*/no/such/program"):
            await supervisor.start(missing)
    assert records.read_all(house / "run") == ()


async def test_a_part_is_ready_when_its_health_says_so(house: Path) -> None:
    code = """
import http.server, sys, time
time.sleep(0.3)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
    (port,) = free_ports(1)
    argv = (sys.executable, "-S", "-c", code, str(port))
    service = Program(Spec("service", argv, house, health_url=f"http://127.0.0.1:{port}/readyz"))
    async with Supervisor(house, QUICK) as supervisor:
        await supervisor.start(service)
        assert await is_healthy(f"http://127.0.0.1:{port}/readyz")


async def test_a_part_that_is_never_ready_is_not_waited_for_endlessly(house: Path) -> None:
    async with Supervisor(house, QUICK) as supervisor:
        mute = program(house, "mute", health_url="http://127.0.0.1:1/readyz", ready_timeout=0.1)
        with pytest.raises(StartError, match=r"mute is not ready after 0\.1 s"):
            await supervisor.start(mute)


async def test_parts_stop_in_reverse_and_the_stubborn_are_killed(house: Path) -> None:
    order: list[str] = []

    class Noted(Program):
        async def stop(self) -> None:
            await super().stop()
            order.append(self.name)

    def noted(name: str, code: str = SLEEP) -> Noted:
        return Noted(Spec(name, (sys.executable, "-S", "-c", code), house, grace=0.3))

    async with Supervisor(house, QUICK) as supervisor:
        for name in ("nats", "router"):
            await supervisor.start(noted(name))
        stubborn = noted("stubborn", STUBBORN)
        await supervisor.start(stubborn)
        while "up" not in stubborn.spec.log_file.read_text():
            await asyncio.sleep(0.01)
    assert order == ["stubborn", "router", "nats"]
    assert await stubborn.wait() == -signal.SIGKILL
    assert [status.state for status in supervisor.status()] == [State.STOPPED] * 3


async def test_a_stopped_house_starts_nothing_again_and_leaves_no_trace(house: Path) -> None:
    async with Supervisor(house, QUICK) as supervisor:
        await supervisor.start(program(house, "one"), program(house, "two"))
        pids = [status.pid for status in supervisor.status()]
    await asyncio.sleep(0.2)
    assert all(pid is not None and not psutil.pid_exists(pid) for pid in pids)
    assert records.read_all(house / "run") == ()
    assert holder(house) is None


async def test_one_folder_has_one_house(house: Path) -> None:
    async with Supervisor(house, QUICK):
        assert holder(house) == os.getpid()
        with (
            pytest.raises(HouseRunsError, match=f"process {os.getpid()}"),
            house_lock(house, timeout=0.0),
        ):
            pass
    with house_lock(house):
        pass


@contextmanager
def small_house(
    house: Path, *manner: str
) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A supervisor in a process of its own, and its server and service."""
    argv = [sys.executable, "-m", "tests.deploy.small_house", str(house), *manner]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as popen:
        try:
            assert popen.stdout is not None
            parts = [psutil.Process(pid) for pid in json.loads(popen.stdout.readline()).values()]
            yield popen, parts
        finally:
            popen.kill()
            popen.wait(PATIENCE)
            with house_lock(house, timeout=PATIENCE):  # the watchdog is done
                records.stop_leftovers(house / "run")


def service_log(house: Path) -> str:
    return (house / "log" / "service.log").read_text()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_whole_house(house: Path, told: signal.Signals) -> None:
    with small_house(house) as (supervisor, parts):
        supervisor.send_signal(told)
        assert supervisor.wait(PATIENCE) == 0
    assert records.wait_ended(parts, 0) == []
    assert "service told to stop" in service_log(house)


def test_a_second_signal_kills_what_does_not_stop(house: Path) -> None:
    with small_house(house, "deaf") as (supervisor, parts):
        supervisor.send_signal(signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        while "told to stop" not in service_log(house) and time.monotonic() < deadline:
            time.sleep(0.01)
        supervisor.send_signal(signal.SIGINT)
        assert supervisor.wait(PATIENCE) == 0
    assert records.wait_ended(parts, 0) == []


async def test_a_signal_cuts_off_what_is_under_way_and_says_so(house: Path) -> None:
    async def work() -> None:
        async with Supervisor(house, QUICK) as supervisor:
            await supervisor.start(program(house, "service"))
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(PATIENCE)

    with pytest.raises(StoppedBySignalError, match="SIGTERM"):
        await work()
    assert records.read_all(house / "run") == ()
    assert holder(house) is None


def test_a_house_whose_supervisor_is_killed_is_stopped_by_the_watchdog(house: Path) -> None:
    with small_house(house) as (supervisor, parts):
        supervisor.kill()
        supervisor.wait(PATIENCE)
        assert records.wait_ended(parts, PATIENCE) == []
    assert "service told to stop" in service_log(house)
    with house_lock(house, timeout=PATIENCE):
        assert records.read_all(house / "run") == ()


async def test_what_a_killed_house_left_is_stopped_before_the_next_begins(house: Path) -> None:
    with small_house(house) as (supervisor, parts):
        watchdog = next(
            child
            for child in psutil.Process(supervisor.pid).children()
            if "deploy.watchdog" in child.cmdline()
        )
        watchdog.kill()
        supervisor.kill()
        supervisor.wait(PATIENCE)
        assert not any(map(records.ended, parts))
        async with Supervisor(house, QUICK) as next_one:
            assert records.wait_ended(parts, 0) == []
            await next_one.start(NatsServer(house))


async def test_both_servers_of_a_house_are_kept_side_by_side(house: Path) -> None:
    nats, postgres = NatsServer(house), PostgresServer(house)
    async with Supervisor(house, QUICK) as supervisor:
        await supervisor.start(nats, postgres)
        for server in (nats, postgres):
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while [status.restarts for status in supervisor.status()] != [1, 1] or not all(
                status.state is State.READY for status in supervisor.status()
            ):
                await asyncio.sleep(0.01)
        await nats.wait_ready()
        await postgres.wait_ready()
