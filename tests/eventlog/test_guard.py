"""A log that has lost something is refused, before anything is folded from it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from nats.js import JetStreamContext

from eventlog import checkpoint
from eventlog.checkpoint import LogLost
from eventlog.message import LOG
from eventlog.project import ProjectionRunner
from tests.eventlog.site import PROVISIONER, Site, awarded, digest, reached, rows, running
from tests.eventlog.tally import TALLY


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "LOOK_AGAIN", (0.05,))


@pytest.fixture
async def folded(log_site: Site, js: JetStreamContext, pool: asyncpg.Pool) -> int:
    """Five awards, all in the tables."""
    last = await log_site.publish(*(awarded("ann", n, report=f"r{n}") for n in range(1, 6)))
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
    return last


async def refusal(js: JetStreamContext, pool: asyncpg.Pool) -> str:
    before = await digest(pool, TALLY)
    with pytest.raises(LogLost) as refused:
        await asyncio.wait_for(ProjectionRunner(TALLY, js, pool).run(), timeout=20)
    assert await digest(pool, TALLY) == before, "it has folded all the same"
    ((status, error),) = await rows(pool, "SELECT status, error FROM tally.checkpoint")
    assert (status, error) == ("stopped", str(refused.value))
    return str(error)


async def test_a_log_that_ends_before_the_checkpoint_is_refused(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, folded: int
) -> None:
    await log_site.lose_the_log()
    await log_site.publish(awarded("ann", 100))

    said = await refusal(js, pool)

    assert f"folded up to sequence {folded}" in said
    assert "the log ends at 1" in said
    assert "restore the stream LOG" in said


async def test_a_log_whose_numbers_were_given_out_again_is_refused(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, folded: int
) -> None:
    """The dangerous one: the head is past the checkpoint, as if nothing had happened."""
    await log_site.lose_the_log()
    await log_site.publish(*(awarded("bob", n, report=f"x{n}") for n in range(1, 10)))

    assert "another fact there (log.account.bob" in await refusal(js, pool)


async def test_an_empty_log_is_refused_by_tables_that_are_not(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool, folded: int
) -> None:
    await log_site.lose_the_log()

    assert "the log ends at 0" in await refusal(js, pool)


async def test_a_fact_that_does_not_give_its_hash_is_refused(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    claimed = {"ce-hash": "f" * 64, "ce-prevhash": "0" * 64}
    last = await log_site.publish_raw("log.account.ann", b"{}", claimed)
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)

    assert "does not give its own hash" in await refusal(js, pool)


async def test_a_hole_before_the_checkpoint_is_refused(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    """The end is as it was, and so is the fact at the checkpoint."""
    provisioner = await log_site.js(PROVISIONER)
    declared = (await provisioner.stream_info(LOG)).config
    await provisioner.delete_stream(LOG)
    await provisioner.add_stream(declared.evolve(deny_delete=False))
    last = await log_site.publish(*(awarded("ann", n, report=f"r{n}") for n in range(1, 6)))
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, last)
    await provisioner.delete_msg(LOG, 2)

    assert f"1 facts before its end at {last} are gone" in await refusal(js, pool)


async def test_a_runner_that_is_cut_off_looks_before_it_goes_on(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    task = asyncio.create_task(ProjectionRunner(TALLY, js, pool).run())
    last = await log_site.publish(*(awarded("ann", n, report=f"r{n}") for n in range(1, 6)))
    await reached(pool, TALLY, last)

    await log_site.lose_the_log()

    with pytest.raises(LogLost, match="the log ends at 0"):
        await asyncio.wait_for(task, timeout=30)


async def test_the_same_facts_in_a_stream_made_anew_are_no_loss(
    log_site: Site, js: JetStreamContext, pool: asyncpg.Pool
) -> None:
    """A promoted mirror and a restored backup are such streams."""
    facts = [awarded("ann", n, report=f"r{n}") for n in range(1, 6)]
    await log_site.publish(*facts)
    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, len(facts))
    await log_site.lose_the_log()
    log_site.forget_commands()
    await log_site.publish(*facts, awarded("ann", 100, report="new"))

    async with running(ProjectionRunner(TALLY, js, pool)):
        await reached(pool, TALLY, len(facts) + 1)

    assert await rows(pool, "SELECT points FROM tally.purse") == [(115,)]
