"""Intake's subscribers: the only file of the room with I/O."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any, Final

import structlog
import uvloop
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts.envelope import Answer, Answers, Header, Issued, Outcome
from contracts.party import RegisterParty
from contracts.report import ReportRefused, SubmitReport, SubmitReports
from contracts.rulebook import NONE_PUBLISHED, Published, Rulebook, gathered, in_force
from eventlog.logs import set_up_logs
from eventlog.receiving import problems
from eventlog.service import Handled, NotReady, Service
from eventlog.settings import Settings
from services.intake import reactions
from services.intake.decider.party import PARTY
from services.intake.decider.report import REPORT

log = structlog.get_logger()
ROOM: Final = "intake"


async def wire(service: Service) -> None:
    """Subscribe to what intake carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    reports = service.execution(REPORT)
    parties = service.execution(PARTY)

    async def take_on(issued: Issued[SubmitReport], *, quiet: bool = False) -> Handled:
        rules = _rules(published.value, issued.at)
        done = await reports.carry_out(
            issued, issued.command_id, rules, likely_new=True, quiet=quiet
        )
        return done.answer((ReportRefused,)), done.known

    @service.command(SubmitReport)
    async def submit_report(issued: Issued[SubmitReport]) -> Handled:
        return await take_on(_reporting(issued, issued.command))

    @service.command(SubmitReports)
    async def submit_reports(issued: Issued[SubmitReports]) -> Handled:
        async def answered(data: dict[str, Any]) -> Handled:
            try:
                part = _reporting(issued, SubmitReport.model_validate(data))
            except ValidationError as error:
                given = str(data.get("report_id", ""))
                return Answer(outcome=Outcome.INVALID, id=given, reasons=problems(error)), False
            return await service.settled(SubmitReport, part, take_on(part, quiet=True))

        parts = await asyncio.gather(*map(answered, issued.command.reports))
        known = tuple(index for index, (_, was_known) in enumerate(parts) if was_known)
        answers = tuple(answer for answer, _ in parts if isinstance(answer, Answer))
        outcomes = Counter(answer.outcome.value for answer in answers)
        log.info("reports_settled", command_id=issued.command_id, actor=issued.actor, **outcomes)
        return Answers(answers=answers, known=known), False

    @service.command(RegisterParty)
    async def register_party(issued: Issued[RegisterParty]) -> Handled:
        done = await parties.carry_out(issued, issued.command.party_id, None)
        return done.answer(), done.known

    @service.deliveries("inbox", "INBOX")
    async def dropped_in(raw: Msg) -> None:
        """A sender that cannot wait: decided now, the answer on `answer.<platform>`."""
        platform = raw.subject.partition(".")[2]
        headers = raw.headers or {}
        subject = f"cmd.{platform}.{ROOM}"
        if reactions.asked_for(headers) is SubmitReports:
            reply, _ = await service.handled(raw, subject, SubmitReports, submit_reports)
        else:
            reply, _ = await service.handled(raw, subject, SubmitReport, submit_report)
        if isinstance(reply, Answer) and reply.outcome in (Outcome.BUSY, Outcome.UNKNOWN):
            raise NotReady(f"{reply.id}: {reply.outcome}")
        sequence = raw.metadata.sequence.stream
        await service.js.publish(
            f"answer.{platform}",
            reply.model_dump_json().encode(),
            stream="ANSWER",
            headers={"Nats-Msg-Id": f"inbox:{sequence}", Header.ID: headers.get(Header.ID, "")},
            timeout=5,
        )


def _reporting(
    issued: Issued[SubmitReport] | Issued[SubmitReports], report: SubmitReport
) -> Issued[SubmitReport]:
    """A report as its own command: its id is the idempotency key, whatever request it came in.

    Imported history is decided at the moment the rider saw it.
    """
    return Issued(
        command=report,
        command_id=report.report_id,
        actor=issued.actor,
        at=report.seen_at if issued.history else issued.at,
        correlation=report.report_id,
        history=issued.history,
        trace=issued.trace,
    )


def _rules(published: Published, at: datetime) -> Rulebook:
    if book := in_force(published, at):
        return book
    raise NotReady(f"no rulebook is in force at {at.isoformat()}")


async def main() -> None:
    """Run intake until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    async with Service.open(ROOM, settings) as service:
        await wire(service)
        await service.run()


if __name__ == "__main__":
    uvloop.run(main())
