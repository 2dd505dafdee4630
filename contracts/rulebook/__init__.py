"""Stream `rulebook.<name>`: the versioned rule documents. Written by router.

    catalogue   what can be reported; the condition carries limit, evidence, points
    places      areas as GeoJSON, from the district down to the grid cell
    routing     units, relative roles, modes of areas, what everybody is held to
    calendar    working hours, holidays and make-up days by year, time zone
    earning     what is earned beyond a condition's points, limits, acts, and when it ends

Each is a document with a version and a moment from which it holds. A document travels whole in
its fact, so the log alone can judge an old decision again.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from contracts.envelope import TOKEN, Command, Fact, Id, Recorded
from contracts.rulebook.book import (
    NONE_PUBLISHED,
    Document,
    Published,
    Rulebook,
    in_force,
)
from contracts.rulebook.calendar import WEEKDAYS, Calendar, Holiday, Span, Weekday, Year
from contracts.rulebook.catalogue import (
    BigClass,
    Catalogue,
    Choice,
    Condition,
    Duplicates,
    Evidence,
    Question,
    ReportKind,
    Service,
)
from contracts.rulebook.check import contradictions
from contracts.rulebook.compare import Change, changes
from contracts.rulebook.earning import Act, Caps, Earning, EarningRule, Honour, RoleBonus, Split
from contracts.rulebook.parts import DocumentKind, Flaw, Limit, LimitUnit
from contracts.rulebook.places import (
    Area,
    AreaLevel,
    AreaProperties,
    MultiPolygon,
    Places,
    Polygon,
)
from contracts.rulebook.pruning import also_wrong
from contracts.rulebook.reading import path_of, read_documents
from contracts.rulebook.routing import (
    Appeal,
    EscalationStep,
    Extensions,
    Handling,
    Holder,
    Intake,
    Mode,
    Platform,
    Role,
    Routing,
    Suspension,
    Unit,
    Verification,
)

__all__ = [
    "NONE_PUBLISHED",
    "WEEKDAYS",
    "Act",
    "Appeal",
    "Area",
    "AreaLevel",
    "AreaProperties",
    "BigClass",
    "Calendar",
    "Caps",
    "Catalogue",
    "Change",
    "Choice",
    "Condition",
    "Document",
    "DocumentKind",
    "Duplicates",
    "Earning",
    "EarningRule",
    "EscalationStep",
    "Evidence",
    "Extensions",
    "Flaw",
    "Handling",
    "Holder",
    "Holiday",
    "Honour",
    "Intake",
    "Limit",
    "LimitUnit",
    "Mode",
    "MultiPolygon",
    "Places",
    "Platform",
    "Polygon",
    "PublishRulebook",
    "Published",
    "Question",
    "ReportKind",
    "Role",
    "RoleBonus",
    "Routing",
    "Rulebook",
    "RulebookPublished",
    "RulebookRefusal",
    "Service",
    "Span",
    "Split",
    "Suspension",
    "Unit",
    "Verification",
    "Weekday",
    "Year",
    "also_wrong",
    "changes",
    "contradictions",
    "gathered",
    "in_force",
    "path_of",
    "read_documents",
]


class RulebookRefusal(StrEnum):
    """Why router refuses rule documents."""

    VERSION_NOT_NEWER = "version_not_newer"
    NOT_VALID = "not_valid"
    NOT_COMPLETE = "not_complete"
    """The first documents of a rulebook come together: all five kinds."""


class PublishRulebook(Command, room="router"):
    """Put rule documents in force: all of them, or none."""

    document: dict[str, Any]
    """Documents by kind, in the shape of Rulebook; kinds left out stay as they are. Refused as a
    whole with every error listed."""

    @property
    def name(self) -> str:
        """The rulebook that its documents name; `unnamed` where they do not."""
        for document in self.document.values():
            given = document.get("rulebook") if isinstance(document, dict) else None
            if isinstance(given, str) and re.fullmatch(TOKEN, given):
                return given
        return "unnamed"


class RulebookPublished(Fact, stream="rulebook"):
    """These rules are in force from `document.effective_from` on."""

    name: Id
    kind: DocumentKind
    version: int
    digest: str
    """SHA-256 of the canonical JSON of the document."""
    document: Document


def gathered(published: Published, fact: Recorded) -> Published:
    """The documents published so far, one more where the fact publishes one."""
    match fact.body:
        case RulebookPublished(document=document):
            return published.and_then(document)
        case _:
            return published
