"""What keeps rule documents from being put in force: references to nothing, codes used twice.

Asked before publishing, not when reading: what was in force once can always be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from difflib import get_close_matches
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.case import UnitKind
from contracts.rulebook.book import Rulebook
from contracts.rulebook.calendar import WEEKDAYS, Hours
from contracts.rulebook.catalogue import Condition, Service
from contracts.rulebook.parts import Flaw, repeated
from contracts.rulebook.places import AreaLevel, Polygon
from contracts.rulebook.routing import Role

_CHOOSING = ("singlevaluelist", "multivaluelist")
_LEVELS = tuple(AreaLevel)


def contradictions(book: Rulebook) -> list[Flaw]:
    """Everything that does not hold together, in the order of the documents."""
    return [
        *_one_name(book),
        *_catalogue(book),
        *_places(book),
        *_routing(book),
        *_roles(book),
        *_calendar(book),
        *_earning(book),
    ]


def nearest(code: str, known: Iterable[str]) -> str:
    """The advice for a code that nobody knows."""
    there = sorted(known)
    if close := get_close_matches(code, there, n=1):
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(there[:8])
    return f"there are {shown}{' ...' if len(there) > 8 else ''}" if there else "there are none"


def _one_name(book: Rulebook) -> Iterator[Flaw]:
    for document in book.documents:
        if document.rulebook != book.name:
            yield Flaw(
                document.kind,
                "rulebook",
                f"'{document.rulebook}', but the routing document is of '{book.name}'",
                "documents of one rulebook carry one name",
            )


def _twice(kind: str, path: str, codes: Iterable[str]) -> Iterator[Flaw]:
    for code in repeated(codes):
        yield Flaw(kind, path, f"code '{code}' is used twice", "give each a code of its own")


def _unknown(kind: str, path: str, code: str | None, known: Iterable[str]) -> Iterator[Flaw]:
    if code is not None and code not in (there := set(known)):
        yield Flaw(kind, path, f"'{code}' is not known", nearest(code, there))


def _holders(book: Rulebook) -> set[str]:
    """What may answer for something: units that handle, and roles."""
    handling = (UnitKind.STREET, UnitKind.DEPARTMENT)
    units = {unit.code for unit in book.units if unit.kind in handling}
    return units | {role.code for role in book.routing.roles}


def _catalogue(book: Rulebook) -> Iterator[Flaw]:
    kind, services = "catalogue", book.services
    yield from _twice(kind, "big_classes", (c.code for c in book.catalogue.big_classes))
    yield from _twice(kind, "services", (s.code for s in services))
    conditions = (c.code for s in services for c in s.conditions)
    yield from _twice(kind, "services[].conditions", conditions)
    holders, classes = _holders(book), {c.code for c in book.catalogue.big_classes}
    everybody = {u.code for u in book.units} | holders
    for service in services:
        at = f"services[{service.code}]"
        yield from _unknown(kind, f"{at}.big_class", service.big_class, classes)
        yield from _unknown(kind, f"{at}.accountable", service.accountable, holders)
        for ref in service.supporting:
            yield from _unknown(kind, f"{at}.supporting", ref, holders)
        own = {c.code for c in service.conditions}
        yield from _unknown(kind, f"{at}.default_condition", service.default_condition, own)
        for condition in service.conditions:
            yield from _condition(service, condition, holders, everybody)


def _condition(
    service: Service, condition: Condition, holders: set[str], everybody: set[str]
) -> Iterator[Flaw]:
    kind, at = "catalogue", f"services[{service.code}].conditions[{condition.code}]"
    yield from _unknown(kind, f"{at}.accountable", condition.accountable, holders)
    for ref in condition.supporting or ():
        yield from _unknown(kind, f"{at}.supporting", ref, holders)
    yield from _unknown(kind, f"{at}.verified_by", condition.verified_by, everybody)
    yield from _twice(kind, f"{at}.questions", (q.code for q in condition.questions))
    for question in condition.questions:
        where = f"{at}.questions[{question.code}]"
        yield from _twice(kind, f"{where}.values", (v.key for v in question.values))
        if question.datatype in _CHOOSING and not question.values:
            yield Flaw(kind, where, "nothing to choose from", "list the values, or ask for a text")
        if question.datatype not in _CHOOSING and question.values:
            reason = f"a {question.datatype} has no values to choose from"
            yield Flaw(kind, where, reason, "make it a singlevaluelist, or leave the values out")


def _places(book: Rulebook) -> Iterator[Flaw]:
    kind, areas = "places", {area.code: area for area in book.areas}
    yield from _twice(kind, "features", (area.code for area in book.areas))
    for area in book.areas:
        at = f"features[{area.code}]"
        yield from _unknown(kind, f"{at}.parent", area.parent, areas)
        parent = areas.get(area.parent or "")
        if parent and _LEVELS.index(parent.level) >= _LEVELS.index(area.level):
            reason = f"a {area.level} cannot be part of a {parent.level}"
            yield Flaw(kind, f"{at}.parent", reason, "a part is of a smaller level than the whole")
        match area.geometry:
            case Polygon(coordinates=rings):
                every = [rings]
            case several:
                every = list(several.coordinates)
        for ring in (ring for rings in every for ring in rings):
            if ring[0] != ring[-1]:
                yield Flaw(kind, f"{at}.geometry", "a ring is not closed", "end it where it starts")


def _routing(book: Rulebook) -> Iterator[Flaw]:
    kind, routing = "routing", book.routing
    parties = [u.code for u in book.units] + [p.code for p in book.platforms]
    yield from _twice(kind, "units", [*parties, *(r.code for r in routing.roles)])
    desks = [unit.code for unit in book.units if unit.kind is UnitKind.TRIAGE]
    if len(desks) != 1:
        reason = f"there are {len(desks)} units of kind 'triage'; exactly one must be staffed"
        yield Flaw(kind, "units", reason, "what no rule can place goes to this one desk")
    inspections = {u.code for u in book.units if u.kind is UnitKind.INSPECTION}
    yield from _unknown(kind, "verification.by", routing.verification.by, inspections)
    areas = {area.code for area in book.areas}
    for index, mode in enumerate(routing.modes):
        at = f"modes[{index}]"
        yield from _unknown(kind, f"{at}.area", mode.area, areas)
        if mode.first_holder not in (UnitKind.STREET, UnitKind.DEPARTMENT):
            reason = f"'{mode.first_holder}' takes no order first"
            yield Flaw(kind, f"{at}.first_holder", reason, "say street or department")
    yield from _twice(kind, "modes", (mode.area or "everywhere" for mode in routing.modes))
    everybody = {u.code for u in book.units} | {r.code for r in routing.roles}
    for step in routing.escalation:
        for ref in step.told:
            yield from _unknown(kind, f"escalation[{step.level}].told", ref, everybody)
    levels = [step.level for step in routing.escalation]
    if levels != sorted(set(levels)):
        yield Flaw(kind, "escalation", "levels must rise", "number them 1, 2, 3")


def _roles(book: Rulebook) -> Iterator[Flaw]:
    kind, roles = "routing", {role.code: role for role in book.routing.roles}
    units = {unit.code: unit for unit in book.units}
    areas, services = {a.code for a in book.areas}, {s.code for s in book.services}
    yield from _unknown(kind, "territory", book.routing.territory, roles)
    for role in book.routing.roles:
        at = f"roles[{role.code}]"
        for index, holder in enumerate(role.holders):
            where = f"{at}.holders[{index}]"
            yield from _unknown(kind, f"{where}.unit", holder.unit, units)
            yield from _unknown(kind, f"{where}.area", holder.area, areas)
            yield from _unknown(kind, f"{where}.service", holder.service, services)
            unit = units.get(holder.unit)
            if unit and role.code == book.routing.territory and unit.kind is not UnitKind.STREET:
                reason = f"'{unit.code}' is no street office"
                yield Flaw(kind, f"{where}.unit", reason, "a street office answers for a territory")
        same = (f"{h.area}, {h.asset}, {h.service}" for h in role.holders)
        for case in repeated(same):
            reason = f"two units hold it for the same area, asset, service ({case})"
            yield Flaw(kind, f"{at}.holders", reason, "one unit is accountable: keep one")
        yield from _unknown(kind, f"{at}.otherwise", role.otherwise, {*roles, *units})
        if _goes_round(role, roles):
            yield Flaw(kind, f"{at}.otherwise", "leads back to itself", "end at a unit or a role")


def _goes_round(role: Role, roles: dict[str, Role]) -> bool:
    seen, at = {role.code}, role.otherwise
    while at in roles:
        if at in seen:
            return True
        seen.add(at)
        at = roles[at].otherwise
    return False


def _calendar(book: Rulebook) -> Iterator[Flaw]:
    kind, calendar = "calendar", book.calendar
    try:
        ZoneInfo(calendar.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        reason = f"{calendar.time_zone!r} is not in the IANA database"
        yield Flaw(kind, "time_zone", reason, "such as Asia/Shanghai")
    for name, hours in (*calendar.week.items(), ("make_up_hours", calendar.make_up_hours)):
        if _in_disorder(hours):
            yield Flaw(kind, str(name), "spans overlap or are out of order", "list them by time")
    if not any(calendar.week.values()):
        yield Flaw(kind, "week", "nobody ever works", "give at least one day its hours")
    yield from _twice(kind, "years", (str(year.year) for year in calendar.years))
    for year in calendar.years:
        off = set()
        for index, holiday in enumerate(year.holidays):
            at = f"years[{year.year}].holidays[{index}]"
            days = (holiday.last - holiday.first).days
            if days < 0:
                yield Flaw(kind, at, "ends before it begins", "first and last day, both included")
            if year.year not in (holiday.first.year, holiday.last.year):
                yield Flaw(kind, at, f"does not lie in {year.year}", "put it under its year")
            off |= {holiday.first + timedelta(days=n) for n in range(days + 1)}
        for day in year.make_up:
            at = f"years[{year.year}].make_up[{day}]"
            if day in off:
                yield Flaw(kind, at, "is a holiday too", "it is either worked or free")
            if calendar.week.get(WEEKDAYS[day.weekday()]):
                yield Flaw(kind, at, "is worked anyway", "list weekend days only")


def _in_disorder(hours: Hours) -> bool:
    return any(later.start < sooner.end for sooner, later in pairwise(hours))


def _earning(book: Rulebook) -> Iterator[Flaw]:
    kind, rules = "earning", book.earning.rules
    yield from _twice(kind, "rules", (rule.code for rule in rules))
    services = {s.code for s in book.services}
    conditions = {c.code for s in book.services for c in s.conditions}
    areas = {a.code for a in book.areas}
    for rule in rules:
        at = f"rules[{rule.code}]"
        for codes, known, field in (
            (rule.services, services, "services"),
            (rule.conditions, conditions, "conditions"),
            (rule.areas, areas, "areas"),
        ):
            for code in codes:
                yield from _unknown(kind, f"{at}.{field}", code, known)
        if rule.first and rule.last and rule.last <= rule.first:
            yield Flaw(kind, at, "ends before it begins", "give a later 'last'")
    yield from _twice(kind, "acts", (act.code for act in book.earning.acts))
    yield from _twice(kind, "honours", (honour.code for honour in book.earning.honours))
    yield from _twice(kind, "bonuses", (bonus.role for bonus in book.earning.bonuses))
    for bonus in book.earning.bonuses:
        for code in bonus.services:
            yield from _unknown(kind, f"bonuses[{bonus.role}].services", code, services)
    caps = book.earning.caps
    if caps.rider_day and caps.rider_month and caps.rider_month < caps.rider_day:
        reason = f"{caps.rider_month} a month is less than {caps.rider_day} a day"
        yield Flaw(kind, "caps", reason, "give the month at least what a day has")
