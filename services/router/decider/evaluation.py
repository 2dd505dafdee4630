"""Publishing a month: once, when it is over, by who inspects or by an officer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.evaluation import EvaluationRefusal, MonthPublished, Numbers, PublishMonth
from eventlog.decider import Decider
from services.router.evaluation import FORMULAS, Period

OFFICER: Final = "officer"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What would be published: counted from the tables at one place of the log."""

    period: Period
    as_of: int
    figures: Mapping[str, Mapping[str, Numbers]]
    publishers: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """Whether the month is published."""

    as_of: int | None = None


def decide(issued: Issued[PublishMonth], state: State, now: Snapshot) -> Sequence[Fact]:
    """Publish what was counted."""
    month = issued.command.month
    if issued.actor != OFFICER and issued.actor not in now.publishers:
        raise _refused(EvaluationRefusal.NOT_YOURS, "inspection and officers publish a month")
    if issued.at < now.period.end:
        end = now.period.end.date()
        raise _refused(EvaluationRefusal.NOT_OVER, f"{month} is not over: publish from {end} on")
    if state.as_of is not None:
        detail = f"{month} is published as of {state.as_of}; what came later shows as corrections"
        raise _refused(EvaluationRefusal.ALREADY_PUBLISHED, detail)
    return [
        MonthPublished(
            month=month,
            first=now.period.first,
            end=now.period.end,
            as_of=now.as_of,
            formulas=FORMULAS,
            figures={by: {k: dict(v) for k, v in f.items()} for by, f in now.figures.items()},
            by=issued.actor,
        )
    ]


def evolve(state: State, fact: Fact) -> State:
    """Published is published."""
    match fact:
        case MonthPublished(as_of=as_of):
            return State(as_of)
        case _:
            return state


def _refused(code: EvaluationRefusal, detail: str) -> Refused:
    return Refused(Reason(code=code, field="month", detail=detail))


EVALUATION: Final = Decider("evaluation", State(), decide, evolve)
