"""What follows for router from facts: a case for a report, an order for its holder. Pure."""

from __future__ import annotations

from contracts.case import CaseDispatched, OpenCase, ReworkOrdered, WorkOrder
from contracts.envelope import Recorded
from contracts.report import ReportAccepted
from services.router.decider.case import Case


def open_case(fact: Recorded) -> OpenCase | None:
    """An accepted report asks for a case."""
    match fact.body:
        case ReportAccepted() as report:
            return OpenCase(
                report_id=report.report_id,
                rider_id=report.rider_id,
                platform=report.platform,
                service_code=report.service_code,
                position=report.position,
            )
        case _:
            return None


def asks_for_work(fact: Recorded) -> bool:
    """Whether a unit must be told to do something. History is over: nobody is sent anywhere."""
    return isinstance(fact.body, CaseDispatched | ReworkOrdered) and not fact.history


def work_order(fact: Recorded, case: Case) -> WorkOrder | None:
    """The order that the fact means for a unit; `case` is the case at or after the fact."""
    match fact.body:
        case CaseDispatched() as to:
            return WorkOrder(
                order_id=f"{to.case_id}.{to.dispatch}",
                case_id=to.case_id,
                unit=to.unit,
                kind="handle",
                service_code=to.service_code,
                position=case.position,
                area=to.area,
                due_at=to.due_at,
                why=to.why,
                explanation=to.explanation,
                suggested=to.suggested,
                sequence=fact.sequence,
            )
        case ReworkOrdered() as again if case.due_at and case.why and case.explanation:
            return WorkOrder(
                order_id=f"{again.case_id}.r{again.reworks}",
                case_id=again.case_id,
                unit=again.unit,
                kind="rework",
                service_code=case.service_code,
                position=case.position,
                area=case.area,
                due_at=case.due_at,
                why=case.why,
                explanation=case.explanation,
                suggested=case.suggested,
                sequence=fact.sequence,
            )
        case _:
            return None
