"""Stream `account.<rider>`: what can happen to a rider's points. Written by points.

Every fact that moves points is an **entry**: it says which lots it takes from or gives to, and
where the account stands after it. What it moves, account by account, stands in docs/ledger.md.
Beside it, stream `cap.<id>` counts what was awarded where a limit is shared: at one place on one
day, for one case.
"""

from __future__ import annotations

from contracts.account.commands import (
    ActivateLot,
    AppealReversal,
    AwardPoints,
    DecideAdjustment,
    DecideReversalAppeal,
    ExpireLot,
    GrantPoints,
    ProposeAdjustment,
    ReversePoints,
)
from contracts.account.earning import (
    AwardCounted,
    PointsActivated,
    PointsAwarded,
    PointsExpired,
    PointsGranted,
    PointsWithheld,
)
from contracts.account.moving import (
    AdjustmentDeclined,
    AdjustmentProposed,
    DebtRepaid,
    PointsAdjusted,
    PointsHeld,
    PointsRedeemed,
    PointsReleased,
    PointsRestored,
    PointsReversed,
    ReversalAppealed,
    ReversalUpheld,
)
from contracts.account.words import (
    MOST_POINTS,
    AccountRefusal,
    AdjustmentReason,
    Amount,
    Balances,
    CapName,
    Change,
    Counted,
    Entry,
    GrantKind,
    Inputs,
    LotPart,
    Points,
    ReleaseReason,
    ReversalReason,
    Standing,
)

__all__ = [
    "MOST_POINTS",
    "AccountRefusal",
    "ActivateLot",
    "AdjustmentDeclined",
    "AdjustmentProposed",
    "AdjustmentReason",
    "Amount",
    "AppealReversal",
    "AwardCounted",
    "AwardPoints",
    "Balances",
    "CapName",
    "Change",
    "Counted",
    "DebtRepaid",
    "DecideAdjustment",
    "DecideReversalAppeal",
    "Entry",
    "ExpireLot",
    "GrantKind",
    "GrantPoints",
    "Inputs",
    "LotPart",
    "Points",
    "PointsActivated",
    "PointsAdjusted",
    "PointsAwarded",
    "PointsExpired",
    "PointsGranted",
    "PointsHeld",
    "PointsRedeemed",
    "PointsReleased",
    "PointsRestored",
    "PointsReversed",
    "PointsWithheld",
    "ProposeAdjustment",
    "ReleaseReason",
    "ReversalAppealed",
    "ReversalReason",
    "ReversalUpheld",
    "ReversePoints",
    "Standing",
]
