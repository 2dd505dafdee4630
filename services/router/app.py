"""Router's subscribers: the only file of the room with I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import uvloop

from contracts.case import (
    AcceptWork,
    CaseDispatched,
    CaseRefusal,
    CloseCase,
    DispatchCase,
    ReadCase,
    RecordHandling,
    ResolveWork,
    ReturnWork,
    ReworkOrdered,
    VerifyWork,
)
from contracts.envelope import Issued, Reason, Recorded, Refused
from contracts.report import ReportAccepted
from contracts.rulebook import NONE_PUBLISHED, PublishRulebook, Rulebook, gathered, in_force
from eventlog.deliveries import NotReady
from eventlog.execute import Execution
from eventlog.logs import set_up_logs
from eventlog.read import read_stream
from eventlog.receiving import reacting
from eventlog.sealing import unseal
from eventlog.service import Handled, Service
from eventlog.settings import Settings
from eventlog.standing import Standing
from services.router import reactions
from services.router.decider import rulebook
from services.router.decider.case import CASE, Case
from services.router.files import case_file, may_read
from services.router.rules import Rules

ROOM: Final = "router"
CaseCommand = (
    AcceptWork | DispatchCase | ReturnWork | ResolveWork | VerifyWork | CloseCase | RecordHandling
)
CASE_COMMANDS: Final[tuple[type[CaseCommand], ...]] = (
    AcceptWork,
    DispatchCase,
    ReturnWork,
    ResolveWork,
    VerifyWork,
    CloseCase,
    RecordHandling,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What router's subscribers share."""

    service: Service
    published: Standing[tuple[Rulebook, ...]]
    cases: Execution[Case, Rules]
    rulebooks: Execution[rulebook.State, None]
    compiled: dict[str, Rules] = field(default_factory=dict)

    def rules_at(self, at: datetime) -> Rules:
        """The rules in force at a moment, made ready once."""
        book = in_force(self.published.value, at)
        if book is None:
            raise NotReady(f"no rulebook is in force at {at.isoformat()}")
        return self.compiled.get(book.label) or self.compiled.setdefault(book.label, Rules(book))

    async def handle(self, issued: Issued[CaseCommand]) -> Handled:
        """Carry out a command on a case."""
        done = await self.cases.carry_out(issued, issued.command.case_id, self.rules_at(issued.at))
        return done.answer(), done.known

    async def publish(self, issued: Issued[PublishRulebook]) -> Handled:
        """Put a rulebook in force."""
        done = await self.rulebooks.carry_out(issued, issued.command.name, None)
        return done.answer(), done.known

    async def read(self, issued: Issued[ReadCase]) -> Handled:
        """Answer with the words of a report, to who may read them."""
        case_id = issued.command.case_id
        case = await self.cases.state(case_id, fresh=True)
        if not may_read(issued.actor, case, self.rules_at(issued.at)):
            detail = "only the unit that holds the case, and inspection, may read it"
            raise Refused(Reason(code=CaseRefusal.NOT_YOURS, detail=detail))
        recorded = [r async for r in read_stream(self.service.js, "report", case.report_id)]
        facts = await unseal(recorded, self.service.keys)
        said = next((fact for fact in facts if isinstance(fact, ReportAccepted)), None)
        return case_file(case_id, case, said), False

    async def open(self, fact: Recorded) -> None:
        """Open a case for an accepted report."""
        if command := reactions.open_case(fact):
            issued = reacting(fact, command, room=ROOM, name="open")
            rules = self.rules_at(issued.at)
            await self.cases.carry_out(issued, command.report_id, rules, likely_new=True)

    async def order(self, fact: Recorded) -> None:
        """Tell the unit that must act."""
        if not reactions.asks_for_work(fact):
            return
        case = await self.cases.state(fact.body.stream_id, at_least=fact.sequence)
        if order := reactions.work_order(fact, case):
            await self.service.js.publish(
                f"work.{order.unit}",
                order.model_dump_json().encode(),
                stream="WORK",
                headers={"Nats-Msg-Id": order.order_id},
                timeout=5,
            )


async def wire(service: Service) -> None:
    """Subscribe to what router carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    desk = Desk(service, published, service.execution(CASE), service.execution(rulebook.RULEBOOK))
    for kind in CASE_COMMANDS:
        service.command(kind)(desk.handle)
    service.command(PublishRulebook)(desk.publish)
    service.command(ReadCase)(desk.read)
    service.reaction("on-report", ReportAccepted)(desk.open)
    service.reaction("work-orders", CaseDispatched, ReworkOrdered)(desk.order)


async def main() -> None:
    """Run router until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    async with Service.open(ROOM, settings) as service:
        await wire(service)
        await service.run()


if __name__ == "__main__":
    uvloop.run(main())
