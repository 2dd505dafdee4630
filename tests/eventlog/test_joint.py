"""One decision over several stream ids: all of it or nothing, once, whoever else is writing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import asyncpg
import pytest

from contracts.account import AwardCounted, AwardPoints, CapName, PointsAwarded
from contracts.envelope import Command, Fact, Issued, Reason, Recorded, Refused
from eventlog.append import Appender, Limits
from eventlog.decider import Decider
from eventlog.execute import Done, Execution
from eventlog.joint import JointExecution, Name, States
from eventlog.read import read_log
from eventlog.sealing import KeyStore
from tests.eventlog.append.kit import Proxy
from tests.eventlog.site import WRITERS, Site, awarded

AT = datetime(2026, 5, 3, 12, tzinfo=UTC)
LIMIT = 30
"""What all awards at the place may come to."""
PLACE = ("cap", "place-1")


def by_hand(issued: Issued[Any], state: int, rules: None) -> Sequence[Fact]:
    return [awarded(issued.command.rider_id, 1, issued.command.report_id)]


ACCOUNTS = Decider("account", 0, by_hand, lambda n, f: n + cast(PointsAwarded, f).points)
CAPS = Decider("cap", 0, by_hand, lambda n, f: n + cast(AwardCounted, f).points)


def award(rider: str, report: str) -> AwardPoints:
    return AwardPoints(rider_id=rider, platform="kite", report_id=report, case_id=report)


def counted(command: AwardPoints, points: int, cap_id: str = PLACE[1]) -> AwardCounted:
    return AwardCounted(
        cap_id=cap_id,
        cap=CapName.PLACE_DAY,
        of="a-west 2026-05-03",
        rider_id=command.rider_id,
        report_id=command.report_id,
        points=points,
    )


def within(issued: Issued[AwardPoints], states: States) -> Sequence[Fact]:
    """Ten points, as long as the place has them."""
    command = issued.command
    if states[PLACE] + 10 > LIMIT:
        raise Refused(Reason(code="full", detail=f"{states[PLACE]} of {LIMIT} are gone"))
    return [
        awarded(command.rider_id, 4, command.report_id),
        counted(command, 10),
        awarded(command.rider_id, 6, command.report_id),
    ]


@dataclass
class Room:
    """A process of points."""

    accounts: Execution[int, None]
    joint: JointExecution

    async def do(self, rider: str, command_id: str, decide: Any = within) -> Done:
        command = award(rider, f"of-{command_id}")
        over = (("account", rider), PLACE)
        return await self.joint.carry_out(issue(command, command_id), over, decide)

    async def alone(self, rider: str, command_id: str) -> Done:
        command = award(rider, f"of-{command_id}")
        return await self.accounts.carry_out(issue(command, command_id), rider, None)


def issue(command: Command, command_id: str) -> Issued[Any]:
    return Issued(command=command, command_id=command_id, actor="points", at=AT)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def room(site: Site, stack: AsyncExitStack, url: str | None = None) -> Room:
    there = Site(site.folder, site.database_url, site.server, [url or site.server.url])
    nc = await there.connect(WRITERS["account"])
    stack.push_async_callback(nc.close)
    appender = await Appender.open(nc, limits=Limits(budget=15, timeout=0.3))
    stack.push_async_callback(appender.close, grace=0.1)
    keys = KeyStore(cast(asyncpg.Pool, None), b"k" * 32)  # nothing here is personal
    js = nc.jetstream(timeout=5)
    accounts = Execution(ACCOUNTS, room="points", appender=appender, js=js, keys=keys)
    caps = Execution(CAPS, room="points", appender=appender, js=js, keys=keys)
    return Room(accounts, JointExecution(accounts, caps))


async def whole(site: Site) -> list[Recorded]:
    facts: list[Recorded] = []
    async for batch in read_log(await site.js()):
        facts += [entry for entry in batch if isinstance(entry, Recorded)]
    return facts


def insist_on_whole_decisions(log: Sequence[Recorded]) -> None:
    """The facts of a command lie side by side, all of them, and each chain is unbroken."""
    heads: dict[str, str] = {}
    for fact in log:
        assert fact.previous_hash == heads.get(fact.subject, "0" * 64)
        heads[fact.subject] = fact.hash
    commands = [fact.command_id for fact in log]
    for command in set(commands):
        first = commands.index(command)
        assert commands[first : first + commands.count(command)] == (
            [command] * commands.count(command)
        )
        indexes = [f.fact_id.rpartition(".")[2] for f in log if f.command_id == command]
        assert indexes == [str(i) for i in range(len(indexes))]


async def test_facts_of_several_stream_ids_are_written_as_one(
    log_site: Site, stack: AsyncExitStack
) -> None:
    points = await room(log_site, stack)
    done = await points.do("ann", "c1")
    log = await whole(log_site)
    assert [fact.subject for fact in log] == [
        "log.account.ann",
        "log.cap.place-1",
        "log.account.ann",
    ]
    assert done.sequence == 3
    assert not done.known
    assert done.stream_id == "ann"
    insist_on_whole_decisions(log)


async def test_the_same_command_again_gets_the_same_answer_and_writes_nothing(
    log_site: Site, stack: AsyncExitStack
) -> None:
    points, other = await room(log_site, stack), await room(log_site, stack)
    first = await points.do("ann", "c1")
    for again in (await points.do("ann", "c1"), await other.do("ann", "c1")):
        assert again.known
        assert (again.facts, again.sequence) == (first.facts, first.sequence)
    assert len(await whole(log_site)) == 3


async def test_a_command_id_is_not_used_for_something_else(
    log_site: Site, stack: AsyncExitStack
) -> None:
    points = await room(log_site, stack)
    await points.do("ann", "c1")
    changed = issue(award("ann", "another"), "c1")
    with pytest.raises(Refused) as refusal:
        await points.joint.carry_out(changed, (("account", "ann"), PLACE), within)
    assert [reason.code for reason in refusal.value.reasons] == ["command_id_reused"]
    assert len(await whole(log_site)) == 3


async def test_a_refusal_writes_nothing_and_is_not_given_on_an_old_view(
    log_site: Site, stack: AsyncExitStack
) -> None:
    """Two processes: each sees what the other wrote before it says no, or yes."""
    points, other = await room(log_site, stack), await room(log_site, stack)
    await points.do("ann", "c1")
    await other.do("bo", "c2")
    await points.do("cy", "c3")
    for process in (points, other):
        with pytest.raises(Refused):
            await process.do("di", "c4")
    assert len(await whole(log_site)) == 9


async def test_a_single_decision_and_a_joint_one_know_of_each_other(
    log_site: Site, stack: AsyncExitStack
) -> None:
    points, other = await room(log_site, stack), await room(log_site, stack)
    for n in range(3):
        await points.do("ann", f"joint-{n}")
        await points.alone("ann", f"alone-{n}")
        await other.alone("ann", f"other-{n}")
    assert await points.accounts.state("ann", fresh=True) == 3 * 10 + 6
    insist_on_whole_decisions(await whole(log_site))


async def test_many_at_once_never_go_beyond_what_they_share(
    log_site: Site, stack: AsyncExitStack
) -> None:
    """Twenty riders, two processes, each command in both at the same time, room for three."""
    rooms = [await room(log_site, stack) for _ in range(2)]
    results = await asyncio.gather(
        *(one.do(f"r{n}", f"c{n}") for n in range(20) for one in rooms), return_exceptions=True
    )
    log = await whole(log_site)
    insist_on_whole_decisions(log)
    given = {fact.command_id for fact in log}
    assert len(given) == 3
    assert len(log) == 9
    answered = {n // 2 for n, result in enumerate(results) if isinstance(result, Done)}
    assert answered == {int(command[1:]) for command in given}
    assert sum(isinstance(result, Refused) for result in results) == 2 * 17


def crossing(issued: Issued[AwardPoints], states: States) -> Sequence[Fact]:
    """Something of every stream id, in the order in which they were named."""
    return [
        counted(issued.command, 1, stream_id)
        if stream == "cap"
        else awarded(stream_id, 1, issued.command.report_id)
        for stream, stream_id in states
    ]


async def test_decisions_that_cross_do_not_wait_for_each_other_in_a_ring(
    log_site: Site, stack: AsyncExitStack
) -> None:
    rooms = [await room(log_site, stack) for _ in range(2)]
    dice = random.Random(5)
    names: list[Name] = [("account", r) for r in ("ann", "bo", "cy")] + [PLACE]

    async def one(n: int) -> Done:
        over = dice.sample(names, k=dice.randint(2, 4))
        command = issue(award("ann", f"report-{n}"), f"c{n}")
        return await dice.choice(rooms).joint.carry_out(command, over, crossing)

    async with asyncio.timeout(20):
        done = await asyncio.gather(*(one(n) for n in range(60)))
    log = await whole(log_site)
    insist_on_whole_decisions(log)
    assert len(log) == sum(len(one.facts) for one in done)


def resting_on(issued: Issued[AwardPoints], states: States) -> Sequence[Fact]:
    """Writes to the account what the place says, and nothing to the place."""
    if states[PLACE] >= LIMIT:
        raise Refused(Reason(code="full", detail="the place is used up"))
    return [awarded(issued.command.rider_id, 1, issued.command.report_id)]


async def test_what_is_only_read_is_asked_for_before_anything_rests_on_it(
    log_site: Site, stack: AsyncExitStack
) -> None:
    points, other = await room(log_site, stack), await room(log_site, stack)
    await points.do("ann", "c0", resting_on)
    for n in range(1, 4):
        await other.do("bo", f"c{n}")
    with pytest.raises(Refused):
        await points.do("ann", "c9", resting_on)


async def test_a_fact_of_a_stream_id_that_nobody_named_is_not_written(
    log_site: Site, stack: AsyncExitStack
) -> None:
    points = await room(log_site, stack)
    with pytest.raises(ValueError, match="named by nobody"):
        await points.do("ann", "c1", lambda issued, states: [awarded("bo", 1)])
    assert await whole(log_site) == []


@pytest.mark.parametrize("broken", [False, True])
async def test_a_lost_answer_is_found_out(
    log_site: Site, stack: AsyncExitStack, broken: bool
) -> None:
    proxy = Proxy(log_site.server.port)
    far = await room(log_site, stack, await proxy.start())
    stack.push_async_callback(proxy.stop)
    await far.do("ann", "c0")
    proxy.deaf = True
    doing = asyncio.create_task(far.do("ann", "c1"))
    await proxy.lost_answer.wait()
    if broken:
        proxy.cut()
    proxy.deaf = False
    done = await doing
    assert done.sequence == 6
    assert len(done.facts) == 3
    insist_on_whole_decisions(await whole(log_site))
    assert (await far.do("ann", "c2")).sequence == 9
