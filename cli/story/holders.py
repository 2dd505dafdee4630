"""Who answers for a report by the rules, for a story that knows its areas. Pure."""

from __future__ import annotations

from contracts.case import UnitKind
from contracts.rulebook import Condition, Rulebook
from services.router.responsibility import Responsibility, Where


def handler(book: Rulebook, service: str, area: str | None) -> str:
    """The unit that answers for this kind of thing there; the triage desk where nobody does."""
    found = next(s for s in book.services if s.code == service)
    return _unit(book, found.default.accountable or found.accountable, service, area) or desk(book)


def first_holder(book: Rulebook, service: str | None, area: str | None) -> str:
    """The unit that the rules give a report to first."""
    found = book.service(service)
    areas = {a.code for a in book.areas}
    if found is None or area not in areas:
        return desk(book)
    if (found.first_holder or mode(book, area)) is UnitKind.STREET:
        return _unit(book, book.routing.territory, found.code, area) or desk(book)
    return handler(book, found.code, area)


def helpers(book: Rulebook, service: str | None, area: str | None, holder: str) -> tuple[str, ...]:
    """The units that help the one that handles this kind of thing there."""
    found = book.service(service)
    if found is None:
        return ()
    refs = found.supporting if found.default.supporting is None else found.default.supporting
    units = (_unit(book, ref, found.code, area) for ref in refs)
    return tuple(dict.fromkeys(unit for unit in units if unit and unit != holder))


def mode(book: Rulebook, area: str | None) -> UnitKind:
    """Who takes orders first in an area."""
    said = {m.area: m.first_holder for m in book.routing.modes}
    holds = (said[at] for at in (*book.inside(area), None) if at in said)
    return next(holds, UnitKind.STREET)


def desk(book: Rulebook) -> str:
    """Where people decide what no rule could."""
    return next(unit.code for unit in book.units if unit.kind is UnitKind.TRIAGE)


def condition_of(book: Rulebook, service: str) -> Condition:
    """The condition that a report of this kind is taken for."""
    return next(s.default for s in book.services if s.code == service)


def _unit(book: Rulebook, ref: str, service: str, area: str | None) -> str | None:
    where = Where(book.inside(area), None, service)
    found = Responsibility(book.units, book.routing.roles).resolve(ref, where).unit
    return found.code if found else None
