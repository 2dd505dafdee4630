"""What is older than its days goes; what is still needed stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.session import Session, open_session
from deploy import retaining
from deploy.backup_files import key_backups, remember
from deploy.house import OFFICER
from deploy.provision import PROVISIONER
from deploy.retaining import Due, apply, due
from deploy.retention import Days
from eventlog.read import read_stream
from tests.cli.test_verbs import step_of, submitted, until
from tests.cli.waggle import Waggle

DAYS = Days()


async def found(session: Session, days_from_now: float) -> list[Due]:
    js = (await session.nats(PROVISIONER)).jetstream(timeout=10)
    at = datetime.now(UTC) + timedelta(days=days_from_now)
    return await due(session.info, js, await session.tables(), DAYS, at)


async def done(session: Session, what: list[Due]) -> list[str]:
    nc, officer = await session.nats(PROVISIONER), await session.nats(OFFICER)
    return await apply(what, session.info, nc, officer)


@asynccontextmanager
async def into(house: Path) -> AsyncIterator[Session]:
    async with open_session(house, quiet=True) as session:
        yield session


def test_without_apply_nothing_is_deleted_and_the_days_are_told(waggle: Waggle) -> None:
    told = waggle.json("retention")
    assert told["applied"] is False
    assert told["days"]["promise"] > told["days"]["key_backups"]


def test_days_that_break_the_promise_are_refused(
    waggle: Waggle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAGGLE_DAYS_KEY_BACKUPS", "40")
    said = waggle("retention", "--json")
    assert said.code == 2
    assert "outlive" in said.err


def test_a_rider_is_forgotten_when_the_last_case_is_long_over_and_not_before(
    waggle: Waggle, living_house: Path
) -> None:
    over, going_on = "rider-long-over", "rider-going-on"
    waggle.json("close", submitted(waggle, over), "--note", "现场已无堆物")
    waggle.json("close", closed := submitted(waggle, going_on), "--note", "现场已无堆物")
    still_open = submitted(waggle, going_on)
    step_of(waggle, closed, "closed")
    until(lambda: waggle.json("status")["caught_up"] or None)

    async def forgotten() -> list[str]:
        async with into(living_house) as session:
            early = await found(session, DAYS.words - 1)
            late = await found(session, DAYS.words + 1)
            riders = {one.name for one in late if one.kind == "rider"}
            assert over not in {one.name for one in early}
            assert over in riders
            assert going_on not in riders, f"{still_open} is open"
            assert await done(session, [one for one in late if one.name == over]) == []
            assert await done(session, [one for one in late if one.name == over]) == []
            js = await session.log()
            return [fact.type async for fact in read_stream(js, "party", over, leader=True)]

    assert asyncio.run(forgotten()) == ["RiderErased"]


def test_what_was_parked_is_overwritten_after_its_days(living_house: Path) -> None:
    async def overwritten() -> None:
        async with into(living_house) as session:
            nc = await session.nats("intake")
            secret = "停放了很久的一句话"
            parked = await nc.jetstream().publish(
                "parked.intake-inbox", secret.encode(), stream="PARK"
            )
            store = living_house / "nats" / "store"

            def held() -> bool:
                return any(secret.encode() in f.read_bytes() for f in store.rglob("*.blk"))

            ours = str(parked.seq)
            assert held()
            assert ours not in [one.name for one in await found(session, DAYS.parked - 1)]
            late = [one for one in await found(session, DAYS.parked + 1) if one.name == ours]
            assert [one.kind for one in late] == ["parked"]
            assert await done(session, late) == []
            assert not held()

    asyncio.run(overwritten())


def test_a_house_sees_to_it_by_itself_once_a_day_and_says_what_it_did(
    waggle: Waggle, living_house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = living_house.parent / "backup-of-yesterday"
    keys = Path(waggle.json("backup", str(backup))["key_backup"])
    mark = living_house / retaining.LAST_RUN
    assert datetime.fromisoformat(mark.read_text().strip()) <= datetime.now(UTC)
    monkeypatch.setattr(retaining, "LOOK_SECONDS", 0.05)

    async def a_day_later() -> None:
        days = Days()
        remembered = key_backups(living_house)
        old = datetime.now(UTC) - timedelta(days=1, minutes=1)
        changed = [
            one.model_copy(update={"delete_by": old}) if one.folder == keys else one
            for one in remembered
        ]
        remember(living_house, changed)
        mark.write_text(old.isoformat())
        async with into(living_house) as session:
            keeping = asyncio.create_task(retaining.keep_tidy(session.info, days))
            async with asyncio.timeout(30):
                while datetime.fromisoformat(mark.read_text().strip()) <= old:
                    await asyncio.sleep(0.05)
            keeping.cancel()

    asyncio.run(a_day_later())
    assert not keys.exists()
    assert backup.exists(), "what is sealed may stay"
    said = json.loads((living_house / "log" / "retention.log").read_text().splitlines()[-1])
    assert f"key_backup {keys}" in said["deleted"]
    assert said["failed"] == []
