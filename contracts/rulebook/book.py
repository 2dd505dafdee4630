"""The five documents together, and which of them are in force at a moment."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from functools import cached_property
from typing import Annotated, Final

from pydantic import Field

from contracts.rulebook.calendar import Calendar
from contracts.rulebook.catalogue import Catalogue, Condition, Service
from contracts.rulebook.earning import Earning
from contracts.rulebook.parts import DocumentKind, Part
from contracts.rulebook.places import Area, Places
from contracts.rulebook.routing import Intake, Platform, Routing, Unit

Document = Annotated[Catalogue | Places | Routing | Calendar | Earning, Field(discriminator="kind")]
"""One rule document of any kind."""

KINDS: Final = tuple(DocumentKind)


class Rulebook(Part):
    """All the rules of a district: five documents, each with a version of its own."""

    catalogue: Catalogue
    places: Places
    routing: Routing
    calendar: Calendar
    earning: Earning

    @property
    def name(self) -> str:
        """The district's short name."""
        return self.routing.rulebook

    @cached_property
    def label(self) -> str:
        """As decisions record it: `<name>@<catalogue>.<places>.<routing>.<calendar>.<earning>`."""
        return f"{self.name}@{'.'.join(str(document.version) for document in self.documents)}"

    @property
    def documents(self) -> tuple[Document, ...]:
        """The five, in the order of the label."""
        return (self.catalogue, self.places, self.routing, self.calendar, self.earning)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Who can hold a case, or verifies."""
        return self.routing.units

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """Who hands reports in."""
        return self.routing.platforms

    @property
    def areas(self) -> tuple[Area, ...]:
        """The territory, piece by piece."""
        return self.places.features

    @property
    def services(self) -> tuple[Service, ...]:
        """What can be picked by a reporter."""
        return self.catalogue.services

    @property
    def intake(self) -> Intake:
        """What intake takes on."""
        return self.routing.intake

    @property
    def time_zone(self) -> str:
        """The district's."""
        return self.calendar.time_zone

    def service(self, code: str | None) -> Service | None:
        """The service of that code."""
        found = self.by_service.get(code or "")
        return found[0] if found else None

    def condition(
        self, service_code: str | None, condition_code: str | None
    ) -> tuple[Service, Condition] | None:
        """The condition, or the default one of the service where only that is known."""
        return self.by_condition.get(condition_code or "") or self.by_service.get(
            service_code or ""
        )

    @cached_property
    def by_condition(self) -> dict[str, tuple[Service, Condition]]:
        """Every condition by its code, with its service."""
        return {c.code: (service, c) for service in self.services for c in service.conditions}

    @cached_property
    def by_service(self) -> dict[str, tuple[Service, Condition]]:
        """Every service by its code, with its default condition."""
        return {service.code: (service, service.default) for service in self.services}

    @cached_property
    def parents(self) -> dict[str, str | None]:
        """What each area says it is part of."""
        return {area.code: area.parent for area in self.areas}

    def inside(self, area: str | None) -> tuple[str, ...]:
        """The area and what it is part of, from the smallest to the largest."""
        found: list[str] = []
        while area is not None and area not in found:
            found.append(area)
            area = self.parents.get(area)
        return tuple(found)


class Published:
    """The documents that were published so far, in order."""

    def __init__(self, documents: tuple[Document, ...] = ()) -> None:
        self.documents = documents
        self._starts = sorted({document.effective_from for document in documents})
        """Between two of these the rules do not change."""
        self._books: dict[int, Rulebook | None] = {}

    def and_then(self, document: Document) -> Published:
        """One more is published."""
        return Published((*self.documents, document))

    def at(self, moment: datetime) -> Rulebook | None:
        """The rules that hold at a moment: of each kind, of those in effect, the last published.

        None until all five kinds are in effect.
        """
        since = bisect_right(self._starts, moment)
        if since not in self._books:
            self._books[since] = self._put_together(moment)
        return self._books[since]

    def _put_together(self, moment: datetime) -> Rulebook | None:
        there = [d for d in reversed(self.documents) if d.effective_from <= moment]
        parts: dict[str, Document] = {}
        for document in there:
            if document.rulebook == there[0].rulebook:
                parts.setdefault(document.kind, document)
        return Rulebook.model_validate(parts) if len(parts) == len(KINDS) else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Published) and other.documents == self.documents

    def __hash__(self) -> int:
        return hash(tuple((d.rulebook, d.kind, d.version) for d in self.documents))


def in_force(published: Published, at: datetime) -> Rulebook | None:
    """The rulebook that holds at a moment."""
    return published.at(at)


NONE_PUBLISHED: Final = Published()
"""What is published before anything is."""
