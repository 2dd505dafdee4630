"""The counter for accounts: from a command or a fact to all that it concerns, to one decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from contracts.account import (
    ActivateLot,
    AppealReversal,
    AwardPoints,
    DecideAdjustment,
    DecideReversalAppeal,
    ExpireLot,
    GrantPoints,
    ProposeAdjustment,
    ReversePoints,
)
from contracts.envelope import Command, Fact, Issued, Recorded
from contracts.report import ReportAccepted
from contracts.rulebook import Published, in_force
from eventlog.deliveries import NotReady
from eventlog.execute import Done, Execution
from eventlog.joint import JointExecution, States
from eventlog.read import read_stream
from eventlog.receiving import reacting
from eventlog.service import Handled, Service
from eventlog.standing import Standing
from services.points import reactions
from services.points.awards import shared_caps
from services.points.decider.account import Account, awarding, decide_with
from services.points.parties import Parties
from services.points.rules import Rules

ROOM: Final = "points"
ASKED: Final[tuple[type[Command], ...]] = (
    GrantPoints,
    ReversePoints,
    AppealReversal,
    DecideReversalAppeal,
    ProposeAdjustment,
    DecideAdjustment,
)
"""What can be asked from outside. Awards follow from cases, and the clock is the house's own."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Carries out what concerns riders' points."""

    service: Service
    published: Standing[Published]
    parties: Standing[Parties]
    accounts: Execution[Account, Rules]
    joint: JointExecution

    def rules_at(self, at: datetime) -> Rules:
        """What holds at a moment."""
        book = in_force(self.published.value, at)
        if book is None:
            raise NotReady(f"no rulebook is in force at {at.isoformat()}")
        return Rules(book, self.parties.value)

    async def handle(self, issued: Issued[Any]) -> Handled:
        """Carry out a command on an account."""
        done = await self.accounts.carry_out(
            issued, issued.command.rider_id, self.rules_at(issued.at)
        )
        return done.answer(), done.known

    async def on_case(self, fact: Recorded) -> None:
        """What a closed case earns, and what it takes back."""
        for earns in reactions.awards(fact, self.parties.value.erased):
            issued = reacting(fact, earns, room=ROOM, name=f"award-{earns.report_id}")
            await self.award(replace(issued, command=await self._reported(earns)))
        for takes in reactions.taken_back(fact):
            account = await self.accounts.state(takes.rider_id)
            if any(lot.report_id == takes.report_id for lot in account.lots.values()):
                await self.handle(
                    reacting(fact, takes, room=ROOM, name=f"take-back-{takes.report_id}")
                )

    async def award(self, issued: Issued[AwardPoints]) -> Done:
        """Award within every limit, and count towards those that are shared, as one decision."""
        command, rules = issued.command, self.rules_at(issued.at)
        shared = shared_caps(command, issued.at, rules)
        account = ("account", command.rider_id)

        def within(given: Issued[AwardPoints], states: States) -> Sequence[Fact]:
            totals = {cap: states["cap", cap.cap_id] for cap in shared}
            return decide_with(
                given,
                states[account],
                rules,
                lambda i, a, r: awarding.award_within(i, a, totals, r),
            )

        over = (account, *(("cap", cap.cap_id) for cap in shared))
        return await self.joint.carry_out(issued, over, within)

    async def ring(self, rider_id: str, lot: str, pending: bool) -> None:
        """The pending window of a lot, or its time, is over."""
        now = datetime.now(UTC)
        kind, name = (ActivateLot, "activate") if pending else (ExpireLot, "expire")
        issued = Issued(
            command=kind(rider_id=rider_id, lot=lot),
            command_id=f"{name}-{lot}",
            actor=ROOM,
            at=now,
            correlation=lot,
        )
        await self.accounts.carry_out(issued, rider_id, self.rules_at(now))

    async def _reported(self, command: AwardPoints) -> AwardPoints:
        """The award with the moment at which the house took the report on."""
        async for fact in read_stream(self.service.js, "report", command.report_id):
            if isinstance(fact.body, ReportAccepted):
                return command.model_copy(update={"reported_at": fact.happened_at})
        return command
