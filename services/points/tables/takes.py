"""Rows of redemptions, and of the public ledger that names nobody. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from contracts import reward as r
from contracts.envelope import Recorded, Words
from contracts.reward import TakeStep


@dataclass(frozen=True, slots=True)
class TakeRow:
    """A redemption, and the moment that it waits for."""

    redemption_id: str
    rider_id: str
    platform: str
    item_id: str
    name: Words
    price: int
    step: TakeStep
    station: str | None
    sponsor: str | None
    period: str
    issue: int
    tries: int
    due_at: datetime | None
    """When it expires, while it is held or issued."""
    month: str | None
    """In which it was used."""
    ended_by: str | None
    held_at: datetime
    ended_at: datetime | None
    sequence: int


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One redemption as everybody may see it. Its place in the log is for the house alone."""

    item_id: str
    sequence: int
    name: Words
    points: int
    month: str
    part: int
    pseudonym: str


def take(row: TakeRow | None, fact: Recorded) -> TakeRow | None:
    """The redemption after a fact."""
    match fact.body:
        case r.RedemptionHeld() as held:
            return TakeRow(
                redemption_id=held.reward_id,
                rider_id=held.rider_id,
                platform=held.platform,
                item_id=held.item_id,
                name=held.name,
                price=held.price,
                step=TakeStep.HELD,
                station=held.station,
                sponsor=held.sponsor,
                period=held.period,
                issue=0,
                tries=0,
                due_at=held.hold_until,
                month=None,
                ended_by=None,
                held_at=fact.happened_at,
                ended_at=None,
                sequence=fact.sequence,
            )
        case _ if row is None:
            return None
        case r.CodeIssued(issue=issue, use_by=use_by):
            now = replace(row, step=TakeStep.ISSUED, issue=issue, tries=0, due_at=use_by)
            return replace(now, sequence=fact.sequence)
        case r.CodeRefused(tries=tries):
            return replace(row, tries=tries, sequence=fact.sequence)
        case _:
            return _ended(row, fact)


def _ended(row: TakeRow, fact: Recorded) -> TakeRow:
    now = replace(row, due_at=None, ended_at=fact.happened_at, sequence=fact.sequence)
    match fact.body:
        case r.RedemptionUsed(month=month):
            return replace(now, step=TakeStep.USED, month=month)
        case r.RedemptionCancelled(ended_by=ended_by):
            return replace(now, step=TakeStep.CANCELLED, ended_by=ended_by)
        case r.RedemptionExpired(ended_by=ended_by):
            return replace(now, step=TakeStep.EXPIRED, ended_by=ended_by)
        case _:
            return row


def public(row: PublicRow | None, fact: Recorded) -> PublicRow | None:
    """What was handed over is one line, written once."""
    match fact.body:
        case r.RedemptionUsed() as used:
            return PublicRow(
                item_id=used.item_id,
                sequence=fact.sequence,
                name=used.name,
                points=used.price,
                month=used.month,
                part=used.part,
                pseudonym=used.pseudonym,
            )
        case _:
            return row


def takes_of(fact: Recorded) -> Iterator[tuple[str]]:
    """The redemption that a fact is about."""
    if fact.body.stream == "reward" and fact.body.stream_id.startswith("take-"):
        yield (fact.body.stream_id,)


def public_of(fact: Recorded) -> Iterator[tuple[str, int]]:
    """The line of the public ledger that a fact is."""
    match fact.body:
        case r.RedemptionUsed(item_id=item_id):
            yield (item_id, fact.sequence)
