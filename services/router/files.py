"""Who may read what of a case. Pure.

The words of a report are for the unit that must act on them, and for who verifies the result.
"""

from __future__ import annotations

from json import loads

from contracts.case import CaseFile, UnitKind
from contracts.envelope import plain
from contracts.report import ReportAccepted
from services.router.decider.case import Case
from services.router.lifecycle import possible
from services.router.rules import Rules


def may_read(actor: str, case: Case, rules: Rules) -> bool:
    """Whether the party may read the case: who must act on it, and inspection.

    Its holder, who helps or verifies, and the dispatcher who is to answer a request.
    """
    unit = rules.units.get(actor)
    asked = case.request.decider if case.request else None
    return actor in (case.unit, case.verifier, asked, *case.supporting) or (
        unit is not None and unit.kind is UnitKind.INSPECTION
    )


def case_file(case_id: str, case: Case, said: ReportAccepted | None) -> CaseFile:
    """The case with the words of its report, as far as they can still be read."""
    return CaseFile(
        case_id=case_id,
        state=case.step,
        unit=case.unit or None,
        service_code=case.service_code,
        condition=case.condition,
        position=case.position,
        asset=case.asset,
        due_at=case.due_at,
        possible=tuple(move.command.token for move in possible(case.step)),
        seen_at=said.seen_at if said else None,
        title=plain(said.title) if said else None,
        text=plain(said.text) if said else None,
        photo=plain(said.photo) if said else None,
        answers=loads(plain(said.answers) or "{}") if said else {},
    )
