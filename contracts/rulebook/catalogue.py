"""The catalogue: what can be reported, and exactly which state of it makes a case.

Two levels above the condition, as in the handling standards of cities: big class, small class. A
small class is what a reporter picks (an Open311 service); the **condition** carries the limit.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.account import Points
from contracts.case import UnitKind
from contracts.envelope import Id, ServiceCode
from contracts.rulebook.parts import DocumentBase, Named, Part, Ref, Within


class ReportKind(StrEnum):
    """What kind of thing is reported. The first two are hazards."""

    COMPONENT = "component"
    """A fixed thing with an owner: a cover, a lamp, a tree."""
    OCCURRENCE = "occurrence"
    """Something that happens: litter, parking."""
    NEED = "need"
    PROBLEM = "problem"
    OPINION = "opinion"


class Evidence(StrEnum):
    """What a reporter, or a handler, is asked to show."""

    NEAR = "near"
    FAR = "far"
    REFERENCE = "reference"
    """With something beside it by which the place is known again."""
    BEFORE = "before"
    AFTER = "after"
    """From the same spot as before: the proof of handling."""
    DOCUMENT = "document"
    SCREENSHOT = "screenshot"


class Choice(Part):
    """One answer to choose."""

    key: Id
    name: Named


class Question(Part):
    """Something more that the reporter is asked: an attribute of Open311."""

    code: Id
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    description: Named
    required: bool = False
    variable: bool = True
    """False for a text that is only shown."""
    datatype_description: Named | None = None
    values: tuple[Choice, ...] = ()


class Duplicates(Part):
    """When a report of the same condition is about the same thing."""

    radius_metres: Annotated[int, Field(gt=0, le=5000)] = 30
    window_hours: Annotated[int, Field(gt=0, le=24 * 366)] = 72


class Condition(Part):
    """The exact state that makes a case."""

    code: Id
    name: Named
    opens_when: Named
    closes_when: Named
    """What must be true on the spot."""
    limit: Within
    """From dispatch to the unit that handles, until it is resolved."""
    points: Points
    """What a verified report earns, where no earning rule says otherwise."""
    evidence: tuple[Evidence, ...] = (Evidence.NEAR,)
    after_photo: bool = False
    """Whether the handler must show a photo of afterwards."""
    questions: tuple[Question, ...] = ()
    accountable: Ref | None = None
    """Who answers for it, where that is not who answers for the whole service."""
    supporting: tuple[Ref, ...] | None = None
    """Who helps; None for those of the service."""
    verified_by: Ref | None = None
    """Who verifies the result, where that is not the inspection of the routing document."""
    check_before_open: bool = False
    """Whether somebody looks before a case is opened."""
    duplicates: Duplicates | None = None
    """Where given, instead of the catalogue's."""
    source: str = ""
    """Where it comes from, such as a row of a published standard."""


class Service(Part):
    """A small class: what a reporter picks, such as exposed garbage."""

    code: ServiceCode
    kind: ReportKind = ReportKind.OCCURRENCE
    big_class: Id
    small_class: Id | None = None
    """Its code in the standard; text with leading zeros."""
    name: Named
    description: Named | None = None
    accountable: Ref
    """A unit, or a relative role such as the street it lies in."""
    supporting: tuple[Ref, ...] = ()
    first_holder: UnitKind | None = None
    """Where given, overrides the mode of the area."""
    opens_case: bool = True
    """False for what is only recorded."""
    keywords: tuple[str, ...] = ()
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    default_condition: Id | None = None
    """Holds until somebody says which one it is; the first one where not given."""

    @property
    def default(self) -> Condition:
        """The condition of a report that names the service only."""
        named = (c for c in self.conditions if c.code == self.default_condition)
        return next(named, self.conditions[0])


class BigClass(Part):
    """The upper level of the catalogue."""

    code: Id
    name: Named
    kind: ReportKind | None = None
    """What it gathers, where that is one kind only."""


class Catalogue(DocumentBase):
    """What can be reported."""

    kind: Literal["catalogue"]
    big_classes: tuple[BigClass, ...]
    services: tuple[Service, ...]
    duplicates: Duplicates = Duplicates()
    """Where a condition says nothing of its own."""
