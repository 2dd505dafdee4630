"""Rows that follow from points' facts: the ledger and each rider's passbook. Pure."""

from __future__ import annotations

from typing import Final

from eventlog.projection import Projection, Table
from services.points.tables.ledger import LEDGER, BalanceRow, EntryRow, LotRow, PassbookRow
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

POINTS: Final = Projection(
    name="points",
    version=2,
    subjects=("log.account.>",),
    tables=LEDGER,
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

__all__ = ["POINTS", "STORE", "BalanceRow", "EntryRow", "LotRow", "PassbookRow"]
