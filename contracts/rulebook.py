"""Stream `rulebook.<name>`: the versioned rule documents. Written by router.

The document travels whole in the fact, so the log alone can judge an old decision again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

from contracts.account import Points
from contracts.case import UnitKind
from contracts.envelope import (
    TOKEN,
    Command,
    Datum,
    Fact,
    Id,
    PartyId,
    Recorded,
    ServiceCode,
    Time,
    UnitCode,
    Words,
)


class RulebookRefusal(StrEnum):
    """Why router refuses a rulebook."""

    VERSION_NOT_NEWER = "version_not_newer"
    NOT_VALID = "not_valid"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unit(_Part):
    """A party that can hold a case, or that verifies."""

    code: UnitCode
    kind: UnitKind
    name: Words
    language: Literal["zh", "en"] = "zh"


class Platform(_Part):
    """A rider platform that hands in reports."""

    code: PartyId
    name: Words


Ring = Annotated[tuple[tuple[float, float], ...], Field(min_length=4)]
"""A closed ring of [longitude, latitude], degrees."""


class Area(_Part):
    """A piece of territory and the street office that answers for it."""

    code: Id
    name: Words
    street: UnitCode
    first_holder: UnitKind = UnitKind.STREET
    """Who takes the order first here: the street office, or the department directly."""
    polygon: Ring


class Service(_Part):
    """A kind of hazard (or need, problem, opinion) that can be reported."""

    code: ServiceCode
    name: Words
    group: Words
    department: UnitCode
    limit_hours: Annotated[int, Field(gt=0, le=24 * 366)]
    """Hours from dispatch until it must be resolved; they run through nights and holidays."""
    points: Points
    first_holder: UnitKind | None = None
    """Where given, overrides the area's."""
    opens_case: bool = True
    """False for what is only recorded, such as an opinion."""
    keywords: tuple[str, ...] = ()


class Escalation(_Part):
    """How many times before somebody above must look."""

    returns: Annotated[int, Field(gt=0)] = 3
    reworks: Annotated[int, Field(gt=0)] = 3


class Dispatch(_Part):
    """What dispatchers (street offices, the triage desk) are held to."""

    limit_hours: Annotated[int, Field(gt=0)] = 4
    """Hours until the order must be handed to a department or handled."""


class Intake(_Part):
    """What intake takes on."""

    text_limit: Annotated[int, Field(gt=0)] = 4000
    """Characters."""
    oldest_days: Annotated[int, Field(gt=0)] = 30
    future_minutes: Annotated[int, Field(ge=0)] = 10
    """How far the rider's clock may be ahead of ours."""


class Verification(_Part):
    """Who verifies results."""

    by: UnitCode


class Rulebook(_Part):
    """One rule document: the catalogue, the places, who answers for what, what it earns."""

    name: Id
    version: Annotated[int, Field(gt=0)]
    effective_from: Time
    time_zone: str
    datum: Datum = Datum.WGS84
    """Of the polygons."""
    title: Words
    units: tuple[Unit, ...]
    platforms: tuple[Platform, ...]
    areas: tuple[Area, ...]
    services: tuple[Service, ...]
    escalation: Escalation = Escalation()
    verification: Verification
    dispatch: Dispatch = Dispatch()
    intake: Intake = Intake()

    @property
    def label(self) -> str:
        """`<name>@<version>`, as decisions record it."""
        return f"{self.name}@{self.version}"


def contradictions(book: Rulebook) -> list[str]:
    """What keeps a document from being put in force: references to nothing, codes used twice.

    Asked before publishing, not when reading: what was in force once can always be read.
    """
    errors: list[str] = []
    try:
        ZoneInfo(book.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        errors.append(f"time_zone: {book.time_zone!r} is not in the IANA database")
    for what, codes in (
        ("units", [u.code for u in book.units] + [p.code for p in book.platforms]),
        ("areas", [a.code for a in book.areas]),
        ("services", [s.code for s in book.services]),
    ):
        errors += [
            f"{what}: code {c!r} is used twice"
            for c in sorted({c for c in codes if codes.count(c) > 1})
        ]
    kinds = {u.code: u.kind for u in book.units}
    if list(kinds.values()).count(UnitKind.TRIAGE) != 1:
        errors.append("units: exactly one unit must be of kind 'triage'")
    for area in book.areas:
        if kinds.get(area.street) is not UnitKind.STREET:
            errors.append(
                f"areas[{area.code}].street: {area.street!r} is not a street office in units"
            )
        if area.polygon[0] != area.polygon[-1]:
            errors.append(
                f"areas[{area.code}].polygon: the ring is not closed; end it with its first point"
            )
    for service in book.services:
        if kinds.get(service.department) is not UnitKind.DEPARTMENT:
            errors.append(
                f"services[{service.code}].department: {service.department!r} is no department"
            )
    if kinds.get(book.verification.by) is not UnitKind.INSPECTION:
        errors.append(
            f"verification.by: {book.verification.by!r} is not an inspection unit in units"
        )
    return errors


NONE_PUBLISHED: Final[tuple[Rulebook, ...]] = ()
"""What is published before anything is."""


def in_force(published: Sequence[Rulebook], at: datetime) -> Rulebook | None:
    """The rulebook that holds at a moment: of those in effect by then, the one published last."""
    for book in reversed(published):
        if book.effective_from <= at:
            return book
    return None


def gathered(published: tuple[Rulebook, ...], fact: Recorded) -> tuple[Rulebook, ...]:
    """The rulebooks published so far, one more where the fact publishes one."""
    match fact.body:
        case RulebookPublished(document=book):
            return (*published, book)
        case _:
            return published


class PublishRulebook(Command, room="router"):
    """Put a rulebook in force."""

    document: dict[str, Any]
    """In the shape of Rulebook; refused as a whole with every error listed."""

    @property
    def name(self) -> str:
        """The name that the document gives itself; `unnamed` where that is none."""
        given = self.document.get("name")
        return given if isinstance(given, str) and re.fullmatch(TOKEN, given) else "unnamed"


class RulebookPublished(Fact, stream="rulebook"):
    """These rules are in force from `document.effective_from` on."""

    name: Id
    version: int
    digest: str
    """SHA-256 of the canonical JSON of the document."""
    document: Rulebook
