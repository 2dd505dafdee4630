"""How a case begins, gathers reports, and is put right. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.case import (
    CaseCorrected,
    CaseJoined,
    CaseOpened,
    CaseRefusal,
    CaseRejected,
    CaseSeparated,
    CheckOrdered,
    CheckReport,
    CorrectCase,
    DropReport,
    GatherReport,
    JoinCase,
    OpenCase,
    ReportJoined,
    ReportSeparated,
    SeparateCase,
    SeparationReason,
    Step,
)
from contracts.datum import to_wgs84
from contracts.envelope import Fact, Issued, Reason, Words
from contracts.rulebook import Condition
from services.router import duplicates
from services.router.decider.case.checks import HOUSE, refused
from services.router.decider.case.placing import by_route, dispatched
from services.router.decider.case.state import NO_CASE, Case, evolve
from services.router.duplicates import Match
from services.router.routing import Route, route
from services.router.rules import Rules


def open_case(issued: Issued[OpenCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """A case of its own; or none; or another one's; or somebody looks first."""
    command = issued.command
    filed = rules.filed(command.service_code, command.condition)
    if filed and not filed.service.opens_case:
        return [_recorded_only(command, filed.service.name, rules)]
    told = _told(command, rules)
    where = _route(told, rules)
    told = replace(
        told,
        condition=where.condition,
        area=where.area.code if where.area else None,
        street=where.street,
    )
    if filed and (match := _original(issued, filed.condition, rules)):
        return [_joined(told, match, rules)]
    if filed and filed.condition.check_before_open and where.area and not issued.history:
        return [_check_first(told, filed.condition, issued, rules)]
    return _opened(told, where, issued, rules)


def check(issued: Issued[CheckReport], case: Case, rules: Rules) -> Sequence[Fact]:
    """Somebody has looked: a case, or nothing there."""
    command = issued.command
    if command.found:
        return _opened(case, _route(case, rules), issued, rules)
    name = rules.name_of(issued.actor)
    detail = f"{name.en} has looked and found nothing"
    return [
        CaseRejected(
            case_id=command.case_id,
            report_id=case.report_id,
            rider_id=case.rider_id,
            service_code=case.service_code,
            reasons=(Reason(code="nothing_found", detail=detail),),
            note=command.note,
            gathered=case.gathered,
            rulebook=rules.label,
        )
    ]


def correct(issued: Issued[CorrectCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """Kind or place were wrong: what is right is routed by the rules."""
    command = issued.command
    if command.condition and command.condition not in rules.conditions:
        detail = f"the rulebook {rules.label} has no condition '{command.condition}'"
        raise refused(CaseRefusal.NO_SUCH_CONDITION, detail)
    service = command.service_code or case.service_code
    condition = case.condition if command.service_code in (None, case.service_code) else None
    right = replace(
        case,
        service_code=service,
        condition=command.condition or condition,
        position=to_wgs84(command.position) if command.position else case.position,
        asset=command.asset or case.asset,
    )
    if command.condition:
        right = replace(right, service_code=rules.conditions[command.condition].service.code)
    if right == case:
        detail = "give what is right: kind, condition, place or asset"
        raise refused(CaseRefusal.NOTHING_CORRECTED, detail)
    where = _route(right, rules)
    corrected = CaseCorrected(
        case_id=command.case_id,
        rider_id=case.rider_id,
        by=issued.actor,
        service_code=right.service_code,
        condition=where.condition,
        position=right.position,
        asset=right.asset,
        area=where.area.code if where.area else None,
        street=where.street,
        note=command.note,
        rulebook=rules.label,
    )
    known = evolve(case, corrected)
    return [corrected, dispatched(known, command.case_id, by_route(where), issued.at, rules)]


def join(issued: Issued[JoinCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """A person has seen that two cases are about one thing; or the house has opened two at once."""
    command = issued.command
    if issued.actor == HOUSE:
        return _side_by_side(case, command.into, rules)
    if command.into == command.case_id:
        raise refused(CaseRefusal.NOT_ONE_CASE, "a case cannot join itself; name the other one")
    _insist_on_open(command)
    name = rules.name_of(issued.actor)
    words = Words(
        zh=f"{name.zh}认定与案件 {command.into} 为同一问题，并入该案。",
        en=f"{name.en} has seen that it is about the same thing as case {command.into}.",
    )
    return [_gathers(case, command.into, words, rules, by=issued.actor)]


def _side_by_side(case: Case, into: str, rules: Rules) -> Sequence[Fact]:
    """Nothing where hands have been on it, or a person has said that it stands by itself."""
    if case.step is not Step.DISPATCHED or case.dispatch > 1 or case.apart:
        return []
    words = Words(
        zh=f"与案件 {into} 同时立案、立案条件相同、位置相近，并入该案。",
        en=f"Opened side by side with case {into}, the same condition and near: it gathers there.",
    )
    return [_gathers(case, into, words, rules)]


def _insist_on_open(command: JoinCase) -> None:
    """Reports gather under open cases; one that is closed meanwhile lets them go again."""
    match command.stands_at:
        case Step.NONE | Step.REJECTED:
            raise refused(CaseRefusal.NO_SUCH_CASE, f"there is no case {command.into}")
        case Step.JOINED | Step.CLOSED as step:
            detail = f"case {command.into} is in step '{step}'; name one that is open"
            raise refused(CaseRefusal.NOT_ONE_CASE, detail)


def separate(issued: Issued[SeparateCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """It is about another thing after all, or what it was to join is over: a case of its own."""
    command = issued.command
    if command.because is SeparationReason.ORIGINAL_OVER and issued.actor != HOUSE:
        raise refused(CaseRefusal.NOT_YOURS, "the house finds this out by itself; leave the reason")
    apart = CaseSeparated(
        case_id=command.case_id,
        rider_id=case.rider_id,
        origin=case.origin or command.case_id,
        because=command.because,
        by=issued.actor,
    )
    return [apart, *_opened(case, _route(case, rules), issued, rules)]


def gather(issued: Issued[GatherReport], case: Case, rules: Rules) -> Sequence[Fact]:
    """One more report is about this case; nothing when it is known."""
    command = issued.command
    if any(one.report_id == command.report_id for one in case.gathered):
        return []
    return [
        ReportJoined(
            case_id=command.case_id,
            report_id=command.report_id,
            rider_id=command.rider_id,
            platform=command.platform,
            distance_metres=command.distance_metres,
            reports=len(case.gathered) + 2,
        )
    ]


def drop(issued: Issued[DropReport], case: Case, rules: Rules) -> Sequence[Fact]:
    """A gathered report stands by itself again; nothing when it was never here."""
    report_id = issued.command.report_id
    if all(one.report_id != report_id for one in case.gathered):
        return []
    return [
        ReportSeparated(
            case_id=issued.command.case_id, report_id=report_id, reports=len(case.gathered)
        )
    ]


def _told(command: OpenCase, rules: Rules) -> Case:
    """The report, as a case that is not opened yet."""
    service = command.service_code
    if command.condition and command.condition in rules.conditions:
        service = rules.conditions[command.condition].service.code
    return replace(
        NO_CASE,
        report_id=command.report_id,
        rider_id=command.rider_id,
        platform=command.platform,
        service_code=service,
        condition=command.condition,
        position=command.position,
        asset=command.asset,
    )


def _route(case: Case, rules: Rules) -> Route:
    return route(case.service_code, case.condition, case.position, case.asset, rules)


def _original(issued: Issued[OpenCase], condition: Condition, rules: Rules) -> Match | None:
    """The open case that the report is about. History stands as it was told."""
    command = issued.command
    if command.position is None or issued.history:
        return None
    rule = rules.duplicates(condition)
    others = (one for one in command.nearby if one.case_id != command.report_id)
    return duplicates.original(condition.code, command.position, issued.at, others, rule)


def _recorded_only(command: OpenCase, service: Words, rules: Rules) -> CaseRejected:
    detail = f"'{service.en}' is recorded and opens no case"
    return CaseRejected(
        case_id=command.report_id,
        report_id=command.report_id,
        rider_id=command.rider_id,
        service_code=command.service_code,
        reasons=(Reason(code="service_opens_no_case", detail=detail),),
        rulebook=rules.label,
    )


def _joined(told: Case, match: Match, rules: Rules) -> CaseJoined:
    into, metres = match.case.case_id, match.metres
    words = Words(
        zh=f"与未结案件 {into} 立案条件相同，相距 {metres} 米，并入该案。",
        en=f"The same condition as open case {into}, {metres} m away: it gathers there.",
    )
    return _gathers(told, into, words, rules, metres=metres)


def _gathers(
    case: Case,
    into: str,
    words: Words,
    rules: Rules,
    *,
    metres: int | None = None,
    by: str | None = None,
) -> CaseJoined:
    return CaseJoined(
        case_id=case.report_id,
        report_id=case.report_id,
        rider_id=case.rider_id,
        platform=case.platform,
        service_code=case.service_code,
        condition=case.condition,
        position=case.position,
        asset=case.asset,
        area=case.area,
        street=case.street,
        into=into,
        gathered=case.gathered,
        distance_metres=metres,
        by=by,
        explanation=words,
        rulebook=rules.label,
    )


def _check_first(
    told: Case, condition: Condition, issued: Issued[OpenCase], rules: Rules
) -> CheckOrdered:
    looks = rules.verifier(rules.filed(told.service_code, condition.code), told.area, told.asset)
    words = Words(
        zh=f"“{condition.name.zh}”须先核实再立案：由{looks.name.zh}到场核实。",
        en=f"'{condition.name.en}' is checked before a case is opened: {looks.name.en} looks.",
    )
    return CheckOrdered(
        case_id=told.report_id,
        report_id=told.report_id,
        rider_id=told.rider_id,
        platform=told.platform,
        service_code=told.service_code,
        condition=condition.code,
        position=told.position,
        asset=told.asset,
        area=told.area,
        street=told.street,
        unit=looks.code,
        explanation=words,
        due_at=rules.time.after(issued.at, rules.handling.check_limit),
        rulebook=rules.label,
    )


def _opened(
    told: Case,
    where: Route,
    issued: Issued[OpenCase] | Issued[CheckReport] | Issued[SeparateCase],
    rules: Rules,
) -> list[Fact]:
    opened = CaseOpened(
        case_id=told.report_id,
        report_id=told.report_id,
        rider_id=told.rider_id,
        platform=told.platform,
        service_code=told.service_code,
        condition=where.condition,
        position=told.position,
        asset=told.asset,
        area=where.area.code if where.area else None,
        street=where.street,
        rulebook=rules.label,
    )
    known = evolve(told if told.step is not Step.NONE else NO_CASE, opened)
    placed, imported = by_route(where), issued.history
    to = dispatched(known, told.report_id, placed, issued.at, rules, imported=imported)
    return [opened, to]
