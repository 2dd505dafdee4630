"""Intake's subscribers: the only file of the room with I/O."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
import uvloop
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from pydantic import BaseModel, ValidationError

from contracts.envelope import Answer, Answers, Header, Issued, Outcome
from contracts.party import (
    NOBODY_ERASED,
    EndRole,
    EraseRider,
    GiveRole,
    PartyKind,
    RegisterParty,
    erased,
)
from contracts.report import ReportRefused, SubmitReport, SubmitReports
from contracts.rulebook import NONE_PUBLISHED, Published, Rulebook, gathered, in_force
from eventlog.asking import UNDECIDED
from eventlog.deliveries import TRANSIENT, NotReady
from eventlog.execute import Done, Execution
from eventlog.logs import set_up_logs
from eventlog.receiving import problems
from eventlog.service import Handled, Service
from eventlog.settings import Settings
from eventlog.standing import Standing
from eventlog.tasks import end
from services.intake import reactions
from services.intake.decider import party, report

log = structlog.get_logger()
ROOM: Final = "intake"
KEY_CHECK: Final = 1.0
"""Seconds between looks whether somebody is erased whose key is still to be destroyed."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What intake's subscribers share."""

    service: Service
    published: Standing[Published]
    reports: Execution[report.State, Rulebook]
    parties: Execution[party.State, PartyKind | None]

    async def submit(self, issued: Issued[SubmitReport]) -> Handled:
        """Take one report on."""
        return await self._take_on(_reporting(issued, issued.command))

    async def submit_many(self, issued: Issued[SubmitReports]) -> Handled:
        """Take many on, each by itself: one that cannot be read spoils no other.

        All are begun before the first is waited for, so that they travel to the log together.
        """
        read = [_read(issued, given) for given in issued.command.reports]
        await self.service.keys.ready({p.command.rider_id for p in read if isinstance(p, Issued)})
        begun = [self._begin(part) for part in read]
        parts = [await end for end in begun]
        known = tuple(index for index, (_, was_known) in enumerate(parts) if was_known)
        answers = tuple(answer for answer, _ in parts if isinstance(answer, Answer))
        outcomes = Counter(answer.outcome.value for answer in answers)
        log.info("reports_settled", command_id=issued.command_id, actor=issued.actor, **outcomes)
        return Answers(answers=answers, known=known), False

    async def register(self, issued: Issued[RegisterParty]) -> Handled:
        """Make a party known."""
        done = await self.parties.carry_out(issued, issued.command.party_id, None)
        return done.answer(), done.known

    async def erase(self, issued: Issued[EraseRider]) -> Handled:
        """Forget a rider: first the fact, then the key.

        So whatever is interrupted in between, the log says what is still to be done, and
        `keep_erased` does it; the answer comes when both are.
        """
        done = await self.parties.carry_out(issued, issued.command.rider_id, None)
        await self.service.keys.destroy([issued.command.rider_id])
        return done.answer(), done.known

    async def appoint(self, issued: Issued[GiveRole] | Issued[EndRole]) -> Handled:
        """Give a rider a role, or end it."""
        giver = await self.parties.state(issued.actor)
        done = await self.parties.carry_out(issued, issued.command.party_id, giver.kind)
        return done.answer(), done.known

    async def dropped_in(self, raw: Msg) -> None:
        """A sender that cannot wait: decided now, the answer on `answer.<platform>`."""
        platform = raw.subject.partition(".")[2]
        headers = raw.headers or {}
        subject = f"cmd.{platform}.{ROOM}"
        if reactions.asked_for(headers) is SubmitReports:
            reply, _ = await self.service.handled(raw, subject, SubmitReports, self.submit_many)
        else:
            reply, _ = await self.service.handled(raw, subject, SubmitReport, self.submit)
        if undecided := _undecided(reply):
            raise NotReady(undecided)
        sequence = raw.metadata.sequence.stream
        await self.service.js.publish(
            f"answer.{platform}",
            reply.model_dump_json().encode(),
            stream="ANSWER",
            headers={"Nats-Msg-Id": f"inbox:{sequence}", Header.ID: headers.get(Header.ID, "")},
            timeout=5,
        )
        await self._wipe(sequence)

    async def _wipe(self, sequence: int) -> None:
        """Have the server overwrite what was dropped in: its words are sealed in the log now.

        An acknowledged message is only marked as deleted and stays on the disk for a while.
        """
        try:
            await self.service.js.delete_msg("INBOX", sequence)
        except NotFoundError:
            return  # done at an earlier delivery

    def _begin(self, part: Issued[SubmitReport] | Answer) -> Awaitable[Handled]:
        """Begin with one of many; await the result for its answer."""
        if isinstance(part, Answer):
            return _at_once((part, False))
        try:
            end = self.reports.begin_new(part, part.command_id, self._rules_at(part.at))
        except TRANSIENT as error:
            return self.service.settled(SubmitReport, part, _failed(error))
        return self.service.settled(SubmitReport, part, _answered(end))

    async def _take_on(self, issued: Issued[SubmitReport]) -> Handled:
        rules = self._rules_at(issued.at)
        done = await self.reports.carry_out(issued, issued.command_id, rules, likely_new=True)
        return done.answer((ReportRefused,)), done.known

    def _rules_at(self, at: datetime) -> Rulebook:
        rules = in_force(self.published.value, at)
        if rules is None:
            raise NotReady(f"no rulebook is in force at {at.isoformat()}")
        return rules


async def wire(service: Service) -> Standing[frozenset[str]]:
    """Subscribe to what intake carries; who is erased, as the log has it."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    forgotten = await service.standing(("log.party.>",), NOBODY_ERASED, erased)
    reports, parties = service.execution(report.REPORT), service.execution(party.PARTY)
    desk = Desk(service, published, reports, parties)
    service.command(SubmitReport)(desk.submit)
    service.command(SubmitReports)(desk.submit_many)
    service.command(RegisterParty)(desk.register)
    service.command(EraseRider)(desk.erase)
    service.command(GiveRole)(desk.appoint)
    service.command(EndRole)(desk.appoint)
    service.deliveries("inbox", "INBOX")(desk.dropped_in)
    return forgotten


async def keep_erased(forgotten: Standing[frozenset[str]], service: Service) -> None:
    """Whom the log says is erased, has no key: after a crash in between the two, too."""
    done = forgotten.value
    while True:
        if left := forgotten.value - done:
            try:
                await service.keys.destroy(left)
                done |= left
            except TRANSIENT as error:
                log.warning("erasure_delayed", riders=sorted(left), error=repr(error))
        await asyncio.sleep(KEY_CHECK)


@asynccontextmanager
async def keeping_erased(
    forgotten: Standing[frozenset[str]], service: Service
) -> AsyncIterator[None]:
    """Beside the subscribers, for as long as they serve.

    Before they begin, whoever is erased has no key: this may be a key store restored from before.
    """
    await service.keys.destroy(forgotten.value)
    keeper = asyncio.create_task(keep_erased(forgotten, service))
    try:
        yield
    finally:
        await end(keeper)


def _undecided(reply: BaseModel) -> str | None:
    """What of a reply is still open: a message of the inbox stays until all of it is decided."""
    answers = reply.answers if isinstance(reply, Answers) else (reply,)
    waits = [a.id for a in answers if isinstance(a, Answer) and a.outcome in UNDECIDED]
    return f"undecided: {', '.join(waits[:5])}" if waits else None


async def _answered(end: Callable[[], Awaitable[Done]]) -> Handled:
    done = await end()
    return done.answer((ReportRefused,)), done.known


async def _at_once(handled: Handled) -> Handled:
    return handled


async def _failed(error: Exception) -> Handled:
    raise error


def _read(issued: Issued[SubmitReports], given: dict[str, Any]) -> Issued[SubmitReport] | Answer:
    """One of many as a command of its own, or what is wrong with it."""
    try:
        return _reporting(issued, SubmitReport.model_validate(given))
    except ValidationError as error:
        its_id = str(given.get("report_id", ""))
        return Answer(outcome=Outcome.INVALID, id=its_id, reasons=problems(error))


def _reporting(
    issued: Issued[SubmitReport] | Issued[SubmitReports], said: SubmitReport
) -> Issued[SubmitReport]:
    """A report as its own command: its id is the idempotency key, whatever request it came in.

    Imported history is decided at the moment the rider saw it.
    """
    return Issued(
        command=said,
        command_id=said.report_id,
        actor=issued.actor,
        at=said.seen_at if issued.history else issued.at,
        correlation=said.report_id,
        history=issued.history,
        trace=issued.trace,
    )


async def main() -> None:
    """Run intake until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    async with Service.open(ROOM, settings) as service:
        forgotten = await wire(service)
        async with keeping_erased(forgotten, service):
            await service.run()


if __name__ == "__main__":
    uvloop.run(main())
