"""Personal fields on a real key database: sealed, opened, and gone with their key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from contracts.case import WorkResolved
from contracts.envelope import ERASED, Erased, Fact, Recorded, Refused, Sealed
from contracts.party import PartyKind, PartyRegistered
from contracts.report import ReportAccepted
from eventlog.connect import connect_postgres
from eventlog.sealing import (
    CACHE_SECONDS,
    BadKey,
    KeyStore,
    create_key_table,
    new_master_key,
    seal,
    seal_at_hand,
    unseal,
)
from eventlog.tasks import end
from tests.given import recorded

AT = datetime(2026, 5, 3, 12, tzinfo=UTC)
MASTER = new_master_key()
SAID: dict[str, Any] = {"report_id": "r1", "rider_id": "ann", "platform": "kite", "seen_at": AT}
REPORT = ReportAccepted(**SAID, text="路灯不亮", photo="photos/1.jpg")
RESULT = WorkResolved(case_id="r1", rider_id="ann", unit="lamps", result="已修好")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await connect_postgres(database_url)
    await create_key_table(pool)
    yield pool
    await pool.close()


def placed(fact: Fact) -> Recorded:
    return recorded(fact, 7)


async def opened(fact: Fact, keys: KeyStore) -> Any:
    return (await unseal([placed(fact)], keys))[0]


@asynccontextmanager
async def listening(*stores: KeyStore) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(store.keep_listening()) for store in stores]
    try:
        await asyncio.sleep(0.2)
        yield
    finally:
        await end(*tasks)


async def test_what_is_sealed_can_be_opened_until_the_key_is_destroyed(pool: asyncpg.Pool) -> None:
    keys = KeyStore(pool, MASTER)
    (sealed,) = await seal([REPORT], "c-7", keys)
    assert isinstance(sealed, ReportAccepted)
    assert isinstance(sealed.text, Sealed)
    assert sealed.title is None
    assert (await opened(sealed, keys)).text == "路灯不亮"
    assert await keys.destroy(["ann"]) == 1
    assert (await opened(sealed, keys)).text == ERASED
    assert (await opened(sealed, KeyStore(pool, MASTER))).text == ERASED


async def test_destroying_again_or_a_key_that_never_was_does_no_harm(pool: asyncpg.Pool) -> None:
    keys = KeyStore(pool, MASTER)
    await keys.ready(["ann"])
    assert await keys.destroy(["ann", "bob"]) == 1
    first = await pool.fetchval("SELECT destroyed_at FROM data_key WHERE person = 'ann'")
    assert await keys.destroy(["ann", "bob"]) == 0
    assert await pool.fetchval("SELECT destroyed_at FROM data_key WHERE person = 'ann'") == first
    assert await keys.ready(["ann", "bob"]) == {"ann": None, "bob": None}


@pytest.mark.parametrize(
    "news", [REPORT, PartyRegistered(party_id="ann", kind=PartyKind.RIDER, phone="13800000007")]
)
async def test_news_of_who_is_erased_is_refused(pool: asyncpg.Pool, news: Fact) -> None:
    keys = KeyStore(pool, MASTER)
    await keys.destroy(["ann"])
    with pytest.raises(Refused) as refused:
        await seal([news], "c-7", keys)
    assert [reason.code for reason in refused.value.reasons] == ["person_erased"]


async def test_words_about_who_is_erased_are_left_out_and_the_fact_stands(
    pool: asyncpg.Pool,
) -> None:
    keys = KeyStore(pool, MASTER)
    await keys.destroy(["ann"])
    (sealed,) = await seal([RESULT], "c-7", keys)
    assert sealed == RESULT.model_copy(update={"result": ERASED})


async def test_a_process_hears_at_once_of_a_key_destroyed_by_another(pool: asyncpg.Pool) -> None:
    here, there = KeyStore(pool, MASTER), KeyStore(pool, MASTER)
    async with listening(there):
        await there.ready(["ann"])
        assert not isinstance(there.at_hand("ann"), Erased | None)
        await here.destroy(["ann"])
        async with asyncio.timeout(5):
            while there.at_hand("ann") is not None:
                await asyncio.sleep(0.01)
    assert await there.ready(["ann"]) == {"ann": None}


async def test_a_key_read_while_it_was_destroyed_is_not_kept(pool: asyncpg.Pool) -> None:
    """The row was read before, the news came between, the key would be kept after."""
    here, there = KeyStore(pool, MASTER), KeyStore(pool, MASTER)
    async with listening(there):
        wrapped = (await there.ready(["ann"]))["ann"]
        assert wrapped is not None
        row = await pool.fetchval("SELECT wrapped FROM data_key WHERE person = 'ann'")
        await here.destroy(["ann"])
        async with asyncio.timeout(5):
            while there.at_hand("ann") is not None:
                await asyncio.sleep(0.01)
        await pool.execute(
            "UPDATE data_key SET wrapped = $1, destroyed_at = NULL WHERE person = 'ann'", row
        )
        assert await there.ready(["ann"]) == {"ann": None}


async def test_a_process_that_loses_its_ear_forgets_what_it_holds(pool: asyncpg.Pool) -> None:
    store = KeyStore(pool, MASTER)
    async with listening(store):
        await store.ready(["ann"])
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE 'LISTEN%'"
        )
        async with asyncio.timeout(5):
            while store.at_hand("ann") is not None:
                await asyncio.sleep(0.01)


async def test_a_key_that_nobody_speaks_of_grows_old_within_a_minute(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CACHE_SECONDS <= 60
    monkeypatch.setattr("eventlog.sealing.CACHE_SECONDS", 0.1)
    deaf = KeyStore(pool, MASTER)
    await deaf.ready(["ann"])
    await KeyStore(pool, MASTER).destroy(["ann"])
    await asyncio.sleep(0.15)
    assert deaf.at_hand("ann") is None
    assert await deaf.ready(["ann"]) == {"ann": None}


async def test_nothing_is_sealed_at_hand_without_the_key(pool: asyncpg.Pool) -> None:
    keys = KeyStore(pool, MASTER)
    assert seal_at_hand([REPORT], "c-7", keys) is None
    await keys.ready(["ann"])
    assert seal_at_hand([REPORT], "c-7", keys) is not None


async def test_a_value_moved_to_another_fact_does_not_open(pool: asyncpg.Pool) -> None:
    keys = KeyStore(pool, MASTER)
    (sealed,) = await seal([REPORT], "c-8", keys)
    with pytest.raises(BadKey):
        await opened(sealed, keys)


async def test_another_master_key_opens_nothing_and_says_so(pool: asyncpg.Pool) -> None:
    await KeyStore(pool, MASTER).ready(["ann"])
    with pytest.raises(BadKey, match="master key"):
        await KeyStore(pool, new_master_key()).ready(["ann"])
