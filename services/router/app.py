"""Router's subscribers, and the clock that it keeps: what carries facts into decisions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvloop

from contracts.case import (
    CaseJoined,
    CaseRefusal,
    CaseSeparated,
    JoinCase,
    OpenCase,
    ReadCase,
    RingClock,
    UnitKind,
)
from contracts.envelope import Command, Issued, Reason, Recorded, Refused
from contracts.evaluation import PublishMonth
from contracts.report import ReportAccepted
from contracts.rulebook import NONE_PUBLISHED, Published, PublishRulebook, gathered, in_force
from eventlog.connect import connect_postgres
from eventlog.deliveries import TRANSIENT, NotReady
from eventlog.execute import Done, Execution
from eventlog.logs import set_up_logs
from eventlog.read import read_stream
from eventlog.receiving import reacting
from eventlog.sealing import unseal
from eventlog.service import Handled, Service
from eventlog.settings import Settings
from eventlog.standing import Standing
from eventlog.tasks import end
from services.router import reactions
from services.router.decider import evaluation, rulebook
from services.router.decider.case import CASE, Case
from services.router.decider.evaluation import EVALUATION, Snapshot
from services.router.duplicates import twins
from services.router.evaluation import Ways, month_of, summaries
from services.router.files import case_file, may_read
from services.router.lifecycle import TABLE, Who
from services.router.openings import Openings
from services.router.rules import Rules
from services.router.watch import Watch, keep_time, keep_together

ROOM: Final = "router"
CASE_COMMANDS: Final[tuple[type[Command], ...]] = tuple(
    move.command for move in TABLE if move.who is not Who.HOUSE
)
"""What can be asked of router from outside; what the house does by itself is not to be had."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What router's subscribers share."""

    service: Service
    published: Standing[Published]
    cases: Execution[Case, Rules]
    rulebooks: Execution[Any, None]
    months: Execution[evaluation.State, Snapshot]
    watch: Watch
    compiled: dict[str, Rules] = field(default_factory=dict)
    openings: Openings = field(default_factory=Openings)

    def rules_at(self, at: datetime) -> Rules:
        """The rules in force at a moment, made ready once."""
        book = in_force(self.published.value, at)
        if book is None:
            raise NotReady(f"no rulebook is in force at {at.isoformat()}")
        return self.compiled.get(book.label) or self.compiled.setdefault(book.label, Rules(book))

    async def handle(self, issued: Issued[Any]) -> Handled:
        """Carry out a command on a case."""
        done = await self.cases.carry_out(issued, issued.command.case_id, self.rules_at(issued.at))
        return done.answer(), done.known

    async def join(self, issued: Issued[JoinCase]) -> Handled:
        """Let a case gather under another one, as that one stands now."""
        other = await self.cases.state(issued.command.into, fresh=True)
        seen = issued.command.model_copy(update={"stands_at": other.step})
        return await self.handle(replace(issued, command=seen))

    async def publish(self, issued: Issued[PublishRulebook]) -> Handled:
        """Put a rulebook in force."""
        done = await self.rulebooks.carry_out(issued, issued.command.name, None)
        return done.answer(), done.known

    async def publish_month(self, issued: Issued[PublishMonth]) -> Handled:
        """Publish the figures of a month as the tables have them now."""
        rules = self.rules_at(issued.at)
        book = rules.book
        period = month_of(issued.command.month, ZoneInfo(book.time_zone), issued.at)
        rows, as_of = await self.watch.courses(period)
        inspection = frozenset(u.code for u in book.units if u.kind is UnitKind.INSPECTION)
        now = Snapshot(
            period, as_of, summaries(rows, period, Ways(inside=rules.places.chain)), inspection
        )
        done = await self.months.carry_out(issued, issued.command.month, now)
        return done.answer(), done.known

    async def read(self, issued: Issued[ReadCase]) -> Handled:
        """Answer with the words of a report, to who may read them."""
        case_id = issued.command.case_id
        case = await self.cases.state(case_id, fresh=True)
        if not may_read(issued.actor, case, self.rules_at(issued.at)):
            detail = "only the unit that holds the case, who helps it, and inspection may read it"
            raise Refused(Reason(code=CaseRefusal.NOT_YOURS, detail=detail))
        recorded = [r async for r in read_stream(self.service.js, "report", case.report_id)]
        facts = await unseal(recorded, self.service.keys)
        said = next((fact for fact in facts if isinstance(fact, ReportAccepted)), None)
        return case_file(case_id, case, said), False

    async def open(self, fact: Recorded) -> None:
        """Open a case for an accepted report, or let it join the open case that it is about."""
        command = reactions.open_case(fact)
        if command is None:
            return
        issued = reacting(fact, command, room=ROOM, name="open")
        rules = self.rules_at(issued.at)
        filed = rules.filed(command.service_code, command.condition)
        if filed is None or command.position is None or fact.history:
            await self._open(issued, rules)
            return
        at, code = command.position, filed.condition.code
        rule = rules.duplicates(filed.condition)
        async with self.openings.turn(code, at, rule.radius_metres) as turn:
            nearby = turn.nearby(await self.watch.nearby(code, at, issued.at, rule))
            seen = command.model_copy(update={"nearby": nearby})
            done = await self._open(replace(issued, command=seen), rules)
            turn.opened(done.facts, issued.at, done.sequence)

    async def _open(self, issued: Issued[OpenCase], rules: Rules) -> Done:
        case_id = issued.command.report_id
        return await self.cases.carry_out(issued, case_id, rules, likely_new=True)

    async def gather(self, fact: Recorded) -> None:
        """Tell a case of the reports that join it, and of those that leave it."""
        rules = self.rules_at(fact.happened_at if fact.history else datetime.now(UTC))
        joined = await self.cases.state(fact.body.stream_id, at_least=fact.sequence)
        for command in reactions.gather(fact):
            if joined.origin != command.case_id:
                return  # it has left again in the meantime
            name = f"gather-{command.report_id}"
            issued = reacting(fact, command, room=ROOM, name=name)
            try:
                await self.cases.carry_out(issued, command.case_id, rules)
            except Refused:
                if isinstance(fact.body, CaseJoined):
                    apart = reacting(fact, reactions.apart(fact.body), room=ROOM, name="apart")
                    await self.cases.carry_out(apart, fact.body.case_id, rules)
                return
        if leaving := reactions.drop(fact):
            issued_drop = reacting(fact, leaving, room=ROOM, name="drop")
            await self.cases.carry_out(issued_drop, leaving.case_id, rules)

    async def order(self, fact: Recorded) -> None:
        """Tell the units that must act."""
        if not reactions.asks_for_work(fact):
            return
        case = await self.cases.state(fact.body.stream_id, at_least=fact.sequence)
        told = [replace(fact, body=asked) for asked in reactions.supported(fact)]
        for one in (fact, *told):
            if order := reactions.work_order(one, case):
                await self.service.js.publish(
                    f"work.{order.unit}",
                    order.model_dump_json().encode(),
                    stream="WORK",
                    headers={"Nats-Msg-Id": order.order_id},
                    timeout=5,
                )

    async def ring(self, case_id: str, moment: datetime) -> None:
        """A moment that a case waits for has come."""
        now = datetime.now(UTC)
        issued = Issued(
            command=RingClock(case_id=case_id, moment=moment),
            command_id=f"ring-{int(moment.timestamp() * 1_000_000)}",
            actor=ROOM,
            at=now,
            correlation=case_id,
        )
        await self.cases.carry_out(issued, case_id, self.rules_at(now))

    async def bring_together(self) -> None:
        """Let cases gather that several processes have opened about one thing."""
        now = datetime.now(UTC)
        rules = self.rules_at(now)
        found = await self.watch.twins(now, rules.widest)
        for case_id, into in twins(found, rules.same_thing).items():
            issued = Issued(
                command=JoinCase(case_id=case_id, into=into),
                command_id=f"twin-{into}",
                actor=ROOM,
                at=now,
                correlation=case_id,
            )
            with suppress(Refused):  # somebody has taken it on, or ended it, meanwhile
                await self.cases.carry_out(issued, case_id, rules)


async def wire(service: Service, watch: Watch) -> Desk:
    """Subscribe to what router carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    desk = Desk(
        service,
        published,
        service.execution(CASE),
        service.execution(rulebook.RULEBOOK),
        service.execution(EVALUATION),
        watch,
    )
    for kind in CASE_COMMANDS:
        if kind is not JoinCase:
            service.command(kind)(desk.handle)
    service.command(JoinCase)(desk.join)
    service.command(PublishRulebook)(desk.publish)
    service.command(PublishMonth)(desk.publish_month)
    service.command(ReadCase)(desk.read)
    service.reaction("on-report", ReportAccepted)(desk.open)
    service.reaction("work-orders", *reactions.ORDERS)(desk.order)
    service.reaction("gathering", CaseJoined, CaseSeparated)(desk.gather)
    return desk


@asynccontextmanager
async def keeping_time(desk: Desk) -> AsyncIterator[None]:
    """The clock is kept, and twins are looked for, for as long as the subscribers serve."""
    kept = (
        asyncio.create_task(keep_time(desk.watch, desk.ring, lambda: datetime.now(UTC), TRANSIENT)),
        asyncio.create_task(keep_together(desk.bring_together, TRANSIENT)),
    )
    try:
        yield
    finally:
        await end(*kept)


async def main() -> None:
    """Run router until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    tables = await connect_postgres(settings.database_url, tidy=False)
    try:
        async with Service.open(ROOM, settings) as service:
            desk = await wire(service, Watch(tables))
            async with keeping_time(desk):
                await service.run()
    finally:
        await tables.close()


if __name__ == "__main__":
    uvloop.run(main())
