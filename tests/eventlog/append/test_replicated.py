"""The same promises on three servers, where decisions go side by side and answers differ."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from eventlog.append import Appended, Appender, Conflict, Decision
from tests.eventlog.append.kit import (
    Site,
    decision,
    end_of,
    insist_on_acknowledged,
    insist_on_order,
    whole_log,
)


async def test_a_replicated_log_keeps_every_promise(site: Site) -> None:
    """One story, since three servers take their time to start."""
    async with await site.cluster():
        await site.provision(replicas=3)
        nc = await site.connect()
        appender = await Appender.open(nc)
        assert appender.replicated

        many = [decision(f"c{n}", f"id{n}", facts=1 + 2 * (n % 10 == 0)) for n in range(300)]
        results = await asyncio.gather(*(appender.submit(one) for one in many))
        acknowledged = {f"c{n}": result for n, result in enumerate(results)}
        assert appender.stats.groups == 0, "the leader gathers by itself"

        again = await asyncio.gather(*(appender.submit(one) for one in many[:30]))
        assert all(result.duplicate for result in again)
        assert [r.sequences for r in again] == [r.sequences for r in results[:30]]
        assert [r.hashes for r in again] == [r.hashes for r in results[:30]]

        with pytest.raises(Conflict) as conflict:
            await appender.append(decision("late", "id1"))
        assert conflict.value.actual == {"log.report.id1": results[1].sequences[-1]}
        with pytest.raises(Conflict):
            await appender.append(decision("late", "new", "id10", facts=2))

        place = await end_of(nc, "log.report.id5")
        anew = await appender.append(decision("c5", "id5", at=place, body=b'{"anew":1}'))
        assert anew.duplicate
        assert anew.hashes == results[5].hashes

        rivals = await _race(site, [decision(f"r{n}", "hot", facts=1 + n % 2) for n in range(10)])
        (winner,) = rivals
        log = await whole_log(nc)
        insist_on_order(log)
        insist_on_acknowledged(log, acknowledged | {winner: rivals[winner]})
        assert len(log) == sum(len(one.messages) for one in many) + len(rivals[winner].sequences)
        await appender.close()
        await site.close()


async def _race(site: Site, rivals: Sequence[Decision]) -> dict[str, Appended]:
    """All at once, each from a process of its own; who won."""
    won: dict[str, Appended] = {}

    async def run(one: Decision) -> None:
        appender = await Appender.open(await site.connect())
        with suppress(Conflict):
            won[one.command_id] = await appender.append(one)
        await appender.close()

    await asyncio.gather(*map(run, rivals))
    return won
