"""The life of a case: opened, dispatched, accepted, resolved, verified, closed. Pure.

One unit is accountable at any time. The unit that handled never says itself that it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.case import (
    AcceptWork,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseOpened,
    CaseRefusal,
    CaseRejected,
    CloseCase,
    CloseOutcome,
    DispatchCase,
    OpenCase,
    RecordHandling,
    ResolveWork,
    ReturnWork,
    ReworkOrdered,
    UnitKind,
    VerifyWork,
    Why,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Command, Fact, Issued, Reason, Refused, Words
from contracts.report import Position
from eventlog.decider import Decider
from services.router.deadline import due_at
from services.router.routing import Route, route
from services.router.rules import Rules


class Step(StrEnum):
    """Where a case stands."""

    NONE = "none"
    REJECTED = "rejected"
    DISPATCHED = "dispatched"
    """Waits until its holder accepts."""
    HANDLING = "handling"
    RESOLVED = "resolved"
    """Waits until somebody else verifies."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Case:
    """What decisions need to know of a case."""

    step: Step = Step.NONE
    report_id: str = ""
    rider_id: str = ""
    platform: str = ""
    service_code: str | None = None
    position: Position | None = None
    area: str | None = None
    street: str | None = None
    unit: str = ""
    unit_kind: UnitKind | None = None
    dispatch: int = 0
    returns: int = 0
    reworks: int = 0
    why: Why | None = None
    explanation: Words | None = None
    suggested: str | None = None
    due_at: datetime | None = None


NO_CASE: Final = Case()
DISPATCHERS: Final = (UnitKind.STREET, UnitKind.TRIAGE)
HANDLERS: Final = (UnitKind.STREET, UnitKind.DEPARTMENT)
VERIFIERS: Final = (UnitKind.INSPECTION, UnitKind.STREET)
HELD: Final = (Step.DISPATCHED, Step.HANDLING)


def decide(issued: Issued[Command], case: Case, rules: Rules) -> Sequence[Fact]:
    """What follows from a command on a case."""
    match issued.command:
        case OpenCase() as command:
            return _open(command, case, issued.at, rules)
        case AcceptWork() as command:
            return _accept(command, case, issued.actor)
        case DispatchCase() as command:
            return _dispatch(command, case, issued.actor, issued.at, rules)
        case ReturnWork() as command:
            return _return(command, case, issued.actor, issued.at, rules)
        case ResolveWork() as command:
            return _resolve(command, case, issued.actor)
        case VerifyWork() as command:
            return _verify(command, case, issued.actor, rules)
        case CloseCase() as command:
            return _close(command, case, issued.actor)
        case RecordHandling() as command:
            return _record_handling(command, case, issued.history)
        case _:
            raise TypeError(f"{type(issued.command).__name__} is not a command on a case")


def _open(command: OpenCase, case: Case, at: datetime, rules: Rules) -> list[Fact]:
    if case.step is not Step.NONE:
        return []
    service = rules.services.get(command.service_code or "")
    if service and not service.opens_case:
        detail = f"'{service.name.en}' is recorded and opens no case"
        return [
            CaseRejected(
                case_id=command.report_id,
                report_id=command.report_id,
                rider_id=command.rider_id,
                service_code=command.service_code,
                reasons=(Reason(code="service_opens_no_case", detail=detail),),
                rulebook=rules.label,
            )
        ]
    first = route(command.service_code, command.position, rules)
    opened = CaseOpened(
        case_id=command.report_id,
        report_id=command.report_id,
        rider_id=command.rider_id,
        platform=command.platform,
        service_code=command.service_code,
        position=command.position,
        area=first.area.code if first.area else None,
        street=first.area.street if first.area else None,
        rulebook=rules.label,
    )
    return [opened, _dispatched(evolve(case, opened), first, at, rules)]


def _accept(command: AcceptWork, case: Case, actor: str) -> list[Fact]:
    _insist_on_holder(case, actor)
    if case.step is not Step.DISPATCHED:
        raise _refused(CaseRefusal.NOT_WAITING_FOR_ACCEPTANCE, f"the case is in step '{case.step}'")
    return [WorkAccepted(case_id=command.case_id, unit=actor)]


def _dispatch(
    command: DispatchCase, case: Case, actor: str, at: datetime, rules: Rules
) -> list[Fact]:
    _insist_on_holder(case, actor)
    if case.unit_kind not in DISPATCHERS or case.step not in HELD:
        raise _refused(
            CaseRefusal.NOT_A_DISPATCHER,
            "only the street office or triage desk that holds the case",
        )
    unit = rules.units.get(command.unit)
    if unit is None:
        raise _refused(
            CaseRefusal.NO_SUCH_UNIT, f"the rulebook {rules.label} has no unit '{command.unit}'"
        )
    if unit.kind not in HANDLERS or unit.code == actor:
        raise _refused(
            CaseRefusal.NOT_A_HANDLING_UNIT, f"'{command.unit}' cannot be given this case by you"
        )
    service_code = command.service_code or case.service_code
    service = rules.services.get(service_code or "")
    dispatcher = rules.name_of(actor)
    words = Words(zh=f"由{dispatcher.zh}派遣。", en=f"Dispatched by {dispatcher.en}.")
    limit = service.limit_hours if service else rules.book.dispatch.limit_hours
    chosen = Route(
        unit, Why.BY_DISPATCHER, words, limit, suggested=service.department if service else None
    )
    return [_dispatched(replace(case, service_code=service_code), chosen, at, rules)]


def _return(command: ReturnWork, case: Case, actor: str, at: datetime, rules: Rules) -> list[Fact]:
    _insist_on_holder(case, actor)
    if case.step not in HELD:
        raise _refused(CaseRefusal.NOT_IN_HANDLING, f"the case is in step '{case.step}'")
    if case.unit_kind is UnitKind.TRIAGE:
        raise _refused(
            CaseRefusal.NOT_A_HANDLING_UNIT,
            "the triage desk dispatches or closes; nobody stands behind it",
        )
    street = rules.units.get(case.street or "")
    receiver = rules.triage if street is None or street.code == actor else street
    returns = case.returns + 1
    returner = rules.name_of(actor)
    words = Words(
        zh=f"{returner.zh}退回，由{receiver.name.zh}重新派遣。",
        en=f"Returned by {returner.en}: {receiver.name.en} dispatches again.",
    )
    back = Route(
        receiver, Why.RETURNED, words, rules.book.dispatch.limit_hours, suggested=case.suggested
    )
    facts: list[Fact] = [
        WorkReturned(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=actor,
            reason=command.reason,
            returns=returns,
            note=command.note,
        ),
        _dispatched(case, back, at, rules),
    ]
    if returns >= rules.book.escalation.returns:
        facts.append(_escalated(command.case_id, returns, case.reworks, level=1))
    return facts


def _resolve(command: ResolveWork, case: Case, actor: str) -> list[Fact]:
    _insist_on_holder(case, actor)
    if case.step is not Step.HANDLING:
        detail = (
            "accept it first"
            if case.step is Step.DISPATCHED
            else f"the case is in step '{case.step}'"
        )
        raise _refused(CaseRefusal.NOT_IN_HANDLING, detail)
    if case.unit_kind not in HANDLERS:
        raise _refused(
            CaseRefusal.NOT_A_HANDLING_UNIT, f"'{actor}' dispatches or closes; it does not handle"
        )
    return [
        WorkResolved(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=actor,
            result=command.result,
            photo=command.photo,
        )
    ]


def _verify(command: VerifyWork, case: Case, actor: str, rules: Rules) -> list[Fact]:
    _insist_on_case(case)
    if case.step is not Step.RESOLVED:
        raise _refused(
            CaseRefusal.NOT_WAITING_FOR_VERIFICATION, f"the case is in step '{case.step}'"
        )
    if actor == case.unit:
        raise _refused(CaseRefusal.HANDLER_MAY_NOT_VERIFY, f"'{actor}' handled this case")
    if actor in (case.platform, case.rider_id):
        raise _refused(CaseRefusal.REPORTER_MAY_NOT_VERIFY, f"'{actor}' handed the report in")
    verifier = rules.units.get(actor)
    if verifier is None or verifier.kind not in VERIFIERS:
        raise _refused(
            CaseRefusal.NOT_A_VERIFIER, f"'{actor}' is neither inspection nor a street office"
        )
    if command.passed:
        verified = WorkVerified(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=case.unit,
            verifier=actor,
            note=command.note,
        )
        return [verified, _closed(command.case_id, case, CloseOutcome.FIXED)]
    reworks = case.reworks + 1
    facts: list[Fact] = [
        ReworkOrdered(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=case.unit,
            verifier=actor,
            reworks=reworks,
            note=command.note,
        )
    ]
    if reworks >= rules.book.escalation.reworks:
        facts.append(_escalated(command.case_id, case.returns, reworks, level=1))
    return facts


def _close(command: CloseCase, case: Case, actor: str) -> list[Fact]:
    _insist_on_holder(case, actor)
    if case.unit_kind not in DISPATCHERS or case.step not in HELD:
        raise _refused(
            CaseRefusal.NOT_A_DISPATCHER,
            "only the street office or triage desk that holds the case",
        )
    return [_closed(command.case_id, case, CloseOutcome.UNFOUNDED, command.note)]


def _record_handling(command: RecordHandling, case: Case, history: bool) -> list[Fact]:
    if not history:
        raise _refused(CaseRefusal.ONLY_HISTORY, "this command is for history from another system")
    _insist_on_case(case)
    return [
        WorkResolved(
            case_id=command.case_id, rider_id=case.rider_id, unit=case.unit, result=command.result
        ),
        _closed(command.case_id, case, CloseOutcome.ANSWERED),
    ]


def _insist_on_case(case: Case) -> None:
    if case.step in (Step.NONE, Step.REJECTED):
        raise _refused(CaseRefusal.NO_SUCH_CASE, "no case has been opened for this report")
    if case.step is Step.CLOSED:
        raise _refused(CaseRefusal.ALREADY_CLOSED, "the case is closed")


def _insist_on_holder(case: Case, actor: str) -> None:
    _insist_on_case(case)
    if case.unit != actor:
        raise _refused(CaseRefusal.NOT_YOURS, f"the case is held by '{case.unit}'")


def _refused(code: CaseRefusal, detail: str) -> Refused:
    return Refused(Reason(code=code, detail=detail))


def _dispatched(case: Case, chosen: Route, at: datetime, rules: Rules) -> CaseDispatched:
    return CaseDispatched(
        case_id=case.report_id,
        rider_id=case.rider_id,
        unit=chosen.unit.code,
        unit_kind=chosen.unit.kind,
        dispatch=case.dispatch + 1,
        service_code=case.service_code,
        area=case.area,
        why=chosen.why,
        explanation=chosen.explanation,
        suggested=chosen.suggested,
        due_at=due_at(at, chosen.limit_hours),
        rulebook=rules.label,
    )


def _escalated(case_id: str, returns: int, reworks: int, level: int) -> CaseEscalated:
    return CaseEscalated(case_id=case_id, returns=returns, reworks=reworks, level=level)


def _closed(case_id: str, case: Case, outcome: CloseOutcome, note: str | None = None) -> CaseClosed:
    return CaseClosed(
        case_id=case_id,
        report_id=case.report_id,
        rider_id=case.rider_id,
        platform=case.platform,
        unit=case.unit,
        service_code=case.service_code,
        outcome=outcome,
        note=note,
    )


def evolve(case: Case, fact: Fact) -> Case:
    """The case after a fact. Never refuses: it has happened."""
    match fact:
        case CaseOpened() as opened:
            return replace(
                case,
                report_id=opened.report_id,
                rider_id=opened.rider_id,
                platform=opened.platform,
                service_code=opened.service_code,
                position=opened.position,
                area=opened.area,
                street=opened.street,
            )
        case CaseRejected():
            return replace(case, step=Step.REJECTED)
        case CaseDispatched() as to:
            return replace(
                case,
                step=Step.DISPATCHED,
                unit=to.unit,
                unit_kind=to.unit_kind,
                dispatch=to.dispatch,
                service_code=to.service_code,
                why=to.why,
                explanation=to.explanation,
                suggested=to.suggested,
                due_at=to.due_at,
            )
        case WorkAccepted():
            return replace(case, step=Step.HANDLING)
        case WorkReturned(returns=returns):
            return replace(case, returns=returns)
        case WorkResolved():
            return replace(case, step=Step.RESOLVED)
        case ReworkOrdered(reworks=reworks):
            return replace(case, step=Step.HANDLING, reworks=reworks)
        case CaseClosed():
            return replace(case, step=Step.CLOSED)
        case _:
            return case


CASE = Decider("case", NO_CASE, decide, evolve)
