"""Who holds a case when: laws on the one holder. Pure.

A dispatch begins an epoch of its unit and ends the one before; within it, a clerk of the unit may
have the case in hand. What anybody else tries is refused, and refused leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator

from contracts.case import (
    CaseDispatched,
    WorkAccepted,
    WorkClaimed,
    WorkReleased,
    WorkResolved,
    WorkReturned,
    WorkTransferred,
)
from tests.journey.evidence import Entry, Evidence

Holder = tuple[str | None, str | None]
"""The unit, and the clerk within it."""


def a_case_has_one_holder(evidence: Evidence) -> Iterator[str]:
    """Only the unit of the last dispatch acts, and only one of its clerks has it in hand."""
    for entries in evidence.streams.values():
        holder: Holder = (None, None)
        for entry in entries:
            if wrong := _trespass(entry, holder):
                yield f"{entry.fact.fact_id}: {wrong}"
            holder = _after(entry, holder)


def _trespass(entry: Entry, holder: Holder) -> str | None:
    unit, clerk = holder
    match entry.fact.body:
        case WorkClaimed(unit=by, clerk=other) if clerk not in (None, other):
            return f"{other} of {by} claims what {clerk} has"
        case WorkReleased(clerk=other) if clerk != other:
            return f"{other} releases what {clerk} has"
        case (
            WorkAccepted(unit=by)
            | WorkClaimed(unit=by)
            | WorkReleased(unit=by)
            | WorkReturned(unit=by)
            | WorkResolved(unit=by)
            | WorkTransferred(unit=by)
        ) if by != unit:
            return f"{by} acts on what {unit} holds"
        case _:
            return None


def _after(entry: Entry, holder: Holder) -> Holder:
    match entry.fact.body:
        case CaseDispatched(unit=unit):
            return unit, None
        case WorkClaimed(clerk=clerk):
            return holder[0], clerk
        case WorkReleased():
            return holder[0], None
        case _:
            return holder
