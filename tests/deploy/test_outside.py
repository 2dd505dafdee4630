"""A house on servers that run already: it makes none of its own, and leaves them running."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from contracts.case import AcceptWork, CaseRefusal, ResolveWork, VerifyWork
from contracts.envelope import Command, Outcome
from contracts.report import Position, SubmitReport
from contracts.rulebook import Rulebook
from deploy.credentials import Credentials
from deploy.house import AUDITOR, HouseInfo, Outside, Plan, open_house, parties
from deploy.nats_server import NatsServer
from deploy.postgres_server import PostgresServer
from deploy.projections import PROJECTIONS
from deploy.rulebooks import load_rulebook
from eventlog.asking import ask
from eventlog.connect import connect_nats, connect_postgres
from eventlog.rebuild import rebuild
from tests.deploy.folders import empty_house

pytestmark = pytest.mark.timeout(120)

REPORT = SubmitReport(
    report_id="r-outside",
    rider_id="rider-1",
    seen_at=datetime.now(UTC) - timedelta(minutes=5),
    service_code="fire-lane",
    position=Position(lat=29.7668, lng=121.3127),
    text="消防通道被两辆面包车堵住",
)
CASE = REPORT.report_id
STEPS: tuple[tuple[str, Command], ...] = (
    ("platform-kite", REPORT),
    ("fire", AcceptWork(case_id=CASE)),
    ("fire", ResolveWork(case_id=CASE, result="通道已清空")),
    ("inspection", VerifyWork(case_id=CASE, passed=True)),
)


async def test_a_case_goes_its_whole_way_on_servers_that_are_not_ours() -> None:
    with empty_house() as theirs, empty_house() as folder:
        document = load_rulebook()
        known = Credentials(folder).users(parties(Rulebook.model_validate(document)))
        async with NatsServer(theirs, known) as nats, PostgresServer(theirs) as postgres:
            await postgres.create_role("waggle")
            tables = await postgres.create_database("waggle_tables", "waggle")
            keys = await postgres.create_database("waggle_keys", "waggle")
            outside = Outside(nats_url=nats.url, database_url=tables, keys_url=keys)
            async with open_house(Plan(folder, document, outside=outside)) as (info, supervisor):
                own = {status.name for status in supervisor.status()}
                assert own == info.health.keys()
                await _live(info)
            assert not (folder / "nats").exists()
            assert not (folder / "postgres").exists()
            assert nats.pid
            assert postgres.pid


async def _live(info: HouseInfo) -> None:
    for party, command in STEPS:
        await _tell(info, party, command)
    pool = await connect_postgres(info.rebuild_url)
    try:
        async with asyncio.timeout(30):
            while not await pool.fetchval("select count(*) from points.entry"):
                await asyncio.sleep(0.05)
        seed = str(info.credentials.seed_file(AUDITOR))
        nc = await connect_nats(info.nats_url, identity=AUDITOR, seed_file=seed)
        for projection in PROJECTIONS:
            done = await rebuild(projection, nc.jetstream(timeout=10), pool, check=True)
            assert done.equal, projection.name
        await nc.close()
    finally:
        await pool.close()


async def _tell(info: HouseInfo, party: str, command: Command) -> None:
    seed = str(info.credentials.seed_file(party))
    nc = await connect_nats(info.nats_url, identity=party, seed_file=seed)
    async with asyncio.timeout(30):
        while True:
            answer, _ = await ask(nc, party, command, f"{CASE}-{type(command).__name__}")
            if [reason.code for reason in answer.reasons] != [CaseRefusal.NO_SUCH_CASE]:
                break
            await asyncio.sleep(0.05)  # router has not heard of the report yet
    assert answer.outcome is Outcome.ACCEPTED, answer
    await nc.close()


def test_the_servers_are_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NATS_URL", "DATABASE_URL", "WAGGLE_KEYS_URL", "WAGGLE_REPLICAS"):
        monkeypatch.delenv(name, raising=False)
    assert Outside.from_environment() == Outside()
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:4222")
    monkeypatch.setenv("DATABASE_URL", "postgresql://one")
    assert Outside.from_environment() == Outside(
        nats_url="nats://127.0.0.1:4222",
        database_url="postgresql://one",
        keys_url="postgresql://one",
    )
    monkeypatch.setenv("WAGGLE_KEYS_URL", "postgresql://two")
    assert Outside.from_environment().keys_url == "postgresql://two"
    monkeypatch.setenv("WAGGLE_REPLICAS", "3")
    assert Outside.from_environment().replicas == 3
