"""The routing: units, relative roles, modes of areas, and what everybody is held to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.case import UnitKind
from contracts.envelope import Id, PartyId, ServiceCode, UnitCode
from contracts.rulebook.parts import DocumentBase, Limit, LimitUnit, Named, Part, Ref, Within


class Unit(Part):
    """A party that can hold a case, or that verifies."""

    code: UnitCode
    kind: UnitKind
    name: Named
    language: Literal["zh", "en"] = "zh"


class Platform(Part):
    """A rider platform that hands in reports."""

    code: PartyId
    name: Named


class Holder(Part):
    """Who a role is, where all that is given here fits. What says more goes before."""

    unit: UnitCode
    area: Id | None = None
    """In this area and what is part of it."""
    asset: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """For assets whose id begins so: county, big class, small class, number."""
    service: ServiceCode | None = None
    """For this kind of thing."""


class Role(Part):
    """A unit that follows from the place and the asset: "the street it lies in"."""

    code: Id
    name: Named
    aliases: tuple[str, ...] = ()
    """How published standards write it."""
    holders: tuple[Holder, ...]
    otherwise: Ref | None = None
    """Who it is where nobody holds it: the ownerless falls to the territory. None: triage."""


class Mode(Part):
    """Who takes the order first in an area and its parts."""

    first_holder: UnitKind = UnitKind.STREET
    area: Id | None = None
    """None for everywhere that no other mode is said for."""


class EscalationStep(Part):
    """One step of escalation: reached by whatever comes first."""

    level: Annotated[int, Field(ge=1, le=9)]
    returns: Annotated[int, Field(gt=0)] | None = None
    reworks: Annotated[int, Field(gt=0)] | None = None
    transfers: Annotated[int, Field(gt=0)] | None = None
    overdue: Within | None = None
    """So long after it was due."""
    told: tuple[Ref, ...] = ()


class Extensions(Part):
    """More time, asked for and granted before it is due."""

    most: Annotated[int, Field(ge=0, le=10)] = 2
    longest: Annotated[int, Field(gt=0, le=10)] = 1
    """How many original limits one extension may add."""


class Suspension(Part):
    """The clock stopped for a season or for building work."""

    most: Annotated[int, Field(ge=0, le=10)] = 1
    longest_days: Annotated[int, Field(gt=0, le=366)] = 365


class Appeal(Part):
    """Lateness excused afterwards: it leaves the statistic, never the fact."""

    within_days: Annotated[int, Field(gt=0)] = 30
    reviewers: Annotated[int, Field(ge=1, le=5)] = 2


class Handling(Part):
    """What holders are held to, and what they may ask for."""

    dispatch_limit: Within = Limit(amount=4, unit=LimitUnit.URGENT_HOUR)
    """A street office or the triage desk: until it dispatches, handles or closes."""
    accept_limit: Within = Limit(amount=2, unit=LimitUnit.WORK_HOUR)
    """From dispatch until the unit has accepted."""
    check_limit: Within = Limit(amount=4, unit=LimitUnit.URGENT_HOUR)
    """A check before opening."""
    warn_at_percent: Annotated[int, Field(gt=0, lt=100)] = 75
    """Of the limit used up, when the holder is warned."""
    extensions: Extensions = Extensions()
    suspension: Suspension = Suspension()
    contest_days: Annotated[int, Field(gt=0)] = 15
    """After closing, while the reporter may say that it is not done."""
    reopen_days: Annotated[int, Field(gt=0)] = 90
    appeal: Appeal = Appeal()


class Intake(Part):
    """What intake takes on."""

    text_limit: Annotated[int, Field(gt=0)] = 4000
    """Characters."""
    oldest_days: Annotated[int, Field(gt=0)] = 30
    future_minutes: Annotated[int, Field(ge=0)] = 10
    """How far the rider's clock may be ahead of ours."""


class Verification(Part):
    """Who verifies results, where a condition says nothing else."""

    by: Ref


class Routing(DocumentBase):
    """Who answers for what."""

    kind: Literal["routing"]
    units: tuple[Unit, ...]
    platforms: tuple[Platform, ...]
    territory: Id
    """The role that answers for a place as such: the street office it lies in."""
    roles: tuple[Role, ...]
    modes: tuple[Mode, ...] = (Mode(),)
    escalation: tuple[EscalationStep, ...] = (EscalationStep(level=1, returns=3, reworks=3),)
    verification: Verification
    handling: Handling = Handling()
    intake: Intake = Intake()
