"""What follows for router from facts: a case for a report, orders, gathering. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.case import (
    CaseDispatched,
    CaseJoined,
    CaseSeparated,
    CheckOrdered,
    DropReport,
    GatherReport,
    OpenCase,
    ReworkOrdered,
    SeparateCase,
    SeparationReason,
    SupportAsked,
    Task,
    WorkOrder,
    WorkResolved,
)
from contracts.envelope import Recorded, Words
from contracts.report import ReportAccepted
from services.router.decider.case import Case

ORDERS: Final = (CaseDispatched, ReworkOrdered, CheckOrdered, SupportAsked, WorkResolved)
"""The facts after which a unit must be told to do something."""


def open_case(fact: Recorded) -> OpenCase | None:
    """An accepted report asks for a case."""
    match fact.body:
        case ReportAccepted() as report:
            return OpenCase(
                report_id=report.report_id,
                rider_id=report.rider_id,
                platform=report.platform,
                service_code=report.service_code,
                condition=report.condition,
                position=report.position,
                asset=report.asset,
            )
        case _:
            return None


def gather(fact: Recorded) -> Iterator[GatherReport]:
    """A report that joined another case is told to that case, with all that it brings along."""
    match fact.body:
        case CaseJoined() as joined:
            yield GatherReport(
                case_id=joined.into,
                report_id=joined.report_id,
                rider_id=joined.rider_id,
                platform=joined.platform,
                distance_metres=joined.distance_metres,
            )
            for one in joined.gathered:
                yield GatherReport(
                    case_id=joined.into,
                    report_id=one.report_id,
                    rider_id=one.rider_id,
                    platform=one.platform,
                )
        case _:
            return


def drop(fact: Recorded) -> DropReport | None:
    """A report that stands by itself again is told to the case that it had joined."""
    match fact.body:
        case CaseSeparated(case_id=report_id, origin=origin):
            return DropReport(case_id=origin, report_id=report_id)
        case _:
            return None


def apart(joined: CaseJoined) -> SeparateCase:
    """The case that it was to join took it in no more: it needs one of its own."""
    return SeparateCase(case_id=joined.case_id, because=SeparationReason.ORIGINAL_OVER)


def asks_for_work(fact: Recorded) -> bool:
    """Whether a unit must be told to do something. History is over: nobody is sent anywhere."""
    return isinstance(fact.body, ORDERS) and not fact.history


@dataclass(frozen=True, slots=True)
class _Order:
    """What tells one order from another."""

    mark: str
    """What follows the case id in the order's id."""
    kind: str
    unit: str
    due_at: datetime
    words: Words


def work_order(fact: Recorded, case: Case) -> WorkOrder | None:
    """The order that the fact means for a unit; `case` is the case at or after the fact."""
    order = _order(fact, case)
    if order is None:
        return None
    to = fact.body if isinstance(fact.body, CaseDispatched) else None
    case_id = fact.body.stream_id
    return WorkOrder(
        order_id=f"{case_id}.{order.mark}",
        case_id=case_id,
        unit=order.unit,
        kind=order.kind,
        service_code=to.service_code if to else case.service_code,
        condition=to.condition if to else case.condition,
        position=case.position,
        area=to.area if to else case.area,
        due_at=order.due_at,
        why=to.why if to else case.why,
        explanation=order.words,
        suggested=to.suggested if to else case.suggested,
        supporting=to.supporting if to else case.supporting,
        sequence=fact.sequence,
    )


def _order(fact: Recorded, case: Case) -> _Order | None:
    words = case.explanation or _NO_WORDS
    due_at = case.clock.due_at if case.clock else fact.happened_at
    match fact.body:
        case CaseDispatched() as to:
            return _Order(str(to.dispatch), to.task, to.unit, to.due_at, to.explanation)
        case CheckOrdered() as look:
            return _Order("check", "check", look.unit, look.due_at, look.explanation)
        case ReworkOrdered() as again:
            return _Order(f"r{again.reworks}", "rework", again.unit, due_at, words)
        case SupportAsked() as help_:
            mark = f"s{fact.sequence}.{help_.unit}"
            return _Order(mark, "support", help_.unit, due_at, words)
        case WorkResolved(verifier=verifier, verify_by=by) if verifier and by:
            return _Order(f"v{fact.sequence}", "verify", verifier, by, words)
        case _:
            return None


def supported(fact: Recorded) -> Iterator[SupportAsked]:
    """The units that a dispatch itself names to help: told as if asked, once it is handled."""
    match fact.body:
        case CaseDispatched(task=Task.HANDLE) as to:
            for unit in to.supporting:
                yield SupportAsked(case_id=to.case_id, unit=unit, by=to.unit)
        case _:
            return


_NO_WORDS = Words(zh="", en="")
