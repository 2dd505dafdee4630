"""Router's subscribers: the only file of the room with I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import uvloop

from contracts.case import (
    AcceptWork,
    CaseFile,
    CaseRefusal,
    CloseCase,
    DispatchCase,
    ReadCase,
    RecordHandling,
    ResolveWork,
    ReturnWork,
    UnitKind,
    VerifyWork,
)
from contracts.envelope import Issued, Reason, Recorded, Refused, plain
from contracts.report import ReportAccepted
from contracts.rulebook import NONE_PUBLISHED, PublishRulebook, gathered, in_force
from eventlog.logs import set_up_logs
from eventlog.read import read_stream
from eventlog.receiving import reacting
from eventlog.sealing import unseal
from eventlog.service import Handled, NotReady, Service
from eventlog.settings import Settings
from services.router import reactions
from services.router.decider.case import CASE
from services.router.decider.rulebook import RULEBOOK
from services.router.rules import Rules

ROOM: Final = "router"
CASE_COMMANDS: Final = (
    AcceptWork,
    DispatchCase,
    ReturnWork,
    ResolveWork,
    VerifyWork,
    CloseCase,
    RecordHandling,
)


async def wire(service: Service) -> None:
    """Subscribe to what router carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    compiled: dict[str, Rules] = {}
    cases = service.execution(CASE)
    rulebooks = service.execution(RULEBOOK)

    def rules_at(at: datetime) -> Rules:
        book = in_force(published.value, at)
        if book is None:
            raise NotReady(f"no rulebook is in force at {at.isoformat()}")
        return compiled.get(book.label) or compiled.setdefault(book.label, Rules(book))

    async def on_case_command(issued: Issued[AcceptWork]) -> Handled:
        done = await cases.carry_out(issued, issued.command.case_id, rules_at(issued.at))
        return done.answer(), done.known

    for kind in CASE_COMMANDS:
        service.command(kind)(on_case_command)  # type: ignore[arg-type]

    @service.command(PublishRulebook)
    async def publish_rulebook(issued: Issued[PublishRulebook]) -> Handled:
        name = str(issued.command.document.get("name", ""))
        done = await rulebooks.carry_out(issued, name, None)
        return done.answer(), done.known

    @service.command(ReadCase)
    async def read_case(issued: Issued[ReadCase]) -> Handled:
        case_id = issued.command.case_id
        case = await cases.state(case_id)
        unit = rules_at(issued.at).units.get(issued.actor)
        if issued.actor != case.unit and (unit is None or unit.kind is not UnitKind.INSPECTION):
            detail = "only the unit that holds the case, and inspection, may read it"
            raise Refused(Reason(code=CaseRefusal.NOT_YOURS, detail=detail))
        recorded = [r async for r in read_stream(service.js, "report", case.report_id)]
        said = next((f for f in await unseal(recorded, service.keys) if isinstance(f, ReportAccepted)), None)
        file = CaseFile(
            case_id=case_id,
            state=case.step,
            unit=case.unit or None,
            service_code=case.service_code,
            position=case.position,
            due_at=case.due_at,
            seen_at=said.seen_at if said else None,
            title=plain(said.title) if said else None,
            text=plain(said.text) if said else None,
            photo=plain(said.photo) if said else None,
        )
        return file, False

    @service.reaction("on-report")
    async def on_report(fact: Recorded) -> None:
        if command := reactions.open_case(fact):
            issued = reacting(fact, command, room=ROOM, name="open")
            await cases.carry_out(issued, command.report_id, rules_at(issued.at), likely_new=True)

    @service.reaction("work-orders")
    async def on_case(fact: Recorded) -> None:
        if not reactions.asks_for_work(fact):
            return
        case = await cases.state(fact.body.stream_id, at_least=fact.sequence)
        if order := reactions.work_order(fact, case):
            await service.js.publish(
                f"work.{order.unit}",
                order.model_dump_json().encode(),
                stream="WORK",
                headers={"Nats-Msg-Id": order.order_id},
                timeout=5,
            )


async def main() -> None:
    """Run router until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    async with Service.open(ROOM, settings) as service:
        await wire(service)
        await service.run()


if __name__ == "__main__":
    uvloop.run(main())
