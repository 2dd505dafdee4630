"""Group commit: many decisions in one write, each with its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

from eventlog.append import Appended, Appender, Conflict, Limits, LogFull, Rejected
from tests.eventlog.append.kit import (
    Place,
    Site,
    decision,
    end_of,
    insist_on_acknowledged,
    insist_on_order,
    remake,
    whole_log,
)


@pytest.fixture
async def small(nc: Client) -> AsyncIterator[Appender]:
    """An appender that groups early, and never more than ten facts."""
    appender = await Appender.open(nc, limits=Limits(single_below=3, group_messages=10))
    yield appender
    await appender.close()


async def test_a_handful_go_singly(appender: Appender) -> None:
    await asyncio.gather(*(appender.append(decision(f"c{n}", f"id{n}")) for n in range(8)))
    assert appender.stats.singles == 8
    assert appender.stats.groups == 0


async def test_many_go_together(appender: Appender, nc: Client) -> None:
    futures = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(100)]
    acknowledged = {f"c{n}": await future for n, future in enumerate(futures)}
    assert appender.stats.groups == 1
    assert appender.stats.largest_group == 100
    log = await whole_log(nc)
    insist_on_order(log)
    insist_on_acknowledged(log, acknowledged)


async def test_what_gathers_during_a_commit_is_the_next_group(appender: Appender) -> None:
    first = [appender.submit(decision(f"a{n}", f"a{n}")) for n in range(50)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert appender.waiting == 0
    assert not any(future.done() for future in first)
    second = [appender.submit(decision(f"b{n}", f"b{n}")) for n in range(50)]
    await asyncio.gather(*first, *second)
    assert appender.stats.groups == 2
    assert appender.stats.singles == 0


async def test_a_decision_is_never_split_over_two_groups(small: Appender, nc: Client) -> None:
    futures = [small.submit(decision(f"c{n}", f"id{n}", facts=4)) for n in range(9)]
    appended = await asyncio.gather(*futures)
    assert small.stats.largest_group == 2
    for one in appended:
        assert one.sequences == tuple(range(one.sequences[0], one.sequences[0] + 4))
    insist_on_order(await whole_log(nc))


async def test_a_decision_larger_than_a_group_goes_by_itself(small: Appender) -> None:
    futures = [small.submit(decision(f"c{n}", f"id{n}")) for n in range(4)]
    large = small.submit(decision("large", "large", facts=40))
    await asyncio.gather(large, *futures)
    assert len(large.result().sequences) == 40


async def test_a_group_stays_below_its_bytes(nc: Client) -> None:
    appender = await Appender.open(nc, limits=Limits(single_below=2, group_bytes=20_000))
    body = b"x" * 5_000
    await asyncio.gather(
        *(appender.append(decision(f"c{n}", f"id{n}", body=body)) for n in range(12))
    )
    assert appender.stats.largest_group == 3
    await appender.close()


async def test_one_guilty_member_does_not_hold_the_others_back(
    appender: Appender, nc: Client
) -> None:
    await appender.append(decision("before", "id7"))
    futures = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(60)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(results[7], Conflict)
    assert results[7].actual == {"log.report.id7": 1}
    innocent = {f"c{n}": r for n, r in enumerate(results) if isinstance(r, Appended)}
    assert len(innocent) == 59
    assert appender.stats.fallen_apart == 1
    assert appender.stats.groups == 2, "the innocent go on as a group"
    log = await whole_log(nc)
    insist_on_order(log)
    insist_on_acknowledged(log, innocent)


async def test_many_guilty_members_each_get_their_own_answer(
    appender: Appender, nc: Client
) -> None:
    """Half were written by others meanwhile, a few are known from before, the rest is new."""
    for n in range(0, 20, 2):
        await appender.append(decision(f"other{n}", f"id{n}"))
    known = [decision(f"c{n}", f"id{n}", facts=2) for n in range(21, 26)]
    stored = [await appender.append(one) for one in known]
    decided = [decision(f"c{n}", f"id{n}", facts=1 if n < 21 else 2) for n in range(40)]
    results = await asyncio.gather(
        *(appender.submit(one) for one in decided), return_exceptions=True
    )
    for n, result in enumerate(results):
        if n < 20 and n % 2 == 0:
            assert isinstance(result, Conflict)
        elif 21 <= n < 26:
            assert isinstance(result, Appended)
            assert result.duplicate
            assert result.sequences == stored[n - 21].sequences
        else:
            assert isinstance(result, Appended)
            assert not result.duplicate
    insist_on_order(await whole_log(nc))


async def test_members_known_by_message_id_alone_are_found_out(
    appender: Appender, nc: Client
) -> None:
    """Decided anew on the newest state, with a command that was carried out before."""
    first = await appender.append(decision("c0", "id0"))
    place = Place(first.sequences[0], first.hashes[0])
    decided = [
        decision("c0", "id0", at=place),
        *(decision(f"c{n}", f"id{n}") for n in range(1, 30)),
    ]
    results = await asyncio.gather(*(appender.submit(one) for one in decided))
    assert results[0].duplicate
    assert results[0].sequences == first.sequences
    assert not any(result.duplicate for result in results[1:])
    assert appender.stats.fallen_apart == 1
    insist_on_order(await whole_log(nc))


async def test_two_decisions_about_one_stream_id_never_travel_together(
    appender: Appender, nc: Client
) -> None:
    """The second was decided on the state before the first: it waits, and gets a conflict."""
    others = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(30)]
    second = appender.submit(decision("second", "id3"))
    with pytest.raises(Conflict) as conflict:
        await second
    assert others[3].done(), "in the order in which they came"
    assert conflict.value.actual == {"log.report.id3": others[3].result().sequences[0]}
    await asyncio.gather(*others)
    assert appender.stats.fallen_apart == 0
    insist_on_order(await whole_log(nc))


async def test_decisions_about_one_stream_id_keep_their_order(
    appender: Appender, nc: Client
) -> None:
    """Each decided on what the one before will leave: sequences can be foreseen when alone."""
    first, second, third = (
        decision("one", "a"),
        decision("two", "a", at=Place(1, decision("one", "a").messages[0].hash)),
        decision("three", "a", "b", at={"log.report.a": Place(2)}),
    )
    results = await asyncio.gather(*(appender.submit(d) for d in (first, second, third)))
    assert [r.sequences for r in results] == [(1,), (2,), (3, 4)]


async def test_a_member_that_the_stream_never_takes_is_named_and_the_others_pass(
    site: Site, nc: Client
) -> None:
    """No stream id is to blame here, so each goes alone."""
    await remake(site, max_msg_size=4000)
    appender = await Appender.open(nc)
    decided = [decision(f"c{n}", f"id{n}", body=b"x" * (5000 if n == 7 else 10)) for n in range(20)]
    results = await asyncio.gather(*map(appender.submit, decided), return_exceptions=True)
    assert isinstance(results[7], Rejected)
    assert "10054" in str(results[7])
    assert sum(isinstance(r, Appended) for r in results) == 19
    assert appender.stats.fallen_apart == 1
    insist_on_order(await whole_log(nc))
    await appender.close()


async def test_a_group_that_no_longer_fits_stores_what_still_does(site: Site, nc: Client) -> None:
    await remake(site, log_bytes=30_000)
    appender = await Appender.open(nc)
    futures = [appender.submit(decision(f"c{n}", f"id{n}", body=b"x" * 1000)) for n in range(40)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    stored = {f"c{n}": r for n, r in enumerate(results) if isinstance(r, Appended)}
    assert stored
    assert sum(isinstance(r, LogFull) for r in results) == 40 - len(stored)
    log = await whole_log(nc)
    assert len(log) == len(stored)
    insist_on_acknowledged(log, stored)
    await appender.close()


async def test_a_stream_id_in_no_group_waits_for_no_stranger(
    appender: Appender, nc: Client
) -> None:
    """A long line for one stream id does not hold up the others behind it."""
    line = [appender.submit(decision(f"hot{n}", "hot")) for n in range(200)]
    other = appender.submit(decision("other", "other"))
    await other
    assert not line[-1].done()
    results = await asyncio.gather(*line, return_exceptions=True)
    assert sum(isinstance(r, Appended) for r in results) == 1
    assert (await end_of(nc, "log.report.hot")).sequence in {1, 2}
