"""The earning rules: what is earned, by whom and how much of it, when it can be spent, until when.

Everything has a default that means "no such rule", so a document says only what it wants.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.account import Points
from contracts.envelope import Id, ServiceCode, Time
from contracts.party import RoleName
from contracts.rulebook.catalogue import ReportKind
from contracts.rulebook.parts import DocumentBase, Named, Part


class EarningRule(Part):
    """Other points, where all that is given here fits. The first rule that fits counts."""

    code: Id
    """Stands for the rule in every entry, whatever its version."""
    name: Named
    points: Points
    kinds: tuple[ReportKind, ...] = ()
    services: tuple[ServiceCode, ...] = ()
    conditions: tuple[Id, ...] = ()
    areas: tuple[Id, ...] = ()
    """In these areas and their parts."""
    first: Time | None = None
    """From this moment on."""
    last: Time | None = None
    """Until this moment."""


class Split(Part):
    """What those earn who reported the same thing after others did."""

    confirmers: Annotated[int, Field(ge=0, le=100)] = 0
    """So many riders after the first one, as they came; none: only the first one earns."""
    percent: Annotated[int, Field(gt=0, le=100)] = 25
    """Of what the first one earns; at least 1 point."""


class Caps(Part):
    """Where earning ends. A day and a month are those of the report, in the district's zone."""

    rider_day: Points | None = None
    """Points of a rider for the reports of one day."""
    rider_month: Points | None = None
    place_day: Points | None = None
    """Points of everybody for the reports of one day in the smallest area they lie in."""
    cluster_percent: Annotated[int, Field(ge=100, le=10_000)] | None = None
    """Points of everybody for one case, in percent of what the first reporter earns."""


class RoleBonus(Part):
    """More, for who held a role when they reported."""

    role: RoleName
    percent: Annotated[int, Field(gt=0, le=500)]
    """Of what the report earns by its rule; at least 1 point."""
    kinds: tuple[ReportKind, ...] = ()
    services: tuple[ServiceCode, ...] = ()
    """For these kinds and services only, where any are given."""


class Act(Part):
    """A volunteer act that an officer grants points for."""

    code: Id
    name: Named
    points: Points
    per_month: Annotated[int, Field(gt=0)] | None = None
    """How often it earns a rider points in a month."""


class Honour(Part):
    """An award that an officer grants, such as rider of the month."""

    code: Id
    name: Named
    points: Points


class Earning(DocumentBase):
    """What is earned."""

    kind: Literal["earning"]
    rules: tuple[EarningRule, ...] = ()
    """Before the points that a condition carries."""
    pending_days: Annotated[int, Field(ge=0, le=365)] = 0
    """From the award until the points can be spent."""
    lifetime_days: Annotated[int, Field(gt=0, le=36_500)] | None = None
    """From then until they are gone; None: never."""
    split: Split = Split()
    caps: Caps = Caps()
    bonuses: tuple[RoleBonus, ...] = ()
    acts: tuple[Act, ...] = ()
    honours: tuple[Honour, ...] = ()
    appeal_days: Annotated[int, Field(ge=0, le=365)] = 30
    """How long a rider may contest that points were taken back."""

    def act(self, code: str) -> Act | None:
        """The act of that code."""
        return next((act for act in self.acts if act.code == code), None)

    def honour(self, code: str) -> Honour | None:
        """The honour of that code."""
        return next((honour for honour in self.honours if honour.code == code), None)
