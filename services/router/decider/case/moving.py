"""Who has a case, who helps: accepted, claimed, dispatched, given back, handed on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.case import (
    AcceptWork,
    AskSupport,
    CaseRefusal,
    ClaimWork,
    ClockPaused,
    DispatchCase,
    EscalationReason,
    GiveSupport,
    PauseReason,
    ReleaseWork,
    ReturnWork,
    Step,
    SupportAsked,
    SupportGiven,
    Task,
    TransferWork,
    UnitKind,
    Why,
    WorkAccepted,
    WorkClaimed,
    WorkReleased,
    WorkReturned,
    WorkTransferred,
)
from contracts.envelope import Fact, Issued, Words
from contracts.rulebook import Unit
from services.router.clock import Clock
from services.router.decider.case.checks import HANDLERS, refused
from services.router.decider.case.escalating import by_count
from services.router.decider.case.placing import Placement, dispatched
from services.router.decider.case.state import Case
from services.router.rules import Filed, Rules


def accept(issued: Issued[AcceptWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """The unit takes it on."""
    return [WorkAccepted(case_id=issued.command.case_id, unit=issued.actor)]


def claim(issued: Issued[ClaimWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """A clerk takes it; of two the first, and the other is told who."""
    command = issued.command
    if case.clerk == command.clerk:
        return []
    if case.clerk is not None:
        detail = f"clerk '{case.clerk}' of {case.unit} has it"
        raise refused(CaseRefusal.CLAIMED_BY_ANOTHER, detail)
    claimed = WorkClaimed(case_id=command.case_id, unit=issued.actor, clerk=command.clerk)
    if case.step is Step.DISPATCHED:
        return [WorkAccepted(case_id=command.case_id, unit=issued.actor), claimed]
    return [claimed]


def release(issued: Issued[ReleaseWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """The clerk who has it hands it back to the desk."""
    command = issued.command
    if case.clerk is None:
        return []
    if case.clerk != command.clerk:
        detail = f"clerk '{case.clerk}' of {case.unit} has it"
        raise refused(CaseRefusal.CLAIMED_BY_ANOTHER, detail)
    return [WorkReleased(case_id=command.case_id, unit=issued.actor, clerk=command.clerk)]


def dispatch(issued: Issued[DispatchCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """A dispatcher chooses who handles it, and may say better what it is."""
    command, at = issued.command, issued.at
    unit = _handling_unit(command.unit, rules)
    if unit.code == issued.actor and unit.kind is not UnitKind.STREET:
        detail = f"'{command.unit}' cannot be given this case by you"
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, detail)
    if unit.code == issued.actor and case.task is Task.HANDLE:
        detail = "you handle it already; resolve it, or dispatch it to another unit"
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, detail)
    case, filed = _named(command, case, rules)
    where = {"asset": case.asset, "service": case.service_code}
    suggested = rules.resolve(filed.accountable, case.area, **where).unit if filed else None
    name = rules.name_of(issued.actor)
    placement = Placement(
        unit=unit,
        why=Why.BY_DISPATCHER,
        words=Words(zh=f"由{name.zh}派遣。", en=f"Dispatched by {name.en}."),
        task=Task.HANDLE,
        limit=filed.condition.limit if filed else rules.handling.dispatch_limit,
        rule=f"{case.condition or '-'}|dispatcher:{issued.actor}",
        suggested=suggested.code if suggested else case.suggested,
        supporting=tuple(dict.fromkeys(_supporting(command, case, filed, rules))),
        kept=_clock_kept(case, unit.code),
    )
    return [dispatched(case, command.case_id, placement, at, rules)]


def give_back(issued: Issued[ReturnWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """Not ours: a dispatcher decides again. Who said so stands in the fact."""
    command, at = issued.command, issued.at
    street = rules.units.get(case.street or "")
    receiver = rules.triage if street is None or street.code == issued.actor else street
    name = rules.name_of(issued.actor)
    returned = WorkReturned(
        case_id=command.case_id,
        rider_id=case.rider_id,
        unit=issued.actor,
        reason=command.reason,
        returns=case.returns + 1,
        note=command.note,
    )
    placement = Placement(
        unit=receiver,
        why=Why.RETURNED,
        words=Words(
            zh=f"{name.zh}退回，由{receiver.name.zh}重新派遣。",
            en=f"Returned by {name.en}: {receiver.name.en} dispatches again.",
        ),
        task=Task.DISPATCH,
        limit=rules.handling.dispatch_limit,
        rule=f"returned:{issued.actor}",
        suggested=case.suggested,
    )
    counted = replace(case, returns=returned.returns)
    reason, count = EscalationReason.RETURNS, returned.returns
    return [
        returned,
        *_paused(issued, case, rules),
        dispatched(case, command.case_id, placement, at, rules),
        *by_count(counted, command.case_id, reason, count, rules),
    ]


def transfer(issued: Issued[TransferWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """The handling unit hands it on directly; the other one's clock starts anew."""
    command, at = issued.command, issued.at
    unit = _handling_unit(command.unit, rules)
    if case.task is not Task.HANDLE:
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, "you are to dispatch it: do that")
    if unit.code == issued.actor:
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, "you have it; name another unit")
    filed = rules.filed(case.service_code, case.condition)
    name = rules.name_of(issued.actor)
    transfers = case.transfers + 1
    placement = Placement(
        unit=unit,
        why=Why.TRANSFERRED,
        words=Words(
            zh=f"{name.zh}转办，由{unit.name.zh}处置。",
            en=f"Handed on by {name.en}: {unit.name.en} handles it.",
        ),
        task=Task.HANDLE,
        limit=filed.condition.limit if filed else rules.handling.dispatch_limit,
        rule=f"transferred:{issued.actor}",
        suggested=case.suggested,
        supporting=case.supporting,
    )
    counted = replace(case, transfers=transfers)
    return [
        WorkTransferred(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=issued.actor,
            to=unit.code,
            transfers=transfers,
            note=command.note,
        ),
        dispatched(case, command.case_id, placement, at, rules),
        *by_count(counted, command.case_id, EscalationReason.TRANSFERS, transfers, rules),
    ]


def ask_support(issued: Issued[AskSupport], case: Case, rules: Rules) -> Sequence[Fact]:
    """Another unit is asked to help; nothing when it helps already."""
    command = issued.command
    unit = _handling_unit(command.unit, rules)
    if unit.code == issued.actor:
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, "you hold it; name another unit")
    if unit.code in case.supporting:
        return []
    return [SupportAsked(case_id=command.case_id, unit=unit.code, by=issued.actor)]


def give_support(issued: Issued[GiveSupport], case: Case, rules: Rules) -> Sequence[Fact]:
    """The helping unit says what it has done; the holder stays accountable."""
    command = issued.command
    return [
        SupportGiven(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=issued.actor,
            result=command.result,
        )
    ]


def _handling_unit(code: str, rules: Rules) -> Unit:
    unit = rules.units.get(code)
    if unit is None:
        detail = f"the rulebook {rules.label} has no unit '{code}'"
        raise refused(CaseRefusal.NO_SUCH_UNIT, detail)
    if unit.kind not in HANDLERS:
        detail = f"'{code}' does not handle cases; name a department or a street office"
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, detail)
    return unit


def _named(command: DispatchCase, case: Case, rules: Rules) -> tuple[Case, Filed | None]:
    """The case with what the dispatcher knows better, and its condition."""
    if command.condition and command.condition not in rules.conditions:
        detail = f"the rulebook {rules.label} has no condition '{command.condition}'"
        raise refused(CaseRefusal.NO_SUCH_CONDITION, detail)
    condition = command.condition
    if condition is None and command.service_code in (None, case.service_code):
        condition = case.condition
    filed = rules.filed(command.service_code or case.service_code, condition)
    if filed is None:
        return replace(case, service_code=command.service_code or case.service_code), None
    code = filed.service.code
    return replace(case, service_code=code, condition=filed.condition.code), filed


def _supporting(command: DispatchCase, case: Case, filed: Filed | None, rules: Rules) -> list[str]:
    """Whom the dispatcher names to help; else whom the rules name for the condition."""
    if command.supporting or filed is None:
        return [_handling_unit(code, rules).code for code in command.supporting]
    where = {"asset": case.asset, "service": case.service_code}
    found = (rules.resolve(ref, case.area, **where).unit for ref in filed.supporting)
    return [unit.code for unit in found if unit]


def _clock_kept(case: Case, unit: str) -> Clock | None:
    """Dispatched again to the unit that returned it: its clock goes on."""
    return case.kept.clock if case.kept and case.kept.unit == unit else None


def _paused(issued: Issued[ReturnWork], case: Case, rules: Rules) -> list[ClockPaused]:
    if case.task is not Task.HANDLE or case.clock is None:
        return []
    return [
        ClockPaused(
            case_id=issued.command.case_id,
            unit=issued.actor,
            because=PauseReason.RETURNED,
            left_seconds=case.clock.paused(issued.at, rules.time).left_seconds or 0,
        )
    ]
