"""Rows that follow from points' facts: a passbook for each rider, an entry for each award. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.account import PointsAwarded
from contracts.envelope import Recorded
from eventlog.projection import Projection, Table
from services.points.tables.shelf import (
    AssetRow,
    ItemRow,
    StationRow,
    asset,
    assets_of,
    item,
    items_of,
    station,
    stations_of,
)
from services.points.tables.takes import PublicRow, TakeRow, public, public_of, take, takes_of
from services.points.tables.wishes import WishRow, wish, wishes_of


@dataclass(frozen=True, slots=True)
class PassbookRow:
    """What a rider has earned."""

    rider_id: str
    points: int
    awards: int
    as_of: int
    """The sequence of the last fact counted."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of a passbook: which report earned what, by which rule."""

    rider_id: str
    report_id: str
    points: int
    rule: str
    rulebook: str
    service_code: str
    happened_at: datetime
    sequence: int


def passbook(row: PassbookRow | None, fact: Recorded) -> PassbookRow | None:
    """The rider's totals after a fact."""
    match fact.body:
        case PointsAwarded(rider_id=rider_id, points=points):
            before = row or PassbookRow(rider_id, points=0, awards=0, as_of=0)
            return replace(
                before, points=before.points + points, awards=before.awards + 1, as_of=fact.sequence
            )
        case _:
            return row


def entry(row: EntryRow | None, fact: Recorded) -> EntryRow | None:
    """An award is one line, written once."""
    match fact.body:
        case PointsAwarded() as award:
            return EntryRow(
                rider_id=award.rider_id,
                report_id=award.report_id,
                points=award.points,
                rule=award.rule,
                rulebook=award.rulebook,
                service_code=award.service_code,
                happened_at=fact.happened_at,
                sequence=fact.sequence,
            )
        case _:
            return row


def _rider(fact: Recorded) -> Iterator[tuple[str]]:
    match fact.body:
        case PointsAwarded(rider_id=rider_id):
            yield (rider_id,)


def _line(fact: Recorded) -> Iterator[tuple[str, str]]:
    match fact.body:
        case PointsAwarded(rider_id=rider_id, report_id=report_id):
            yield (rider_id, report_id)


POINTS: Final = Projection(
    name="points",
    version=1,
    subjects=("log.account.>",),
    tables=(
        Table(
            name="passbook",
            row=PassbookRow,
            key=("rider_id",),
            keys=_rider,
            fold=passbook,
            stream="account",
        ),
        Table(
            name="entry",
            row=EntryRow,
            key=("rider_id", "report_id"),
            keys=_line,
            fold=entry,
            stream="account",
        ),
    ),
)


STORE: Final = Projection(
    name="store",
    version=1,
    subjects=("log.reward.>",),
    tables=(
        Table("wish", WishRow, key=("wish_id",), keys=wishes_of, fold=wish, indexes=("step",)),
        Table("item", ItemRow, key=("item_id",), keys=items_of, fold=item),
        Table(
            "asset", AssetRow, key=("asset",), keys=assets_of, fold_key=asset, indexes=("about",)
        ),
        Table("station", StationRow, key=("station_id",), keys=stations_of, fold=station),
        Table(
            "redemption",
            TakeRow,
            key=("redemption_id",),
            keys=takes_of,
            fold=take,
            indexes=("due_at, redemption_id", "rider_id", "item_id"),
        ),
        Table(
            "public",
            PublicRow,
            key=("item_id", "sequence"),
            keys=public_of,
            fold=public,
            indexes=("month",),
        ),
    ),
)
"""What the store shows: projection `store`."""
