"""A projection for tests, with one table of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.account import PointsAwarded
from contracts.case import CaseClosed, CaseOpened, CloseOutcome, WorkAccepted
from contracts.envelope import Reason, Recorded
from eventlog.projection import Key, Projection, Table


@dataclass(frozen=True, slots=True)
class Purse:
    """A running total: one row, many facts, the same fact twice would show."""

    rider: str
    points: int
    awards: int
    as_of: int


@dataclass(frozen=True, slots=True)
class Count:
    """A row that several facts of different stream ids share."""

    code: str
    awards: int


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A row that comes and goes, with a column of every kind."""

    case: str
    unit: str | None
    outcome: CloseOutcome | None
    opened_at: datetime
    steps: tuple[str, ...]
    reason: Reason | None
    weight: float
    taken: bool


def purse(row: Purse | None, fact: Recorded) -> Purse | None:
    match fact.body:
        case PointsAwarded(rider_id=rider, points=points):
            before = row or Purse(rider, 0, 0, 0)
            return Purse(rider, before.points + points, before.awards + 1, fact.sequence)
        case _:
            return row


def riders(fact: Recorded) -> Iterator[Key]:
    if isinstance(fact.body, PointsAwarded):
        yield (fact.body.rider_id,)


def count(row: Count | None, fact: Recorded, key: Key) -> Count | None:
    (code,) = key
    return Count(code, (row.awards if row else 0) + 1)


def codes(fact: Recorded) -> Iterator[Key]:
    if isinstance(fact.body, PointsAwarded):
        yield (fact.body.service_code,)
        yield ("all",)


def open_case(row: OpenCase | None, fact: Recorded) -> OpenCase | None:
    match fact.body:
        case CaseOpened(case_id=case):
            reason = Reason(code="开", detail='a "quoted" word')
            return OpenCase(case, None, None, fact.happened_at, ("opened",), reason, 0.1, False)
        case WorkAccepted(unit=unit) if row:
            return replace(row, unit=unit, steps=(*row.steps, "accepted"), reason=None, taken=True)
        case CaseClosed():
            return None
        case _:
            return row


def cases(fact: Recorded) -> Iterator[Key]:
    if isinstance(fact.body, CaseOpened | WorkAccepted | CaseClosed):
        yield (fact.body.case_id,)


TALLY = Projection(
    name="tally",
    version=1,
    subjects=("log.account.>", "log.case.>"),
    tables=(
        Table(
            "purse",
            Purse,
            key=("rider",),
            keys=riders,
            fold=purse,
            indexes=("points",),
            stream="account",
        ),
        Table("count", Count, key=("code",), keys=codes, fold_key=count),
        Table("open_case", OpenCase, key=("case",), keys=cases, fold=open_case, stream="case"),
    ),
)
