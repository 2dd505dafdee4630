"""Plays the reports of a scenario through a running house, each command three times; and now and
then tries what nobody may do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from cli.story.story import Fate, Rider, Step, StoryReport
from contracts.case import (
    AcceptWork,
    CaseRefusal,
    ClaimWork,
    DispatchCase,
    ResolveWork,
    ReturnWork,
    VerifyWork,
    WorkOrder,
)
from contracts.envelope import Command, Outcome
from contracts.party import PartyKind, RegisterParty
from tests.journey.crew import Crew
from tests.journey.history import Operation
from tests.journey.journal import Journal
from tests.journey.proving import Root
from tests.journey.scenario import Parcel, Scenario, Way, parcels
from tests.journey.sending import Sender

PROBES = 0.3
"""How often something is tried that must be refused."""
CLERKS = ("clerk-a", "clerk-b")
HEARD = 1.0
"""Seconds until a registration has been heard by whoever reads addresses."""


@dataclass
class Chronicle:
    """All that was seen from outside in one house, over all its journeys."""

    hooked: str
    """The platform whose riders are told by webhook too."""
    history: list[Operation] = field(default_factory=list)
    orders: list[WorkOrder] = field(default_factory=list)
    """Every order that a unit received, as often as it did."""
    posted: list[str] = field(default_factory=list)
    """The id of every notice that a webhook brought with a good signature."""
    roots: list[Root] = field(default_factory=list)
    """The roots of the log that were kept, each when it was as long as that."""
    planted: set[int] = field(default_factory=set)
    """The sequences at which a fault has put what is no fact."""
    journal: Journal | None = None
    """Where the history is kept on disk too."""

    def told(self) -> list[Operation]:
        """The history: as it was kept, if it was."""
        return self.history if self.journal is None else self.journal.read()


class Driver:
    """One journey."""

    def __init__(self, crew: Crew, chronicle: Chronicle, scenario: Scenario, seed: int) -> None:
        self._crew = crew
        self._scenario = scenario
        self._hooked = chronicle.hooked
        self._dice = Random(seed)
        self._sender = Sender(crew, chronicle.history, self._dice, chronicle.journal)

    async def introduce(self, riders: Iterable[Rider], url: str, secret: str) -> None:
        """Riders are made known by their platforms, and one platform says where to post."""
        address = RegisterParty(
            party_id=self._hooked, kind=PartyKind.PLATFORM, webhook=url, webhook_secret=secret
        )
        work = [self._register(self._hooked, address)]
        for rider in riders:
            known = RegisterParty(
                party_id=rider.id,
                kind=PartyKind.RIDER,
                language=rider.language,
                platform=rider.platform,
                name=rider.name,
            )
            work.append(self._register(rider.platform, known))
        await asyncio.gather(*work)
        await asyncio.sleep(HEARD)

    async def _register(self, actor: str, party: RegisterParty) -> None:
        command_id = f"{self._scenario.name}-register-{party.party_id}"
        _insist(await self._sender.send(actor, party, command_id))

    async def play(
        self,
        least: int,
        *,
        until: asyncio.Event | None = None,
        at_once: int = 12,
        every: float = 0.0,
        think: float = 0.0,
    ) -> int:
        """Play at least so many reports, and more until the event comes; how many were played.

        A report every so many seconds, so many under way at a time; `think` is the longest that
        anybody waits before acting.
        """
        turns = asyncio.Semaphore(at_once)
        played = 0

        async def one(parcel: Parcel) -> None:
            try:
                await self._play(parcel, think)
            finally:
                turns.release()

        async with asyncio.TaskGroup() as group:
            for parcel in parcels(self._scenario, self._dice):
                if played >= least and (until is None or until.is_set()):
                    break
                await turns.acquire()
                played += len(parcel.reports)
                group.create_task(one(parcel))
                await asyncio.sleep(every * len(parcel.reports))
        return played

    async def _play(self, parcel: Parcel, think: float) -> None:
        """Hand the reports in, in the way that was dealt, and carry each to its end."""
        submits = [report.submit for report in parcel.reports]
        match parcel.way:
            case Way.IN_BULK:
                bulk_id = f"bulk-{submits[0].report_id}"
                operations = await self._sender.send_many(parcel.platform, submits, bulk_id)
            case Way.DROPPED:
                operations = [await self._sender.drop(parcel.platform, submits[0])]
            case Way.ASKED:
                sent = self._sender.send(parcel.platform, submits[0], submits[0].report_id)
                operations = [await sent]
        if parcel.way is not Way.ASKED:  # the way does not matter: the same report, the same answer
            await asyncio.gather(*map(self._sender.ask, operations))
        await asyncio.gather(
            *(
                self._carry(report, operation, think)
                for report, operation in zip(parcel.reports, operations, strict=True)
            )
        )

    async def _carry(self, report: StoryReport, submitted: Operation, think: float) -> None:
        """From the answer to the report to the last act of the story."""
        if report.fate is Fate.REFUSED:
            assert submitted.recorded is not None
            assert submitted.recorded.outcome is Outcome.REFUSED
            return
        _insist(submitted)
        await self._reuse_the_id(report)
        told = True
        for number, step in enumerate(report.steps, start=1):
            desk = self._crew.desks[step.by]
            order = await desk.order(report.report_id) if told else None
            await asyncio.sleep(self._dice.uniform(0, think))
            await self._try_the_forbidden(report.steps, number)
            await self._claim_at_once(report.steps[:number], number)
            act_id = f"{report.report_id}-act-{number}"
            _insist(await self._sender.send(step.by, step.command, act_id))
            if order is not None:
                await desk.finish(order)
            told = _hands_over(step.command)
        await self._come_too_late(report)

    async def _reuse_the_id(self, report: StoryReport) -> None:
        """Another text under the same id is another report: refused."""
        if self._dice.random() < PROBES:
            other = report.submit.model_copy(update={"text": report.submit.text + "。"})
            sent = self._sender.send(report.rider.platform, other, other.report_id)
            _insist_refused(await sent, "command_id_reused")

    async def _try_the_forbidden(self, steps: Sequence[Step], number: int) -> None:
        """Somebody who does not hold the case acts on it; who handled it says that it is done."""
        if self._dice.random() >= PROBES:
            return
        step = steps[number - 1]
        probe_id = f"{step.command.case_id}-probe-{number}"
        if isinstance(step.command, VerifyWork):
            handler = next(
                s.by for s in reversed(steps[:number]) if isinstance(s.command, ResolveWork)
            )
            sent = self._sender.send(handler, step.command, probe_id)
            _insist_refused(await sent, CaseRefusal.HANDLER_MAY_NOT_VERIFY)
        else:
            strangers = sorted(self._crew.desks.keys() - {step.by})
            stranger = self._dice.choice(strangers)
            sent = self._sender.send(stranger, step.command, probe_id)
            _insist_refused(await sent, CaseRefusal.NOT_YOURS)

    async def _claim_at_once(self, steps: Sequence[Step], number: int) -> None:
        """Before a case is first resolved, two clerks of its unit reach for it: one has it, the
        other is told so.
        """
        *before, step = steps
        again = any(isinstance(earlier.command, ResolveWork) for earlier in before)
        if not isinstance(step.command, ResolveWork) or again or self._dice.random() >= PROBES:
            return
        rivals = await asyncio.gather(
            *(
                self._sender.send(
                    step.by,
                    ClaimWork(case_id=step.command.case_id, clerk=clerk),
                    f"{step.command.case_id}-claim-{number}-{clerk}",
                )
                for clerk in CLERKS
            )
        )
        held = [operation for operation in rivals if operation.recorded is not None]
        assert len(held) == 1, [list(operation.answers()) for operation in rivals]
        for operation in rivals:
            if operation is not held[0]:
                _insist_refused(operation, CaseRefusal.CLAIMED_BY_ANOTHER)

    async def _come_too_late(self, report: StoryReport) -> None:
        """A closed case takes no more."""
        if report.fate is Fate.LEFT_OPEN or self._dice.random() >= PROBES:
            return
        late = AcceptWork(case_id=report.report_id)
        sent = self._sender.send(report.steps[0].by, late, f"{report.report_id}-late")
        _insist_refused(await sent, CaseRefusal.ALREADY_CLOSED)


def _hands_over(command: Command) -> bool:
    """Whether the next act is told to its unit by an order."""
    match command:
        case DispatchCase() | ReturnWork() | ResolveWork() | VerifyWork(passed=False):
            return True
        case _:
            return False


def _insist(operation: Operation) -> None:
    answers = list(operation.answers())
    assert all(a.outcome is Outcome.ACCEPTED for a in answers), (operation.command_id, answers)


def _insist_refused(operation: Operation, code: str) -> None:
    answers = list(operation.answers())
    codes = {reason.code for answer in answers for reason in answer.reasons}
    assert codes == {code}, (operation.command_id, answers)
