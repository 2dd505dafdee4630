"""A rulebook made ready for deciding: looked up by code and by place. Pure."""

from __future__ import annotations

from contracts.case import UnitKind
from contracts.envelope import Words
from contracts.rulebook import Rulebook, Service, Unit
from services.router.places import Places


class Rules:
    """What the decisions of this room look up."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.label = book.label
        self.places = Places(book)
        self.services: dict[str, Service] = {s.code: s for s in book.services}
        self.units: dict[str, Unit] = {u.code: u for u in book.units}
        self.triage = next(u for u in book.units if u.kind is UnitKind.TRIAGE)

    def name_of(self, unit: str) -> Words:
        """The unit's name, or its code where the rulebook does not know it."""
        known = self.units.get(unit)
        return known.name if known else Words(zh=unit, en=unit)
