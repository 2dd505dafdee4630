"""A rebuild gives the same bytes, disturbs nobody, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from nats.js import JetStreamContext
from structlog.testing import capture_logs

from contracts.envelope import Fact
from eventlog import checkpoint
from eventlog.project import ProjectionRunner, position
from eventlog.projection import Table
from eventlog.read import read_log
from eventlog.rebuild import (
    RebuildRuns,
    RebuildStopped,
    Rebuilt,
    building,
    rebuild,
    rebuild_into,
)
from eventlog.tables import Digest
from tests.eventlog.site import (
    PATIENCE,
    Site,
    awarded,
    digest,
    opened,
    reached,
    rows,
    running,
)
from tests.eventlog.tally import TALLY, purse
from tests.eventlog.test_project import assert_tables_say, story

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tally%' ORDER BY 1"


async def live(site: Site, js: JetStreamContext, pool: asyncpg.Pool, facts: list[Fact]) -> Digest:
    """The tables that a runner makes of the facts."""
    last = await site.publish(*facts)
    async with running(ProjectionRunner(TALLY, js, pool, batch_size=7)):
        await reached(pool, TALLY, last)
    return await digest(pool, TALLY)


@pytest.mark.parametrize("batch_size", [1, 1000])
async def test_a_rebuild_gives_the_same_bytes(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, batch_size: int
) -> None:
    facts = story(60)
    before = await live(log_site, js, pool, facts)

    done = await rebuild(TALLY, js, pool, check=True, batch_size=batch_size)

    assert done.equal
    assert (done.name, done.facts, done.rows) == ("tally", len(facts), before.rows)
    assert done.digest_live == done.digest_rebuilt == before.sha256
    assert before.rows > 10
    assert await rows(pool, SCHEMAS) == [("tally",)]
    assert await digest(pool, TALLY) == before


async def test_a_difference_of_one_byte_is_seen(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await live(log_site, js, pool, story(10))
    await pool.execute("UPDATE tally.purse SET points = points + 1 WHERE rider = 'ann'")

    done = await rebuild(TALLY, js, pool, check=True)

    assert not done.equal
    assert await rows(pool, SCHEMAS) == [("tally",)], "a check only looks"


async def test_every_fact_heard_twice_gives_the_same_bytes(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    before = await live(log_site, js, pool, story(40))

    async with building(TALLY, js, pool, "tally_twice", batch_size=3) as build:
        async for batch in read_log(js, subjects=TALLY.subjects, at_most=5):
            await build.take([entry for one in batch for entry in (one, one)])
            await build.take(batch)
        await build.write()
        async with build.connection.transaction():
            twice = await build.schema.digest(build.connection)

    assert twice == before


async def test_a_rebuild_to_a_sequence_is_what_was_known_then(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(40)
    before = await live(log_site, js, pool, facts[:30])
    then = await position(pool, TALLY.name)
    await log_site.publish(*facts[30:])

    async with building(TALLY, js, pool, "tally_then") as build:
        await rebuild_into(build, js, up_to=then)
        async with build.connection.transaction():
            assert await build.schema.digest(build.connection) == before

    assert await rows(pool, SCHEMAS) == [("tally",)]


async def test_an_empty_log_can_be_rebuilt(js: JetStreamContext, pool: asyncpg.Pool) -> None:
    done = await rebuild(TALLY, js, pool, check=False)
    assert (done.facts, done.rows, done.digest_live) == (0, 0, None)

    done = await rebuild(TALLY, js, pool, check=True)
    assert done.equal


async def test_a_rebuild_stands_in_the_place_of_the_live_tables(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(20)
    before = await live(log_site, js, pool, facts)
    await pool.execute("UPDATE tally.purse SET points = 0")

    done = await rebuild(TALLY, js, pool, check=False)

    assert not done.equal
    assert await digest(pool, TALLY) == before
    await assert_tables_say(pool, facts)
    assert await rows(pool, SCHEMAS) == [("tally",)]
    indexes = (
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'tally' AND indexdef LIKE '%points%'"
    )
    assert await rows(pool, indexes) == [(1,)]


async def test_without_live_tables_a_rebuild_makes_them(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(20)
    await log_site.publish(*facts[:-1])

    done = await rebuild(TALLY, js, pool, check=False)
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, await log_site.publish(facts[-1]))

    assert done.digest_live is None
    await assert_tables_say(pool, facts)


async def test_the_live_runner_follows_on_over_every_swap(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(20)
    rebuilt: list[Rebuilt] = []

    async def rebuild_again_and_again() -> None:
        while len(rebuilt) < 5:
            check = len(rebuilt) == 2
            rebuilt.append(await rebuild(TALLY, js, pool, check=check, batch_size=10))

    async with running(ProjectionRunner(TALLY, js, await log_site.pool(), batch_size=2)):
        await reached(pool, TALLY, await log_site.publish(*facts))
        rebuilding = asyncio.create_task(rebuild_again_and_again())
        while not rebuilding.done():
            facts.append(awarded("dan", 1, report=f"d{len(facts)}"))
            last = await log_site.publish(facts[-1])
        await rebuilding
        await reached(pool, TALLY, last)

    assert all(done.equal for done in rebuilt)
    assert [done.facts for done in rebuilt] == sorted({done.facts for done in rebuilt}), (
        "nothing was written meanwhile"
    )
    await assert_tables_say(pool, facts)


async def test_a_new_version_is_brought_about_by_a_rebuild(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(20)
    await live(log_site, js, pool, facts[:-1])
    newer = replace(
        TALLY, version=2, tables=(replace(TALLY.tables[0], indexes=()), TALLY.tables[1])
    )

    done = await rebuild(newer, js, pool, check=False)
    async with running(ProjectionRunner(newer, js, pool)):
        await reached(pool, newer, await log_site.publish(facts[-1]))

    assert done.digest_live is None, "tables of another version say nothing about these"
    assert await rows(pool, "SELECT version FROM tally.checkpoint") == [(2,)]
    assert await rows(pool, "SELECT sum(awards) FROM tally.purse") == [(20,)]
    assert await rows(pool, "SELECT to_regclass('tally.open_case')::text") == [(None,)]


async def test_what_others_may_do_survives_a_swap(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await live(log_site, js, pool, story(5))
    await pool.execute("GRANT USAGE ON SCHEMA tally TO PUBLIC")
    await pool.execute("GRANT SELECT ON tally.purse TO PUBLIC")

    await rebuild(TALLY, js, pool, check=False)

    allowed = (
        "SELECT relname FROM pg_class, aclexplode(relacl) a WHERE a.grantee = 0"
        " AND relnamespace = 'tally'::regnamespace"
    )
    assert await rows(pool, allowed) == [("purse",)]
    assert await rows(
        pool,
        "SELECT a.privilege_type FROM pg_namespace, aclexplode(nspacl) a"
        " WHERE nspname = 'tally' AND a.grantee = 0",
    ) == [("USAGE",)]


async def test_a_fact_that_cannot_be_folded_stops_a_rebuild_and_changes_nothing(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    before = await live(log_site, js, pool, story(10))

    def breaks(row: Any, fact: Any) -> Any:
        if fact.sequence == 5:
            raise ValueError("five")
        return purse(row, fact)

    def too_large(row: Any, fact: Any) -> Any:
        after = purse(row, fact)
        return replace(after, points=2**70) if after else None

    first: Table[Any] = TALLY.tables[0]
    for fold, said in ((breaks, "sequence 5 on log.account.*five"), (too_large, "OverflowError")):
        broken = replace(TALLY, tables=(replace(first, fold=fold), *TALLY.tables[1:]))
        with pytest.raises(RebuildStopped, match=said):
            await rebuild(broken, js, pool, check=False)

    await log_site.publish_raw("log.account.ann", b"?")
    with pytest.raises(RebuildStopped, match=r"log\.account\.ann"):
        async with building(TALLY, js, pool, "tally_rebuild") as build:
            await rebuild_into(build, js, up_to=1000)

    assert await digest(pool, TALLY) == before
    assert await rows(pool, SCHEMAS) == [("tally",)]


@pytest.mark.parametrize("seconds", [0.0, 0.006, 0.028, 0.05, 0.2])
async def test_a_rebuild_that_is_interrupted_leaves_nothing_behind(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, seconds: float
) -> None:
    before = await live(log_site, js, pool, story(60))
    progress = asyncio.Event()
    task = asyncio.create_task(
        rebuild(TALLY, js, pool, check=False, batch_size=1, progress=lambda *_: progress.set())
    )
    await asyncio.wait_for(progress.wait(), PATIENCE)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await rows(pool, SCHEMAS) == [("tally",)]
    assert await digest(pool, TALLY) == before


async def test_a_rebuild_that_is_killed_leaves_the_live_tables_and_the_next_one_cleans_up(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    before = await live(log_site, js, pool, story(150))
    process = log_site.process("rebuild", batch_size=1)
    async with asyncio.timeout(PATIENCE):
        while ("tally_rebuild",) not in await rows(pool, SCHEMAS):
            await asyncio.sleep(0.005)
    process.kill()
    process.wait()

    assert await rows(pool, SCHEMAS) == [("tally",), ("tally_rebuild",)]
    assert await digest(pool, TALLY) == before
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                done = await rebuild(TALLY, js, pool, check=True)
                break
            except RebuildRuns:  # until PostgreSQL has noticed that the other one is gone
                await asyncio.sleep(0.05)
    assert done.equal
    assert await rows(pool, SCHEMAS) == [("tally",)]


async def test_only_one_rebuild_of_a_projection_runs(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await live(log_site, js, pool, story(5))

    async with building(TALLY, js, pool, "tally_rebuild"):
        with pytest.raises(RebuildRuns, match="being rebuilt already"):
            await rebuild(TALLY, js, pool, check=True)

    assert (await rebuild(TALLY, js, pool, check=True)).equal


async def test_a_rebuild_holds_a_bounded_number_of_rows(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    number, held = 400, []
    await log_site.publish_together([opened(f"c{n}") for n in range(number)])

    async with building(TALLY, js, pool, "tally_rebuild", batch_size=5) as build:
        async for batch in read_log(js, subjects=TALLY.subjects, at_most=5):
            await build.take(batch)
            held.append(len(build._folding))
        await build.write()
        count = await build.connection.fetchval("SELECT count(*) FROM tally_rebuild.open_case")

    assert count == number
    assert 5 <= max(held) <= 60


async def test_a_lost_log_can_still_be_rebuilt_from_what_is_left(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LOOK_AGAIN", ())
    await live(log_site, js, pool, story(10))
    await log_site.lose_the_log()
    left = [awarded("ann", 1)]
    last = await log_site.publish(*left)

    checked = await rebuild(TALLY, js, pool, check=True)
    assert not checked.equal
    assert checked.digest_live is None

    await rebuild(TALLY, js, pool, check=False)
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
    await assert_tables_say(pool, left)


async def test_progress_is_told_up_to_the_end(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(20))
    told: list[tuple[int, int]] = []

    await rebuild(
        TALLY, js, pool, check=False, batch_size=4, progress=lambda *step: told.append(step)
    )

    assert told[-1] == (last, last)
    assert told == sorted(told)
    assert len(told) > 3


async def test_a_long_reader_delays_a_swap_but_not_for_ever(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await live(log_site, js, pool, story(10))

    async def read_for(seconds: float) -> AsyncIterator[None]:
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetch("SELECT * FROM tally.purse")
            yield
            await asyncio.sleep(seconds)

    reader = read_for(1.5)
    await anext(reader)

    async def finish() -> None:
        async for _ in reader:
            pass

    with capture_logs() as said:
        done, _ = await asyncio.gather(rebuild(TALLY, js, pool, check=False), finish())

    assert done.equal
    assert "swap_waits" in [line["event"] for line in said]
    assert await rows(pool, SCHEMAS) == [("tally",)]
