"""The earning rules: what a verified report earns, beyond what its condition says."""

from __future__ import annotations

from typing import Literal

from contracts.account import Points
from contracts.envelope import Id, ServiceCode, Time
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


class Earning(DocumentBase):
    """What is earned."""

    kind: Literal["earning"]
    rules: tuple[EarningRule, ...] = ()
    """Before the points that a condition carries."""
