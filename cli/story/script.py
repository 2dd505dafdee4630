"""The acts that carry a report from its first holder to its end, as the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from cli.story import authored
from cli.story.cards import Card, Sent
from cli.story.dice import Dice
from cli.story.fates import Fate, Plan
from cli.story.holders import first_holder
from contracts.case import (
    AcceptWork,
    DispatchCase,
    ResolveWork,
    ReturnReason,
    ReturnWork,
    VerifyWork,
)
from contracts.rulebook import Rulebook

Act = AcceptWork | DispatchCase | ReturnWork | ResolveWork | VerifyWork

LAST_ACT = time(23, 50)
WENT_THERE = (ReturnReason.NO_SUCH_PLACE, ReturnReason.NEEDS_OTHER_UNIT)
"""Reasons that a unit can only find after it has accepted and gone to look."""
MINUTES: dict[type[Act], tuple[int, int]] = {
    AcceptWork: (3, 18),
    DispatchCase: (2, 8),
    ReturnWork: (10, 40),
    ResolveWork: (20, 200),
    VerifyWork: (15, 50),
}
"""How long each act takes to come; shortened where the day would end before the story."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act of one unit."""

    by: str
    """The unit: the party that the command is sent as."""
    at: datetime
    command: Act


def steps(sent: Sent, plan: Plan, book: Rulebook, dice: Dice) -> tuple[Step, ...]:
    """What happens after the report is taken on; nothing where it is refused."""
    if plan.fate is Fate.REFUSED:
        return ()
    acts = list(_acts(sent, plan, book, dice))
    times = _times(sent, [type(act) for _, act in acts], dice)
    script = [Step(by, at, act) for (by, act), at in zip(acts, times, strict=True)]
    if plan.fate is Fate.LEFT_OPEN:
        script = script[: dice.between(f"left/{sent.report_id}", 0, len(script) - 1)]
    return tuple(script)


def _acts(sent: Sent, plan: Plan, book: Rulebook, dice: Dice) -> Iterator[tuple[str, Act]]:
    case_id, card = sent.report_id, sent.card
    desk = first_holder(book, card.service, card.spot.area)
    yield desk, AcceptWork(case_id=case_id)
    if plan.returned:
        back = plan.returned
        yield desk, DispatchCase(case_id=case_id, unit=back.by)
        if back.reason in WENT_THERE:
            yield back.by, AcceptWork(case_id=case_id)
        yield back.by, ReturnWork(case_id=case_id, reason=back.reason, note=back.note)
        yield desk, AcceptWork(case_id=case_id)
    if desk != card.to:
        corrected = card.kind if card.kind != card.service else None
        yield desk, DispatchCase(case_id=case_id, unit=card.to, service_code=corrected)
        yield card.to, AcceptWork(case_id=case_id)
    yield card.to, ResolveWork(case_id=case_id, result=_result(card, dice), photo=_after(sent, 1))
    inspector = book.routing.verification.by
    if plan.rework:
        yield inspector, VerifyWork(case_id=case_id, passed=False, note=plan.rework.failed)
        redone = plan.rework.again
        yield card.to, ResolveWork(case_id=case_id, result=redone, photo=_after(sent, 2))
    passed = dice.pick(f"passed/{case_id}", authored.outcomes().passed.of(card.kind))
    yield inspector, VerifyWork(case_id=case_id, passed=True, note=passed)


def _result(card: Card, dice: Dice) -> str:
    return card.done or dice.pick(f"result/{card.name}", authored.outcomes().results[card.kind])


def _after(sent: Sent, attempt: int) -> str:
    return f"photos/{sent.report_id}-after-{attempt}.jpg"


def _times(sent: Sent, acts: Sequence[type[Act]], dice: Dice) -> list[datetime]:
    """One moment for each act, in order, all before the day is over."""
    waits = [
        dice.between(f"wait/{sent.report_id}/{n}", *(60 * minutes for minutes in MINUTES[act]))
        for n, act in enumerate(acts)
    ]
    end = datetime.combine(sent.sent_at.date(), LAST_ACT, sent.sent_at.tzinfo)
    shorten = min(1.0, (end - sent.sent_at).total_seconds() / sum(waits))
    passed = 0.0
    times = []
    for wait in waits:
        passed += wait * shorten
        times.append(sent.sent_at + timedelta(seconds=round(passed)))
    return times
