"""What a report earns: by the first earning rule that fits, else by its condition. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.rulebook import Condition, EarningRule, Rulebook, Service


@dataclass(frozen=True, slots=True)
class Earned:
    """So many points, and by which rule."""

    points: int
    rule: str
    service: str


def earned(
    book: Rulebook, service_code: str | None, condition: str | None, area: str | None, at: datetime
) -> Earned | None:
    """What the rules give for a condition in an area at a moment; None for what they do not know.

    Where only the kind of thing is known, its default condition counts.
    """
    found = book.condition(service_code, condition)
    if found is None:
        return None
    service, state = found
    areas = book.inside(area) if area and any(rule.areas for rule in book.earning.rules) else ()
    for rule in book.earning.rules:
        if _fits(rule, service, state, areas, at):
            return Earned(rule.points, f"earning:{rule.code}", service.code)
    return Earned(state.points, f"condition:{state.code}", service.code)


def _fits(
    rule: EarningRule, service: Service, state: Condition, areas: tuple[str, ...], at: datetime
) -> bool:
    return (
        (not rule.kinds or service.kind in rule.kinds)
        and (not rule.services or service.code in rule.services)
        and (not rule.conditions or state.code in rule.conditions)
        and (not rule.areas or not set(rule.areas).isdisjoint(areas))
        and (rule.first is None or rule.first <= at)
        and (rule.last is None or at < rule.last)
    )
