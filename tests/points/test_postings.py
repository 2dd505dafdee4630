"""What each fact moves, from which account to which. Ledger invariants L1, L2, L3."""

from __future__ import annotations

import pytest

from contracts import account as a
from contracts.envelope import Fact
from services.points.postings import ENTRIES, Transfer, may_be_negative, transfers
from tests.contracts.account_examples import ACCOUNT_EXAMPLES, LOT, OFFICER
from tests.contracts.case_examples import RIDER

MOVED = {
    "PointsAwarded": [("issue:condition:exposed-garbage-heap", "pending", 5)],
    "PointsGranted": [("issue:act:exam-escort", "pending", 10)],
    "PointsActivated": [("pending", "debt", 2), ("pending", "available", 3)],
    "PointsExpired": [("available", "expired", 4)],
    "PointsHeld": [("available", "held", 5)],
    "PointsReleased": [("held", "available", 5)],
    "PointsRedeemed": [("held", "redeemed:umbrella", 5)],
    "DebtRepaid": [("available", "debt", 3)],
    "PointsReversed": [("pending", "reversed", 2), ("available", "reversed", 3)],
    "PointsRestored": [
        ("adjust:second-officer", "debt", 1),
        ("adjust:second-officer", "available", 4),
    ],
    "PointsAdjusted": [("available", "adjust:points-officer", 4)],
}


def pocket(account: str) -> str:
    return account.removeprefix(f"rider:{RIDER}:")


@pytest.mark.parametrize("fact", ACCOUNT_EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_a_fact_moves_this_and_nothing_else(fact: Fact) -> None:
    moved = [(pocket(t.source), pocket(t.target), t.points) for t in transfers(fact)]
    assert moved == MOVED.get(type(fact).__name__, [])
    assert isinstance(fact, ENTRIES) is bool(moved)


def test_what_is_owed_after_a_reversal_comes_from_the_debt() -> None:
    fact = a.PointsReversed(
        rider_id=RIDER,
        reversal_id=LOT,
        lot=LOT,
        reason=a.ReversalReason.FRAUD,
        points=7,
        debt=7,
        by=OFFICER,
    )
    assert transfers(fact) == (Transfer(f"rider:{RIDER}:debt", "reversed", 7),)


def test_points_given_by_hand_come_from_who_proposed_it() -> None:
    fact = a.PointsAdjusted(
        rider_id=RIDER,
        adjustment_id="a",
        points=9,
        reason=a.AdjustmentReason.GOODWILL,
        by=OFFICER,
        approved_by="second-officer",
        repaid=9,
        lot=LOT,
    )
    assert transfers(fact) == (Transfer(f"adjust:{OFFICER}", f"rider:{RIDER}:debt", 9),)


@pytest.mark.parametrize(
    ("source", "target", "points"), [("x", "y", 0), ("x", "y", -1), ("x", "x", 1)]
)
def test_a_transfer_moves_points_between_two_accounts(
    source: str, target: str, points: int
) -> None:
    with pytest.raises(ValueError, match="between two accounts"):
        Transfer(source, target, points)


@pytest.mark.parametrize("points", [0, -1, 1.5, "1", 2**63, True])
def test_only_whole_points_are_awarded(points: object) -> None:
    fact = ACCOUNT_EXAMPLES[0].model_dump()
    with pytest.raises(ValueError, match="points"):
        a.PointsAwarded.model_validate(fact | {"points": points})


@pytest.mark.parametrize(
    ("account", "may"),
    [
        ("issue:act:x", True),
        ("adjust:officer", True),
        ("rider:ann:debt", True),
        ("rider:ann:available", False),
        ("rider:ann:held", False),
        ("rider:ann:pending", False),
        ("redeemed:hat", False),
        ("expired", False),
        ("reversed", False),
    ],
)
def test_the_list_of_what_may_be_negative_is_closed(account: str, may: bool) -> None:
    assert may_be_negative(account) is may
