"""What a report is worth to a rider now, and why not more: the one place that works it out. Pure.

The same function awards, explains (`waggle examine`) and recomputes an old entry from its inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from contracts.account import (
    AwardPoints,
    CapName,
    Counted,
    Inputs,
    Standing,
)
from contracts.party import RoleName
from services.points.account import Account
from services.points.caps import Shared, Totals
from services.points.earning import Earned, earned
from services.points.rules import Rules

_LOTS: Final = UUID("5b6d5f0e-6f5e-5d4b-9d0f-2a4f0c7f6f11")
"""The name space of lots."""


@dataclass(frozen=True, slots=True)
class Share:
    """One entry that follows: by its rule, or as a role's bonus."""

    rule: str
    points: int
    full: int
    """What it would be without limits."""
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Worth:
    """What a report is worth."""

    earned: Earned
    inputs: Inputs
    """Of the report's own share."""
    shares: tuple[Share, ...]
    caps: tuple[CapName, ...]
    """What left nothing; empty where points are left."""

    @property
    def points(self) -> int:
        """All shares together."""
        return sum(share.points for share in self.shares)


def shared_caps(award: AwardPoints, at: datetime, rules: Rules) -> tuple[Shared, ...]:
    """The limits of the rules that this award shares with others."""
    caps = rules.earning.caps
    found: list[Shared] = []
    if caps.place_day is not None and award.area is not None:
        day = rules.day(award.reported_at or at)
        found.append(Shared(CapName.PLACE_DAY, f"{award.area} {day}"))
    if caps.cluster_percent is not None:
        found.append(Shared(CapName.CLUSTER, award.case_id))
    return tuple(found)


def worth(
    award: AwardPoints, account: Account, totals: Totals, at: datetime, rules: Rules
) -> Worth | None:
    """What a report earns a rider at a moment; None where no rule knows what it is about.

    The rule by the condition or the earning rules; the share by standing; the bonus by the role
    held when it was reported; all of it within the limits, the smallest one counts.
    """
    base = earned(rules.book, award.service_code, award.condition, award.area, at)
    if base is None:
        return None
    reported_at = award.reported_at or at
    percent = 100 if award.standing is Standing.FIRST else rules.earning.split.percent
    inputs = Inputs(
        reported_at=reported_at,
        day=rules.day(reported_at),
        standing=award.standing,
        place=award.place,
        area=award.area,
        base=base.points,
        percent=percent,
        counted=tuple(_counted(award, account, totals, base, reported_at, rules)),
    )
    closed = tuple(_closed(award, account, rules))
    shares = [_share(base.rule, inputs)]
    for bonus in rules.earning.bonuses:
        if _entitled(bonus.role, award, base, reported_at, rules):
            more = inputs.model_copy(
                update={
                    "base": shares[0].full,
                    "percent": bonus.percent,
                    "role": bonus.role,
                    "counted": _later(inputs.counted, sum(share.points for share in shares)),
                }
            )
            shares.append(_share(f"role:{bonus.role}", more))
    full = tuple(c.cap for c in inputs.counted if c.before >= c.limit)
    return Worth(base, inputs, tuple(shares) if not closed else (), (*closed, *full))


def full_by(inputs: Inputs) -> int:
    """The share without limits: rounded down, and a point at least."""
    return max(1, inputs.base * inputs.percent // 100)


def points_by(inputs: Inputs) -> int:
    """The points that follow from an entry's inputs alone: how every award is recomputed."""
    return min([full_by(inputs), *(max(0, c.limit - c.before) for c in inputs.counted)])


def lot_id(ground: str, rule: str, rider: str) -> str:
    """The lot of an earn: UUIDv5 of what it is for, the rule and the rider (invariant L4)."""
    return uuid5(_LOTS, f"{ground}\n{rule}\n{rider}").hex


def _share(rule: str, inputs: Inputs) -> Share:
    return Share(rule, points_by(inputs), full_by(inputs), inputs)


def _closed(award: AwardPoints, account: Account, rules: Rules) -> Iterator[CapName]:
    """What leaves nothing whatever the points are."""
    if award.case_id in account.cases:
        yield CapName.ONCE_A_CASE
    if award.standing is Standing.CONFIRMER and award.place > rules.earning.split.confirmers:
        yield CapName.CONFIRMERS


def _counted(
    award: AwardPoints,
    account: Account,
    totals: Totals,
    base: Earned,
    reported_at: datetime,
    rules: Rules,
) -> Iterator[Counted]:
    """Each limit that holds here, with what it had counted."""
    caps, day = rules.earning.caps, rules.day(reported_at)
    own: Mapping[CapName, tuple[int | None, str]] = {
        CapName.RIDER_DAY: (caps.rider_day, day),
        CapName.RIDER_MONTH: (caps.rider_month, day[:7]),
    }
    for cap, (limit, period) in own.items():
        if limit is not None:
            yield Counted(cap=cap, before=account.counts.get(period, 0), limit=limit)
    for shared in shared_caps(award, reported_at, rules):
        before = totals.get(shared, 0)
        if shared.cap is CapName.PLACE_DAY and caps.place_day is not None:
            yield Counted(cap=shared.cap, before=before, limit=caps.place_day)
        elif caps.cluster_percent is not None:
            limit = base.points * caps.cluster_percent // 100
            yield Counted(cap=shared.cap, before=before, limit=limit)


def _later(counted: tuple[Counted, ...], points: int) -> tuple[Counted, ...]:
    """The limits after so many points more."""
    return tuple(c.model_copy(update={"before": c.before + points}) for c in counted)


def _entitled(
    role: RoleName, award: AwardPoints, base: Earned, reported_at: datetime, rules: Rules
) -> bool:
    """Whether a role's bonus is due: held when it was reported, for what it is about."""
    bonus = next(b for b in rules.earning.bonuses if b.role is role)
    service = rules.book.service(base.service)
    return (
        role in rules.parties.roles(award.rider_id, reported_at)
        and (not bonus.services or base.service in bonus.services)
        and (not bonus.kinds or (service is not None and service.kind in bonus.kinds))
    )
