"""A rulebook made ready for deciding: looked up by code, by place and by asset. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.case import UnitKind
from contracts.envelope import Words
from contracts.rulebook import Condition, Duplicates, Rulebook, Service, Unit
from services.router.calendar import WorkCalendar
from services.router.clock import WorkingTime
from services.router.places import Places
from services.router.responsibility import Resolution, Responsibility, Where


@dataclass(frozen=True, slots=True)
class Filed:
    """A condition with the service that it is a state of."""

    service: Service
    condition: Condition

    @property
    def accountable(self) -> str:
        """The unit or role that answers for it."""
        return self.condition.accountable or self.service.accountable

    @property
    def supporting(self) -> tuple[str, ...]:
        """The units and roles that help."""
        own = self.condition.supporting
        return self.service.supporting if own is None else own


class Rules:
    """What the decisions of this room look up."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.label = book.label
        self.places = Places(book.places)
        self.calendar = WorkCalendar(book.calendar)
        self.time = WorkingTime(self.calendar)
        self.handling = book.routing.handling
        self.escalation = book.routing.escalation
        self.services: dict[str, Service] = {s.code: s for s in book.services}
        self.conditions: dict[str, Filed] = {
            condition.code: Filed(service, condition)
            for service in book.services
            for condition in service.conditions
        }
        self._defaults = {s.code: self.conditions[s.default.code] for s in book.services}
        self.responsibility = Responsibility(book.units, book.routing.roles)
        self.units = self.responsibility.units
        self.territory = book.routing.territory
        self.triage = next(u for u in book.units if u.kind is UnitKind.TRIAGE)
        self.widest = max(
            self.duplicates(filed.condition).radius_metres for filed in self.conditions.values()
        )
        """Metres within which a report may be about the same thing, whatever its condition."""
        self._modes = {mode.area: mode.first_holder for mode in book.routing.modes}

    def filed(self, service_code: str | None, condition: str | None = None) -> Filed | None:
        """The condition; the default one of the service where only that is known."""
        return self.conditions.get(condition or "") or self._defaults.get(service_code or "")

    def duplicates(self, condition: Condition) -> Duplicates:
        """When another report of the condition is about the same thing."""
        return condition.duplicates or self.book.catalogue.duplicates

    def same_thing(self, condition: str) -> Duplicates | None:
        """The same, by the condition's code; None where the rulebook does not know it."""
        filed = self.conditions.get(condition)
        return self.duplicates(filed.condition) if filed else None

    def mode(self, areas: tuple[str, ...]) -> tuple[UnitKind, str | None]:
        """Who takes the order first there, and the area for which that is said."""
        for area in (*areas, None):
            if found := self._modes.get(area):
                return found, area
        return UnitKind.STREET, None

    def resolve(
        self,
        ref: str,
        area: str | None = None,
        *,
        asset: str | None = None,
        service: str | None = None,
    ) -> Resolution:
        """The unit that a unit or role means at a place."""
        where = Where(self.places.chain(area), asset, service)
        return self.responsibility.resolve(ref, where)

    def verifier(self, filed: Filed | None, area: str | None, asset: str | None = None) -> Unit:
        """Who says whether it is done; the house's inspection where nobody nearer does."""
        ref = (filed and filed.condition.verified_by) or self.book.routing.verification.by
        service = filed.service.code if filed else None
        found = self.resolve(ref, area, asset=asset, service=service).unit
        return found or self.units[self.book.routing.verification.by]

    def name_of(self, ref: str) -> Words:
        """The name of a unit or role; its code where the rulebook does not know it."""
        return self.responsibility.name_of(ref)
