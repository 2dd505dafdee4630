"""A fact takes effect exactly once: delivered again, killed in between, run twice, cut off."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

import asyncpg
import pytest
from nats.js import JetStreamContext

from contracts.account import PointsAwarded
from contracts.envelope import Fact
from deploy.postgres_server import PostgresServer
from eventlog import checkpoint, project
from eventlog.checkpoint import TablesDiffer
from eventlog.project import ProjectionRunner, position, take_in, wait_for
from eventlog.read import Entry, follow, head, read_log
from eventlog.tables import Schema
from tests.deploy.folders import empty_house
from tests.eventlog.site import (
    Site,
    accepted,
    awarded,
    closed,
    digest,
    opened,
    reached,
    rows,
    running,
)
from tests.eventlog.tally import TALLY

RIDERS = ("ann", "bob", "cid")


def story(number: int) -> list[Fact]:
    """So many awards, with cases that come and go in between."""
    facts: list[Fact] = []
    for n in range(number):
        facts.append(awarded(RIDERS[n % 3], n + 1, report=f"r{n}", code=f"code-{n % 5}"))
        if n % 4 == 0:
            facts += [opened(f"c{n}"), accepted(f"c{n}")]
        if n % 8 == 0:
            facts.append(closed(f"c{n}"))
    return facts


async def assert_tables_say(pool: asyncpg.Pool, facts: Sequence[Fact]) -> None:
    """The tables are what a naive reading of the facts gives."""
    awards = [fact for fact in facts if isinstance(fact, PointsAwarded)]
    points: Counter[str] = Counter()
    for award in awards:
        points[award.rider_id] += award.points
    number = Counter(award.rider_id for award in awards)
    codes = Counter(award.service_code for award in awards) + Counter(all=len(awards))
    cases = {fact.stream_id for fact in facts if fact.stream == "case"}
    gone = {fact.stream_id for fact in facts if type(fact).__name__ == "CaseClosed"}

    purses = await rows(pool, "SELECT rider, points, awards FROM tally.purse ORDER BY rider")
    assert purses == [(rider, points[rider], number[rider]) for rider in sorted(points)]
    counts = await rows(pool, "SELECT code, awards FROM tally.count")
    assert dict(counts) == dict(codes)
    open_cases = await rows(pool, 'SELECT "case" FROM tally.open_case')
    assert {case for (case,) in open_cases} == cases - gone


@pytest.mark.parametrize("batch_size", [1, 7, 500])
async def test_rows_follow_from_facts(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, batch_size: int
) -> None:
    facts = story(30)
    await log_site.publish(*facts[:20])

    async with running(ProjectionRunner(TALLY, js, pool, batch_size=batch_size)):
        last = await log_site.publish(*facts[20:])
        stands = await reached(pool, TALLY, last)

    await assert_tables_say(pool, facts)
    assert stands.facts == len(facts)
    assert stands.last_sequence == last


async def test_a_column_of_every_kind_comes_back_as_it_was(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(opened("c1"))
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
        (before,) = await rows(pool, "SELECT * FROM tally.open_case")
        last = await log_site.publish(accepted("c1"))
        await reached(pool, TALLY, last)
        (after,) = await rows(pool, "SELECT * FROM tally.open_case")

    case, unit, outcome, _, steps, reason, weight, taken = before
    assert (case, unit, outcome, steps) == ("c1", None, None, '["opened"]')
    assert '"code": "开"' in reason
    assert (weight, taken) == (0.1, False)
    assert after[1:] == ("sanitation", None, before[3], '["opened", "accepted"]', None, 0.1, True)


async def test_a_batch_delivered_again_changes_nothing(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(20)
    last = await log_site.publish(*facts)
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
    before = await digest(pool, TALLY)

    schema = Schema(TALLY.name, TALLY)
    async with pool.acquire() as connection:
        for size in (1, 5, 1000):
            async for batch in read_log(js, subjects=TALLY.subjects, at_most=size):
                assert await take_in(connection, schema, TALLY, batch) == []

    assert await digest(pool, TALLY) == before
    await assert_tables_say(pool, facts)


async def test_every_fact_delivered_twice_counts_once(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def doubled(*args: object, **kwargs: object) -> AsyncIterator[list[Entry]]:
        async with aclosing(follow(*args, **kwargs)) as batches:  # type: ignore[arg-type]
            async for batch in batches:
                yield batch[: len(batch) // 2 + 1]
                yield batch
                yield batch

    monkeypatch.setattr(project, "follow", doubled)
    facts = story(40)
    last = await log_site.publish(*facts)

    async with running(ProjectionRunner(TALLY, js, pool, batch_size=9)):
        await reached(pool, TALLY, last)

    await assert_tables_say(pool, facts)


async def test_a_runner_killed_again_and_again_loses_and_doubles_nothing(
    log_site: Site, pool: asyncpg.Pool
) -> None:
    facts = story(200)
    last = await log_site.publish(*facts)

    kills, stood = 0, 0
    while stood < last:
        process = log_site.process("run", batch_size=3)
        try:
            stood = (await reached(pool, TALLY, min(stood + last // 4, last))).last_sequence
        finally:
            process.kill()
            process.wait()
        kills += stood < last

    assert kills >= 2, "it was never killed on its way"
    await assert_tables_say(pool, facts)


async def test_of_two_runners_one_works_and_the_other_takes_over(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(60)
    half = await log_site.publish(*facts[:50])
    first = ProjectionRunner(TALLY, js, pool, batch_size=5)
    second = ProjectionRunner(TALLY, await log_site.js(), await log_site.pool(), batch_size=5)

    async with running(second):
        async with running(first):
            await reached(pool, TALLY, half)
            assert first.works != second.works
        last = await log_site.publish(*facts[50:])
        await reached(pool, TALLY, last)
        assert second.works

    await assert_tables_say(pool, facts)


async def test_two_runners_that_both_think_they_may_still_count_once(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row lock is the fence; the advisory lock only saves work."""
    keys = iter(range(100))
    monkeypatch.setattr(
        checkpoint, "lock_key", lambda name: next(keys) if "." not in name else 1_000
    )
    facts = story(60)
    last = await log_site.publish(*facts)
    runners = [
        ProjectionRunner(TALLY, await log_site.js(), await log_site.pool(), batch_size=size)
        for size in (2, 3)
    ]

    async with running(*runners):
        await reached(pool, TALLY, last)
        async with asyncio.timeout(20):
            while not all(r.works and r.position == last for r in runners):
                await asyncio.sleep(0.01)

    await assert_tables_say(pool, facts)


async def test_a_runner_goes_on_after_the_log_server_was_killed(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(40)
    async with running(ProjectionRunner(TALLY, js, pool, batch_size=5)):
        half = await log_site.publish(*facts[:30])
        await reached(pool, TALLY, half)
        await log_site.server.kill()
        await log_site.server.start()
        last = await log_site.publish(*facts[30:])
        await reached(pool, TALLY, last)

    await assert_tables_say(pool, facts)


async def test_a_runner_goes_on_after_the_database_was_killed(
    log_site: Site, js: JetStreamContext
) -> None:
    facts = story(150)
    with empty_house() as folder:
        postgres = PostgresServer(folder)
        await postgres.start()
        await postgres.create_role("projector")
        log_site.database_url = await postgres.create_database("mine", "projector")
        pool = await log_site.pool()
        last = await log_site.publish(*facts)

        async with running(ProjectionRunner(TALLY, js, pool, batch_size=2)):
            for part in (last // 4, last // 2):
                await reached(pool, TALLY, part)
                await postgres.kill()
                await postgres.start()
            await reached(pool, TALLY, last)

        await assert_tables_say(pool, facts)
        pool.terminate()
        await postgres.stop()


async def test_who_reads_can_wait_for_its_own_write(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    async with running(ProjectionRunner(TALLY, js, pool)):
        for n in range(1, 20):
            sequence = await log_site.publish(awarded("ann", 1, report=f"r{n}"))
            await wait_for(pool, TALLY.name, sequence, timeout=20)
            assert await rows(pool, "SELECT points FROM tally.purse") == [(n,)]

        with pytest.raises(TimeoutError):
            await wait_for(pool, TALLY.name, 10_000, timeout=0.2)


async def test_the_lag_is_how_far_the_log_is_ahead(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    runner = ProjectionRunner(TALLY, js, pool)
    assert await runner.lag() == 0
    last = await log_site.publish(*story(5))
    assert await runner.lag() == last

    async with running(runner):
        await reached(pool, TALLY, last)
        assert await runner.lag() == 0
    assert await position(pool, TALLY.name) == last


async def test_tables_of_another_version_are_refused(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(5))
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
    before = await digest(pool, TALLY)

    with pytest.raises(TablesDiffer, match=r"version 1, .* version 2\. .*waggle rebuild.* tally"):
        await ProjectionRunner(replace(TALLY, version=2), js, pool).run()

    assert await digest(pool, TALLY) == before
    ((status, error),) = await rows(pool, "SELECT status, error FROM tally.checkpoint")
    assert status == "stopped"
    assert "waggle rebuild" in error


async def test_tables_that_changed_without_a_new_version_are_refused(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    async with running(ProjectionRunner(TALLY, js, pool)):
        last = await log_site.publish(*story(2))
        await reached(pool, TALLY, last)
    changed = replace(TALLY, tables=(replace(TALLY.tables[0], indexes=()), *TALLY.tables[1:]))

    with pytest.raises(TablesDiffer, match="changed, but not their version"):
        await ProjectionRunner(changed, js, pool).run()


async def test_a_runner_of_an_older_version_stops_when_the_tables_go_on(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(5))
    task = asyncio.create_task(ProjectionRunner(TALLY, js, pool).run())
    await reached(pool, TALLY, last)
    await pool.execute("UPDATE tally.checkpoint SET version = 2")
    await log_site.publish(awarded("ann", 1))

    with pytest.raises(TablesDiffer):
        await asyncio.wait_for(task, timeout=20)

    assert await position(pool, TALLY.name) == last


async def test_dropped_tables_are_folded_anew_while_it_runs(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(20)
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, await log_site.publish(*facts[:-1]))
        await pool.execute("DROP SCHEMA tally CASCADE")
        await reached(pool, TALLY, await log_site.publish(*facts[-1:]))

    await assert_tables_say(pool, facts)


async def test_two_projections_share_a_log_and_a_database(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    other = replace(TALLY, name="case", subjects=("log.case.>",))
    last = await log_site.publish(*story(10))

    async with running(ProjectionRunner(TALLY, js, pool), ProjectionRunner(other, js, pool)):
        await reached(pool, TALLY, last)
        await reached(pool, other, await head(js, other.subjects))

    assert await rows(pool, 'SELECT count(*) FROM "case".purse') == [(0,)]
    here = 'SELECT "case" FROM {}.open_case ORDER BY 1'
    assert await rows(pool, here.format('"case"')) == await rows(pool, here.format("tally"))
