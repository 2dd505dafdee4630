"""The vocabulary of the store: ids that say what they name, kinds, periods, refusals."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

_REST: Final = "[A-Za-z0-9_-]{1,56}$"

WishId = Annotated[str, StringConstraints(pattern=f"^wish-{_REST}")]
ItemId = Annotated[str, StringConstraints(pattern=f"^item-{_REST}")]
StationId = Annotated[str, StringConstraints(pattern=f"^stop-{_REST}")]
SponsorId = Annotated[str, StringConstraints(pattern=f"^fund-{_REST}")]
RedemptionId = Annotated[str, StringConstraints(pattern=f"^take-{_REST}")]
"""Five kinds of things share the streams `reward.<id>`; the id says which one it is, so that no two
of them can ever meet in one stream."""

Price = Annotated[int, Field(ge=2, le=1_000_000, strict=True)]
"""What one piece costs, in points: two at least (ledger invariant L12)."""
Count = Annotated[int, Field(gt=0, le=1_000_000, strict=True)]
"""A whole number of pieces, more than none (ledger invariant L2)."""
Budget = Annotated[int, Field(gt=0, le=1_000_000_000, strict=True)]
"""Points that a sponsor answers for (ledger invariant L2)."""
CodeHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

MOST_SUPPORTERS: Final = 2_000
"""Riders that support a wish at most: all of them are told, by one fact."""
MOST_TRIES: Final = 5
"""Wrong tries that a code bears; then it is of no use any more (ledger invariant L13)."""
MOST_CODES: Final = 3
"""Codes that are made for one redemption at most, the first included."""


class RewardKind(StrEnum):
    """What an item is."""

    GOODS = "goods"
    SERVICE = "service"
    RIGHT = "right"
    """A check-up, a training, an insurance: something that one is entitled to."""


class Period(StrEnum):
    """For how long a quota counts, by the calendar of the district."""

    DAY = "day"
    WEEK = "week"
    """From Monday on."""
    MONTH = "month"
    YEAR = "year"
    EVER = "ever"


class WishStep(StrEnum):
    """Where a wish stands."""

    NONE = "none"
    SUGGESTED = "suggested"
    """An officer has not read it yet; nobody else can see it."""
    LISTED = "listed"
    """It stands on the public list under the officer's words, and may be supported."""
    APPROVED = "approved"
    DECLINED = "declined"
    MERGED = "merged"
    """Another wish says the same and goes on for both."""
    FULFILLED = "fulfilled"
    """It has become an item."""


class DeclineReason(StrEnum):
    """Why a wish is declined."""

    NOT_ALLOWED = "not_allowed"
    NO_SPONSOR = "no_sponsor"
    TOO_EXPENSIVE = "too_expensive"
    ALREADY_THERE = "already_there"
    OTHER = "other"


class TakeStep(StrEnum):
    """Where a redemption stands (ledger invariant L13)."""

    NONE = "none"
    HELD = "held"
    """Points, stock, quota and budget are set aside; it waits for an approval."""
    ISSUED = "issued"
    """The rider has a code."""
    USED = "used"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class EndedBy(StrEnum):
    """Who or what has ended a redemption before it was used."""

    RIDER = "rider"
    OFFICER = "officer"
    HOLD_RAN_OUT = "hold_ran_out"
    """Nobody approved it in time."""
    CODE_RAN_OUT = "code_ran_out"
    """The code was not used in time."""


class StationClass(StrEnum):
    """How much a station offers, by the classes of the cities."""

    FIRST = "first"
    """A staffed centre."""
    SECOND = "second"
    """A station with a keeper."""
    POINT = "point"
    """A place that lends a hand: a shop, a bank, a guard house."""


class StoreRefusal(StrEnum):
    """Why the store says no."""

    NOT_ALLOWED = "not_allowed"
    NOT_YOUR_RIDER = "not_your_rider"
    UNKNOWN_RIDER = "unknown_rider"
    NOT_THERE = "not_there"
    EXISTS_ALREADY = "exists_already"
    NOT_NOW = "not_now"
    ENOUGH_SUPPORT = "enough_support"
    SAME_WISH = "same_wish"
    WINDOW = "window"
    """A visible window that ends before it begins."""
    NOTHING_CHANGED = "nothing_changed"
    SPONSOR_STAYS = "sponsor_stays"
    NOT_COUNTED = "not_counted"
    """The stock of an item that is not counted cannot be raised or lowered."""
    NOT_THAT_MANY = "not_that_many"
    UNKNOWN_STATION = "unknown_station"
    # What can be in the way of a redemption: all of them are told at once.
    WITHDRAWN = "withdrawn"
    NOT_YET = "not_yet"
    NO_LONGER = "no_longer"
    NOT_IN_YOUR_AREA = "not_in_your_area"
    OUT_OF_STOCK = "out_of_stock"
    QUOTA_OF_RIDER = "quota_of_rider"
    QUOTA_OF_ALL = "quota_of_all"
    NO_BUDGET = "no_budget"
    POINTS_MISSING = "points_missing"
    PRICE_CHANGED = "price_changed"
    # A code.
    WRONG_CODE = "wrong_code"
    CODE_LOCKED = "code_locked"
    ALREADY_USED = "already_used"
    TOO_LATE = "too_late"
    NOT_REFUNDABLE = "not_refundable"
    NO_MORE_CODES = "no_more_codes"


LONGEST: Final = timedelta(days=366)
"""How long a hold may wait for its approval, and a code for its use."""
