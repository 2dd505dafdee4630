"""Who holds a case first, and why. Pure, deterministic, explained.

By area the street office takes the order first, or orders go straight to the department; a
service may override its area. What no rule can place goes to the staffed triage desk, never
nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.case import UnitKind, Why
from contracts.envelope import Words
from contracts.report import Position
from contracts.rulebook import Area, Service, Unit
from services.router.rules import Rules


@dataclass(frozen=True, slots=True)
class Route:
    """One accountable unit, and the rule that chose it."""

    unit: Unit
    why: Why
    explanation: Words
    limit_hours: int
    area: Area | None = None
    suggested: str | None = None
    """The department that the rules would choose."""


def route(service_code: str | None, position: Position | None, rules: Rules) -> Route:
    """The first holder of a case."""
    service = rules.services.get(service_code) if service_code else None
    area = rules.places.area_of(position) if position else None
    suggested = service.department if service else None
    if service is None:
        why = Why.SERVICE_UNKNOWN if service_code else Why.SERVICE_MISSING
        return _to_triage(
            why, _service_words(service_code, rules.triage.name), area, suggested, rules
        )
    if area is None:
        why = Why.PLACE_UNKNOWN if position else Why.PLACE_MISSING
        return _to_triage(why, _place_words(position, rules.triage.name), area, suggested, rules)
    return _by_rule(service, area, rules)


def _by_rule(service: Service, area: Area, rules: Rules) -> Route:
    department = rules.units[service.department]
    if (service.first_holder or area.first_holder) is UnitKind.STREET:
        street = rules.units[area.street]
        words = Words(
            zh=f"{area.name.zh}实行街道先接单：由{street.name.zh}接单，建议派往{department.name.zh}。",
            en=f"In {area.name.en} the street office takes the order first: {street.name.en}, "
            f"which is advised to dispatch to {department.name.en}.",
        )
        limit = rules.book.dispatch.limit_hours
        return Route(street, Why.STREET_FIRST, words, limit, area, department.code)
    if service.first_holder is not None:
        words = Words(
            zh=f"“{service.name.zh}”直派主管部门：{department.name.zh}。",
            en=f"'{service.name.en}' goes straight to its department: {department.name.en}.",
        )
        return Route(
            department, Why.DIRECT_BY_SERVICE, words, service.limit_hours, area, department.code
        )
    words = Words(
        zh=f"{area.name.zh}的案件直派主管部门：{department.name.zh}。",
        en=f"In {area.name.en} orders go straight to the department: {department.name.en}.",
    )
    return Route(department, Why.DIRECT_BY_AREA, words, service.limit_hours, area, department.code)


def _to_triage(
    why: Why, words: Words, area: Area | None, suggested: str | None, rules: Rules
) -> Route:
    return Route(rules.triage, why, words, rules.book.dispatch.limit_hours, area, suggested)


def _service_words(code: str | None, desk: Words) -> Words:
    if code is None:
        return Words(
            zh=f"上报未选类别，转{desk.zh}判断。", en=f"No kind was given: passed to {desk.en}."
        )
    return Words(
        zh=f"目录中没有类别“{code}”，转{desk.zh}判断。",
        en=f"The catalogue has no kind '{code}': passed to {desk.en}.",
    )


def _place_words(position: Position | None, desk: Words) -> Words:
    if position is None:
        return Words(
            zh=f"上报没有位置，转{desk.zh}判断。", en=f"No place was given: passed to {desk.en}."
        )
    return Words(
        zh=f"位置（{position.lat:.5f}，{position.lng:.5f}）不在任何街道辖区内，转{desk.zh}判断。",
        en=f"The point {position.lat:.5f}, {position.lng:.5f} lies in no street's territory: "
        f"passed to {desk.en}.",
    )
