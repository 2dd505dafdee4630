"""Whether a command is possible here and now, and for whom. Pure; read from the table."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from contracts.case import CaseRefusal, Step, UnitKind
from contracts.envelope import Issued, Reason, Refused
from services.router.decider.case.state import Case
from services.router.lifecycle import Move, Who, possible_in_words
from services.router.rules import Rules

HOUSE: Final = "router"
"""Who gives the commands that the house gives to itself."""
DISPATCHERS: Final = (UnitKind.STREET, UnitKind.TRIAGE)
HANDLERS: Final = (UnitKind.STREET, UnitKind.DEPARTMENT)
VERIFIERS: Final = (UnitKind.INSPECTION, UnitKind.STREET)
AUTHORITIES: Final = (UnitKind.TRIAGE, UnitKind.INSPECTION)
_HOLDERS: Final = (Who.HOLDER, Who.HOLDING_DISPATCHER, Who.HANDLER)


def refused(code: CaseRefusal, detail: str) -> Refused:
    """A refusal with its one reason."""
    return Refused(Reason(code=code, detail=detail))


def local(at: datetime, rules: Rules) -> str:
    """A moment as people of the district write it."""
    return at.astimezone(rules.time.zone).isoformat(timespec="minutes")


def insist(move: Move, issued: Issued[Any], case: Case, rules: Rules) -> None:
    """Refuse what the table does not allow, and say what is possible instead."""
    if move.who is Who.ARCHIVE and not issued.history:
        raise refused(CaseRefusal.ONLY_HISTORY, "this is for history from another system")
    _insist_on_a_case(move, case)
    if move.who in _HOLDERS and case.unit != issued.actor:
        raise refused(CaseRefusal.NOT_YOURS, f"the case is held by '{case.unit or 'nobody'}'")
    if case.step not in move.steps:
        where = f"the case is in step '{case.step}'"
        raise refused(move.otherwise, f"{where}; {possible_in_words(case.step)}")
    _insist_on(move.who, issued, case, rules)


def _insist_on_a_case(move: Move, case: Case) -> None:
    if case.step in move.steps:
        return
    match case.step:
        case Step.NONE | Step.REJECTED:
            raise refused(CaseRefusal.NO_SUCH_CASE, "no case has been opened for this report")
        case Step.CLOSED:
            detail = f"the case is closed; {possible_in_words(Step.CLOSED)}"
            raise refused(CaseRefusal.ALREADY_CLOSED, detail)
        case Step.JOINED:
            detail = f"it gathers under case {case.origin}: act on that one, or separate it"
            raise refused(CaseRefusal.ALREADY_JOINED, detail)


def _insist_on(who: Who, issued: Issued[Any], case: Case, rules: Rules) -> None:
    actor = issued.actor
    match who:
        case Who.HOUSE if actor != HOUSE:
            raise refused(CaseRefusal.NOT_YOURS, "the house does this by itself")
        case Who.HOLDING_DISPATCHER if case.unit_kind not in DISPATCHERS:
            detail = "only a street office or the triage desk dispatches or closes; give it back"
            raise refused(CaseRefusal.NOT_A_DISPATCHER, detail)
        case Who.HANDLER if case.unit_kind not in HANDLERS:
            detail = f"'{actor}' dispatches or closes; it does not handle"
            raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, detail)
        case Who.SUPPORTER if actor not in case.supporting:
            detail = f"'{actor}' was not asked to help; {_listed(case.supporting)}"
            raise refused(CaseRefusal.NOT_SUPPORTING, detail)
        case Who.AUTHORITY if actor != HOUSE:
            _insist_on_authority(actor, case, rules)
        case Who.HOLDER_OR_AUTHORITY if actor != case.unit:
            _insist_on_authority(actor, case, rules)
        case Who.DECIDER:
            _insist_on_decider(actor, case, rules)
        case Who.VERIFIER:
            insist_on_verifier(actor, case, rules)
        case Who.PLATFORM if actor not in _platforms(case):
            raise refused(CaseRefusal.NOT_YOURS, f"no report of this case came from '{actor}'")
        case Who.LATE_UNIT if actor != case.late_unit:
            raise refused(CaseRefusal.NOT_LATE, f"'{actor}' was not late in this case")
        case Who.REVIEWER:
            _insist_on_reviewer(actor, case, rules)


def has_authority(actor: str, case: Case, rules: Rules) -> bool:
    """Whether a party stands above the handler of this case."""
    unit = rules.units.get(actor)
    return unit is not None and (unit.kind in AUTHORITIES or actor == case.street)


def _insist_on_authority(actor: str, case: Case, rules: Rules) -> None:
    if not has_authority(actor, case, rules):
        street = case.street or "nobody"
        detail = f"only its street office ({street}), the triage desk and inspection may"
        raise refused(CaseRefusal.NOT_A_DISPATCHER, detail)


def _insist_on_decider(actor: str, case: Case, rules: Rules) -> None:
    if case.request is None:
        detail = "nothing was asked for, or it was due before it was answered"
        raise refused(CaseRefusal.NO_REQUEST, detail)
    if actor not in (case.request.decider, rules.triage.code) or actor == case.unit:
        detail = f"'{case.request.decider}' was asked"
        raise refused(CaseRefusal.NOT_A_DISPATCHER, detail)


def insist_on_verifier(actor: str, case: Case, rules: Rules) -> None:
    """Neither handler nor reporter, and somebody whose part it is."""
    if actor in case.hands:
        raise refused(CaseRefusal.HANDLER_MAY_NOT_VERIFY, f"'{actor}' handled this case")
    if actor in _platforms(case) or actor in _riders(case):
        raise refused(CaseRefusal.REPORTER_MAY_NOT_VERIFY, f"'{actor}' handed the report in")
    unit = rules.units.get(actor)
    if actor != case.verifier and (unit is None or unit.kind not in VERIFIERS):
        detail = f"'{actor}' is neither inspection nor a street office; '{case.verifier}' verifies"
        raise refused(CaseRefusal.NOT_A_VERIFIER, detail)


def _insist_on_reviewer(actor: str, case: Case, rules: Rules) -> None:
    if case.appeal is None or case.appeal.over:
        raise refused(CaseRefusal.NO_REQUEST, "no appeal is open in this case")
    unit = rules.units.get(actor)
    kinds = (*AUTHORITIES, UnitKind.STREET)
    if unit is None or unit.kind not in kinds or actor == case.late_unit:
        raise refused(CaseRefusal.REVIEWER_MAY_NOT, f"'{actor}' may not review this appeal")
    if actor in case.appeal.reviewers:
        raise refused(CaseRefusal.REVIEWER_MAY_NOT, f"'{actor}' has reviewed it; another must")


def _platforms(case: Case) -> set[str]:
    return {case.platform, *(one.platform for one in case.gathered)}


def _riders(case: Case) -> set[str]:
    return {case.rider_id, *(one.rider_id for one in case.gathered)}


def _listed(units: tuple[str, ...]) -> str:
    return f"{', '.join(units)} were" if units else "nobody was"
