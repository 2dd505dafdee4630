"""Rows of the wish list. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from contracts import reward as r
from contracts.envelope import Recorded, Words
from contracts.reward import WishStep


@dataclass(frozen=True, slots=True)
class WishRow:
    """A wish; its own words are in the log, sealed."""

    wish_id: str
    rider_id: str
    platform: str
    kind: str
    step: WishStep
    name: Words | None
    supporters: int
    """Beside the wisher."""
    into: str | None
    item_id: str | None
    reason: str | None
    note: Words | None
    suggested_at: datetime
    answered_at: datetime | None
    sequence: int


def wish(row: WishRow | None, fact: Recorded) -> WishRow | None:
    """The wish after a fact."""
    match fact.body:
        case r.WishSuggested() as new:
            return WishRow(
                wish_id=new.reward_id,
                rider_id=new.rider_id,
                platform=new.platform,
                kind=new.kind,
                step=WishStep.SUGGESTED,
                name=None,
                supporters=0,
                into=None,
                item_id=None,
                reason=None,
                note=None,
                suggested_at=fact.happened_at,
                answered_at=None,
                sequence=fact.sequence,
            )
        case _ if row is None:
            return None
        case r.WishListed(name=name):
            return replace(row, step=WishStep.LISTED, name=name, sequence=fact.sequence)
        case r.WishSupported():
            return replace(row, supporters=row.supporters + 1, sequence=fact.sequence)
        case r.WishGathered(riders=riders):
            supporters = row.supporters + len(riders)
            return replace(row, supporters=supporters, sequence=fact.sequence)
        case _:
            return _answered(row, fact)


def _answered(row: WishRow, fact: Recorded) -> WishRow:
    now = replace(row, answered_at=fact.happened_at, sequence=fact.sequence)
    match fact.body:
        case r.WishMerged(into=into):
            return replace(now, step=WishStep.MERGED, into=into)
        case r.WishApproved(note=note):
            return replace(now, step=WishStep.APPROVED, note=note)
        case r.WishDeclined(reason=reason, note=note):
            return replace(now, step=WishStep.DECLINED, reason=reason, note=note)
        case r.WishFulfilled(item_id=item_id):
            return replace(now, step=WishStep.FULFILLED, item_id=item_id)
        case _:
            return row


def wishes_of(fact: Recorded) -> Iterator[tuple[str]]:
    """The wish that a fact is about."""
    if fact.body.stream == "reward" and fact.body.stream_id.startswith("wish-"):
        yield (fact.body.stream_id,)
