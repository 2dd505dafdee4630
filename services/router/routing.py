"""Who holds a case first, and why. Pure, deterministic, explained.

By area the street office takes the order first, or orders go straight to who answers for the
condition; a service may override its area. Roles are resolved by place and asset. What no rule can
place goes to the staffed triage desk with the reason, never nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.case import Task, UnitKind, Why
from contracts.envelope import Words
from contracts.report import Position
from contracts.rulebook import Area, Limit, Unit
from services.router.responsibility import Resolution, Where
from services.router.rules import Filed, Rules

UNPLACED: Final = (
    Why.SERVICE_MISSING,
    Why.SERVICE_UNKNOWN,
    Why.PLACE_MISSING,
    Why.PLACE_UNKNOWN,
    Why.ROLE_UNRESOLVED,
)
"""Why a case goes to the triage desk; each is counted."""


@dataclass(frozen=True, slots=True)
class Route:
    """One accountable unit, and the rule that chose it."""

    unit: Unit
    why: Why
    explanation: Words
    limit: Limit
    task: Task
    rule: str
    """For programs: the condition, the mode, and the way of every role that was asked."""
    condition: str | None = None
    area: Area | None = None
    """The smallest one."""
    street: str | None = None
    """Who answers for the territory."""
    suggested: str | None = None
    """Who answers for it by the rules, for a dispatcher's eyes."""
    supporting: tuple[str, ...] = ()
    considered: tuple[Words, ...] = ()
    """What was looked at and not taken, or taken for want of better."""


def route(
    service_code: str | None,
    condition: str | None,
    position: Position | None,
    asset: str | None,
    rules: Rules,
) -> Route:
    """The first holder of a case."""
    area = rules.places.area_of(position) if position else None
    return route_in(service_code, condition, area, position, asset, rules)


def route_in(
    service_code: str | None,
    condition: str | None,
    area: Area | None,
    position: Position | None,
    asset: str | None,
    rules: Rules,
) -> Route:
    """The first holder of a case in an area that is known already."""
    filed = rules.filed(service_code, condition)
    where = Where(rules.places.chain(area.code if area else None), asset, service_code)
    street = _street(where, rules)
    if filed is None:
        why = Why.SERVICE_UNKNOWN if service_code else Why.SERVICE_MISSING
        return _to_triage(why, _service_words(service_code, rules), rules, area, street)
    if area is None:
        why = Why.PLACE_UNKNOWN if position else Why.PLACE_MISSING
        suggested = rules.responsibility.resolve(filed.accountable, where).unit
        words = _place_words(position, rules)
        return _to_triage(why, words, rules, area, street, filed, suggested)
    found = rules.responsibility.resolve(filed.accountable, where)
    if found.unit is None:
        words = _unresolved_words(filed.accountable, area, rules)
        return _to_triage(Why.ROLE_UNRESOLVED, words, rules, area, street, filed)
    return _by_rule(_Matter(filed, condition, area, where, found, found.unit), street, rules)


@dataclass(frozen=True, slots=True)
class _Matter:
    """What is known once the condition, the place and who answers for it are."""

    filed: Filed
    asked: str | None
    """The condition that was named."""
    area: Area
    where: Where
    found: Resolution
    accountable: Unit


def _by_rule(matter: _Matter, street: Unit | None, rules: Rules) -> Route:
    service = matter.filed.service
    mode, said_for = rules.mode(matter.where.areas)
    supporting, silent = _supporting(matter, rules)
    considered = (*_assumed(matter), *_way(matter), *silent)
    rule = f"{matter.filed.condition.code}|{service.first_holder or mode}@{said_for or '*'}"
    rule += "".join(f"|{role.code}" for role in matter.found.asked)
    if (service.first_holder or mode) is UnitKind.STREET:
        if street is None:
            words = _unresolved_words(rules.territory, matter.area, rules)
            accountable = matter.accountable
            return _to_triage(
                Why.ROLE_UNRESOLVED, words, rules, matter.area, None, matter.filed, accountable
            )
        why, words, unit, limit = Why.STREET_FIRST, *_street_first(matter, street, rules)
        task = Task.DISPATCH
    else:
        why, words = _direct(matter)
        unit, limit, task = matter.accountable, matter.filed.condition.limit, Task.HANDLE
        considered += (_NOT_STREET_FIRST,)
    return Route(
        unit=unit,
        why=why,
        explanation=words,
        limit=limit,
        task=task,
        rule=rule,
        condition=matter.filed.condition.code,
        area=matter.area,
        street=street.code if street else None,
        suggested=matter.accountable.code,
        supporting=supporting,
        considered=considered,
    )


_NOT_STREET_FIRST: Final = Words(zh="未走“街道先接单”。", en="Not taken: the street office first.")


def _street_first(matter: _Matter, street: Unit, rules: Rules) -> tuple[Words, Unit, Limit]:
    place, to = matter.area.name, matter.accountable.name
    words = Words(
        zh=f"{place.zh}实行街道先接单：由{street.name.zh}接单，建议派往{to.zh}。",
        en=f"In {place.en} the street office takes the order first: {street.name.en}, "
        f"which is advised to dispatch to {to.en}.",
    )
    return words, street, rules.handling.dispatch_limit


def _direct(matter: _Matter) -> tuple[Why, Words]:
    to, service = matter.accountable.name, matter.filed.service
    if matter.found.fell_through:
        roles = matter.found.fell_through
        return Why.OWNERLESS, Words(
            zh=f"此处查不到{'、'.join(r.name.zh for r in roles)}，按无主归属地：{to.zh}。",
            en=f"Nobody is known here as {', '.join(r.name.en for r in roles)}; "
            f"what has no owner falls to the territory: {to.en}.",
        )
    if service.first_holder is not None:
        return Why.DIRECT_BY_SERVICE, Words(
            zh=f"“{service.name.zh}”直派责任单位：{to.zh}。",
            en=f"'{service.name.en}' goes straight to who answers for it: {to.en}.",
        )
    place = matter.area.name
    return Why.DIRECT_BY_AREA, Words(
        zh=f"{place.zh}的案件直派责任单位：{to.zh}。",
        en=f"In {place.en} orders go straight to who answers for them: {to.en}.",
    )


def _street(where: Where, rules: Rules) -> Unit | None:
    return rules.responsibility.resolve(rules.territory, where).unit if where.areas else None


def _supporting(matter: _Matter, rules: Rules) -> tuple[tuple[str, ...], tuple[Words, ...]]:
    """The units that help, each once, and the roles of them that nobody holds here."""
    units: list[str] = []
    silent: list[Words] = []
    for ref in matter.filed.supporting:
        unit = rules.responsibility.resolve(ref, matter.where).unit
        if unit is None:
            name = rules.name_of(ref)
            silent.append(
                Words(
                    zh=f"协办“{name.zh}”在此处无对应单位。",
                    en=f"Nobody here is '{name.en}', who should help.",
                )
            )
        elif unit.code != matter.accountable.code and unit.code not in units:
            units.append(unit.code)
    return tuple(units), tuple(silent)


def _assumed(matter: _Matter) -> tuple[Words, ...]:
    """That a condition was assumed, where the service has several and none was named."""
    service, condition = matter.filed.service, matter.filed.condition
    if matter.asked == condition.code or (matter.asked is None and len(service.conditions) == 1):
        return ()
    return (
        Words(
            zh=f"未指明立案条件，暂按“{condition.name.zh}”。",
            en=f"The condition was not named; '{condition.name.en}' is assumed.",
        ),
    )


def _way(matter: _Matter) -> tuple[Words, ...]:
    """How each role led to a unit, or to the next role."""
    asked, silent, to = matter.found.asked, matter.found.fell_through, matter.accountable.name
    steps = [
        Words(zh=f"{role.name.zh}：此处无人承担。", en=f"{role.name.en}: nobody here.")
        for role in silent
    ]
    if len(asked) > len(silent):
        name = asked[-1].name
        steps.append(Words(zh=f"{name.zh}：{to.zh}。", en=f"{name.en}: {to.en}."))
    return tuple(steps)


def _to_triage(
    why: Why,
    words: Words,
    rules: Rules,
    area: Area | None,
    street: Unit | None,
    filed: Filed | None = None,
    suggested: Unit | None = None,
) -> Route:
    return Route(
        unit=rules.triage,
        why=why,
        explanation=words,
        limit=rules.handling.dispatch_limit,
        task=Task.DISPATCH,
        rule=f"{filed.condition.code if filed else '-'}|triage:{why}",
        condition=filed.condition.code if filed else None,
        area=area,
        street=street.code if street else None,
        suggested=suggested.code if suggested else None,
    )


def _service_words(code: str | None, rules: Rules) -> Words:
    desk = rules.triage.name
    if code is None:
        return Words(
            zh=f"上报未选类别，转{desk.zh}判断。", en=f"No kind was given: passed to {desk.en}."
        )
    return Words(
        zh=f"目录中没有类别“{code}”，转{desk.zh}判断。",
        en=f"The catalogue has no kind '{code}': passed to {desk.en}.",
    )


def _place_words(position: Position | None, rules: Rules) -> Words:
    desk = rules.triage.name
    if position is None:
        return Words(
            zh=f"上报没有位置，转{desk.zh}判断。", en=f"No place was given: passed to {desk.en}."
        )
    return Words(
        zh=f"位置（{position.lat:.5f}，{position.lng:.5f}）不在任何街道辖区内，转{desk.zh}判断。",
        en=f"The point {position.lat:.5f}, {position.lng:.5f} lies in no street's territory: "
        f"passed to {desk.en}.",
    )


def _unresolved_words(ref: str, area: Area, rules: Rules) -> Words:
    desk, role = rules.triage.name, rules.name_of(ref)
    return Words(
        zh=f"{area.name.zh}没有登记“{role.zh}”，转{desk.zh}判断。",
        en=f"Nobody is registered as '{role.en}' in {area.name.en}: passed to {desk.en}.",
    )
