"""Any past moment is the fold of what stood in the log then, and nothing live is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.js import JetStreamContext

from contracts.envelope import Fact, Recorded, Sealed
from deploy.projections import PROJECTIONS
from eventlog import asof
from eventlog.columns import getter
from eventlog.project import ProjectionRunner
from eventlog.projection import Projection, rows_after
from eventlog.read import Unread, head, read_log
from eventlog.rebuild import RebuildStopped, rebuild
from tests.contracts.examples import EXAMPLES
from tests.eventlog.site import Site, digest, reached, rows, running
from tests.eventlog.tally import TALLY
from tests.eventlog.test_project import story
from tests.given import recorded
from tests.router.lives import Life
from tests.router.random_lives import lives

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|public|information)' ORDER BY 1"


async def the_log(js: JetStreamContext, up_to: int) -> list[Recorded]:
    facts = [e async for batch in read_log(js, up_to=up_to) for e in batch]
    return [fact for fact in facts if not isinstance(fact, Unread)]


async def tables_at(
    js: JetStreamContext, pool: asyncpg.Pool, sequence: int, projection: Projection = TALLY
) -> dict[str, list[Any]]:
    async with asof.as_of(projection, js, pool, sequence, batch_size=7) as build:
        assert build.checkpoint.last_sequence <= sequence
        return {t.name: await asof.rows_where(build, t) for t in projection.tables}


async def test_at_every_sequence_the_tables_are_the_fold_of_what_stood_before(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(12))
    for sequence in range(last + 1):
        expected = rows_after(TALLY, await the_log(js, sequence))
        assert await tables_at(js, pool, sequence) == expected
    assert await rows(pool, SCHEMAS) == []


def sealed(fact: Fact) -> Fact:
    """As it may be written: the test has no keys."""
    personal = {n: Sealed(key="ann", box="x") for n in fact.personal if getattr(fact, n)}
    return fact.model_copy(update=personal)


@given(st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_random_life_of_a_case_can_be_seen_at_every_sequence(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, data: st.DataObject
) -> None:
    router = next(p for p in PROJECTIONS if p.name == "router")
    life: Life = data.draw(lives())[-1]
    before = await head(js)
    last = await log_site.publish(*map(sealed, life.facts))
    log = await the_log(js, last)
    for sequence in range(before, last + 1):
        expected = rows_after(router, [f for f in log if f.sequence <= sequence])
        assert await tables_at(js, pool, sequence, router) == expected
        for table in router.tables:
            if table.stream == "case":
                alone = await asof.rows_of_one(router, table, js, life.facts[0].stream_id, sequence)
                assert alone == expected[table.name]


async def test_one_stream_id_gives_the_same_rows_as_the_whole_log(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(20))
    for sequence in range(0, last + 1, 5):
        whole = await tables_at(js, pool, sequence)
        for table in TALLY.tables:
            for row in whole[table.name] if table.stream else ():
                (key,) = table.key_of()(row)
                alone = await asof.rows_of_one(TALLY, table, js, key, sequence)
                assert asof.concerned(table, alone, table.key[0], key) == [row]


def declared() -> Iterator[Any]:
    for projection in PROJECTIONS:
        for table in projection.tables:
            if table.stream is not None:
                yield pytest.param(table, id=f"{projection.name}.{table.name}")


@pytest.mark.parametrize("table", list(declared()))
def test_a_table_that_names_a_stream_is_touched_by_no_other(table: Any) -> None:
    touching = [(fact, tuple(key)) for fact in EXAMPLES for key in table.keys(recorded(fact))]
    assert touching
    for fact, key in touching:
        assert (fact.stream, fact.stream_id) == (table.stream, key[0])


async def test_a_moment_is_the_last_fact_recorded_until_then(
    log_site: Site, js: JetStreamContext
) -> None:
    assert await asof.sequence_at(js, (await _now(js))) == 0
    for one in story(6):
        await log_site.publish(one)
        await asyncio.sleep(0.002)
    log = await the_log(js, await head(js))
    tick = timedelta(microseconds=1)
    for fact in log:
        assert await asof.sequence_at(js, fact.recorded_at) == fact.sequence
        assert await asof.sequence_at(js, fact.recorded_at - tick) == fact.sequence - 1
    assert await asof.sequence_at(js, log[-1].recorded_at + timedelta(days=1)) == log[-1].sequence


async def _now(js: JetStreamContext) -> Any:
    info = await js.stream_info("LOG")
    return info.created


async def test_the_live_tables_follow_on_and_a_rebuild_of_then_is_what_they_were(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    facts = story(40)
    async with running(ProjectionRunner(TALLY, js, pool, batch_size=5)):
        middle = await log_site.publish(*facts[:30])
        await reached(pool, TALLY, middle)
        then = await digest(pool, TALLY)
        last = await log_site.publish(*facts[30:])
        await reached(pool, TALLY, last)
        now = await digest(pool, TALLY)
        async with (
            asof.as_of(TALLY, js, pool, middle) as build,
            build.connection.transaction(),
        ):
            assert await build.schema.digest(build.connection) == then
        assert await digest(pool, TALLY) == now
    assert (await rebuild(TALLY, js, pool, check=True)).equal
    assert await rows(pool, SCHEMAS) == [("tally",)]


async def test_kept_tables_stay_with_their_indexes(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(9))
    async with asof.as_of(TALLY, js, pool, last) as build:
        await asof.keep(build, "may_tally")
    assert await rows(pool, SCHEMAS) == [("may_tally",)]
    expected = rows_after(TALLY, await the_log(js, last))
    assert await rows(pool, "SELECT * FROM may_tally.purse ORDER BY rider") == [
        getter(c.name for c in TALLY.tables[0].columns)(row) for row in expected["purse"]
    ]
    assert await rows(pool, "SELECT last_sequence FROM may_tally.checkpoint") == [(last,)]
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'may_tally'"
    assert any("(points)" in line for (line,) in await rows(pool, indexes))


async def test_what_somebody_left_who_was_killed_is_swept_and_what_is_in_use_is_not(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await log_site.publish(*story(3))
    await pool.execute("CREATE SCHEMA asof_dead_tally")
    await pool.execute("CREATE TABLE asof_dead_tally.purse (rider text)")
    async with asof.as_of(TALLY, js, pool, 3) as build:
        assert await asof.sweep(pool) == ["asof_dead_tally"]
        assert await rows(pool, SCHEMAS) == [(build.schema.name,)]
    assert await rows(pool, SCHEMAS) == []


async def test_two_look_at_different_moments_at_once(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    await log_site.publish(*story(10))
    log = await the_log(js, 10)
    found: Sequence[Any] = await asyncio.gather(*(tables_at(js, pool, s) for s in (4, 8, 8)))
    assert found == [rows_after(TALLY, log[:s]) for s in (4, 8, 8)]


async def test_a_fact_that_cannot_be_read_stops_what_comes_behind_it_and_not_what_was_before(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    good = await log_site.publish(*story(2))
    await log_site.publish_raw("log.account.ann", b"{}", {"ce-type": "waggle.account.Nothing"})
    await tables_at(js, pool, good)
    with pytest.raises(RebuildStopped, match=f"sequence {good + 1}"):
        await tables_at(js, pool, good + 1)
    assert await rows(pool, SCHEMAS) == []


async def test_whoever_is_interrupted_leaves_nothing(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    last = await log_site.publish(*story(10))
    looking = asyncio.Event()

    async def look() -> None:
        async with asof.as_of(TALLY, js, pool, last):
            looking.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(look())
    await looking.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(pool, SCHEMAS) == []
