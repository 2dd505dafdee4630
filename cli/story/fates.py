"""What becomes of each report: a few are refused, returned, reworked or left; most are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from typing import TypeVar

from cli.story import authored
from cli.story.authored import Return, Rework
from cli.story.cards import Sent
from cli.story.dice import Dice
from cli.story.holders import condition_of, first_holder
from contracts.case import UnitKind
from contracts.report import RefusalCode
from contracts.rulebook import Rulebook

S = TypeVar("S", Return, Rework)

RETURNED = 14
REWORKED = 14
BOTH = 2
LEFT_OPEN = 12
CLOCK_AHEAD = timedelta(days=365)
"""A phone set to the wrong year."""
LONG_AGO = timedelta(days=120)
"""An old photo sent today."""
WRONG_CLOCKS = (CLOCK_AHEAD, CLOCK_AHEAD, CLOCK_AHEAD, -LONG_AGO, -LONG_AGO)
EVENING = time(19, 30)
LONG_LIMIT = timedelta(hours=48)


class Fate(StrEnum):
    """How the day ends for a report."""

    REFUSED = "refused"
    CLOSED = "closed"
    RETURNED = "returned"
    """Closed, after a unit gave it back once."""
    REWORKED = "reworked"
    """Closed, after the first result did not pass."""
    RETURNED_AND_REWORKED = "returned_and_reworked"
    LEFT_OPEN = "left_open"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen to one report."""

    fate: Fate = Fate.CLOSED
    refusal: RefusalCode | None = None
    clock: timedelta = timedelta()
    """How wrong the rider's clock is."""
    returned: Return | None = None
    rework: Rework | None = None


def plan(day: Sequence[Sent], book: Rulebook, dice: Dice) -> dict[str, Plan]:
    """By report id."""
    plans = {s.report_id: Plan() for s in day}
    for sent in day:
        if not sent.card.text:
            plans[sent.report_id] = Plan(Fate.REFUSED, RefusalCode.NO_CONTENT)
    ordinary = [s for s in day if s.card.text and s.card.done is None]
    fates = dict(_exceptions(dice.shuffled("fates", ordinary), book, dice))
    return plans | fates


def _exceptions(pool: Sequence[Sent], book: Rulebook, dice: Dice) -> Iterator[tuple[str, Plan]]:
    """Everything but plain closing; what is hardest to place is placed first."""
    free = {s.report_id: s for s in pool}
    yield from _given_back(free, book, dice)
    reworks = dice.shuffled("reworks", authored.outcomes().reworks)
    for sent, rework in _matched(reworks, free, lambda _: True, REWORKED):
        yield sent.report_id, Plan(Fate.REWORKED, rework=rework)
    can_wait = [sent for sent in free.values() if _can_wait(sent, book)]
    for sent in can_wait[:LEFT_OPEN]:
        del free[sent.report_id]
        yield sent.report_id, Plan(Fate.LEFT_OPEN)
    for clock, sent in zip(WRONG_CLOCKS, list(free.values()), strict=False):
        code = RefusalCode.FROM_THE_FUTURE if clock > timedelta() else RefusalCode.TOO_OLD
        yield sent.report_id, Plan(Fate.REFUSED, code, clock)


def _can_wait(sent: Sent, book: Rulebook) -> bool:
    """Came late or has a long limit; never what goes straight to its department by rule."""
    service = next(s for s in book.services if s.code == sent.card.kind)
    limit = condition_of(book, service.code).limit
    late = sent.sent_at.time() >= EVENING or limit.roughly >= LONG_LIMIT
    return late and service.first_holder is not UnitKind.DEPARTMENT


def _given_back(free: dict[str, Sent], book: Rulebook, dice: Dice) -> Iterator[tuple[str, Plan]]:
    """Returns need a street office that dispatches; two of them are reworked as well."""
    streets = {unit.code for unit in book.units if unit.kind is UnitKind.STREET}

    def dispatched_by_a_street(sent: Sent) -> bool:
        return first_holder(book, sent.card.service, sent.card.spot.area) in streets

    returns = dice.shuffled("returns", authored.outcomes().returns)
    reworks = {rework.service: rework for rework in authored.outcomes().reworks}
    both_left = BOTH
    for sent, back in _matched(returns, free, dispatched_by_a_street, RETURNED + BOTH):
        rework = reworks.get(back.service) if both_left else None
        both_left -= rework is not None
        fate = Fate.RETURNED_AND_REWORKED if rework else Fate.RETURNED
        yield sent.report_id, Plan(fate, returned=back, rework=rework)


def _matched(
    scripts: Iterable[S], free: dict[str, Sent], fits: Callable[[Sent], bool], count: int
) -> list[tuple[Sent, S]]:
    """`count` scripts, each with a report that it can be true of; those are free no longer."""
    found: list[tuple[Sent, S]] = []
    for script in scripts:
        candidates = (s for s in free.values() if s.card.kind == script.service and fits(s))
        sent = next(candidates, None)
        if sent is not None and len(found) < count:
            del free[sent.report_id]
            found.append((sent, script))
    if len(found) < count:
        raise ValueError(f"only {len(found)} of {count} fates fit this day; try another seed")
    return found
