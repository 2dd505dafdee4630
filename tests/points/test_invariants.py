"""A ledger that does not add up is found: each invariant broken on purpose, and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts import account as a
from contracts.envelope import Fact
from services.points.account import NO_ACCOUNT, Account, evolve
from services.points.awards import lot_id
from services.points.invariants import Step, broken, unsound
from tests.given import NOON
from tests.points.test_holds import (
    DAY,
    RIDER,
    TWO_LOTS,
    after,
    earned,
    heard,
    part,
    reserve,
)

MOMENT = timedelta(microseconds=1)
NAMES = {name: f"rider:{RIDER}:{name}" for name in ("pending", "available", "held", "debt")}
WAITING = after(earned("later", 9, active=NOON + DAY), earned("one", 10, active=NOON))
HELD = after(*reserve(TWO_LOTS, 14), account=TWO_LOTS)
SPENT = after(
    a.PointsRedeemed(
        rider_id=RIDER,
        hold_id="h1",
        item="umbrella",
        points=14,
        parts=HELD.holds["h1"].parts,
    ),
    account=HELD,
)
TAKEN = a.PointsReversed(
    rider_id=RIDER,
    reversal_id="sooner",
    lot="sooner",
    reason=a.ReversalReason.FRAUD,
    points=5,
    available=(part("sooner", 5),),
    by="officer",
)
APPEALED = after(
    TAKEN,
    a.ReversalAppealed(rider_id=RIDER, reversal_id="sooner", platform="kite", note="no"),
    account=TWO_LOTS,
)
RESTORED = a.PointsRestored(
    rider_id=RIDER, reversal_id="sooner", points=5, lot="back", by="second", note="seen"
)
PROPOSED = after(
    a.AdjustmentProposed(
        rider_id=RIDER,
        adjustment_id="adj",
        points=3,
        reason=a.AdjustmentReason.CORRECTION,
        by="officer",
        note="twice",
    ),
    account=TWO_LOTS,
)
ADJUSTED = a.PointsAdjusted(
    rider_id=RIDER,
    adjustment_id="adj",
    points=3,
    reason=a.AdjustmentReason.CORRECTION,
    by="officer",
    approved_by="second",
    lot="given",
)
COUNTED = a.Counted(cap=a.CapName.RIDER_DAY, before=2, limit=12)
INPUTS = a.Inputs(reported_at=NOON, day="2026-05-03", base=10, counted=(COUNTED,))
LOT = lot_id("report-new", "condition:garbage-plain", RIDER)
AWARDED = earned("new", 10).model_copy(update={"lot": LOT, "inputs": INPUTS})
GRANTED = a.PointsGranted(
    rider_id=RIDER,
    kind=a.GrantKind.ACT,
    occasion="june",
    points=10,
    rule="act:escort",
    rulebook="small@1",
    by="officer",
    lot="granted",
    inputs=INPUTS,
)
WITHHELD = a.PointsWithheld(
    rider_id=RIDER,
    platform="kite",
    report_id="report-new",
    case_id="case",
    service_code="garbage",
    rule="condition:garbage-plain",
    rulebook="small@1",
    caps=(a.CapName.RIDER_DAY,),
    inputs=INPUTS,
)
ACTIVATED = a.PointsActivated(rider_id=RIDER, lot="one", points=10)
EXPIRED = a.PointsExpired(rider_id=RIDER, lot="sooner", points=5, expired_at=NOON + 30 * DAY)
RESERVED = a.PointsHeld(
    rider_id=RIDER,
    hold_id="h2",
    item="hat",
    points=8,
    parts=(part("sooner", 5), part("newer", 3)),
)
REDEEMED = a.PointsRedeemed(
    rider_id=RIDER,
    hold_id="h1",
    item="umbrella",
    points=14,
    parts=HELD.holds["h1"].parts,
)
RELEASED = a.PointsReleased(
    rider_id=RIDER,
    hold_id="h1",
    item="umbrella",
    points=14,
    parts=HELD.holds["h1"].parts,
    because=a.ReleaseReason.CANCELLED,
)
REMAINDER = RELEASED.model_copy(update={"because": a.ReleaseReason.REMAINDER})


def but(fact: Fact, **changes: Any) -> Fact:
    """The same fact, with something wrong in it."""
    return fact.model_copy(update=changes)


def found(
    before: Account, fact: Fact, at: datetime = NOON, then: Account | None = None
) -> list[tuple[str, str]]:
    """What a step breaks."""
    follows = evolve(before, fact) if then is None else then
    return list(broken(Step.of(before, fact, follows, at)))


def judged(before: Account, fact: Fact, at: datetime = NOON, then: Account | None = None) -> str:
    """The numbers of what a step breaks."""
    return " ".join(number for number, _ in found(before, fact, at, then))


def shifted(account: Account, **by: int) -> Account:
    """The account with balances that no entry moved."""
    balances = dict(account.balances)
    for name, points in by.items():
        account_name = NAMES.get(name, name)
        balances[account_name] = balances.get(account_name, 0) + points
    return replace(account, balances=balances)


def with_lot(account: Account, name: str, **changes: Any) -> Account:
    """The account with a lot that no entry changed."""
    return replace(account, lots={**account.lots, name: replace(account.lots[name], **changes)})


def owing(account: Account, points: int) -> Account:
    return shifted(account, debt=-points, reversed=points)


LATE = NOON + 30 * DAY


@pytest.mark.parametrize(
    ("before", "fact", "at", "numbers"),
    [
        # What is right breaks nothing.
        (TWO_LOTS, AWARDED, NOON, ""),
        (TWO_LOTS, but(AWARDED, inputs=None), NOON, ""),
        (TWO_LOTS, GRANTED, NOON, ""),
        (TWO_LOTS, WITHHELD, NOON, ""),
        (WAITING, ACTIVATED, NOON, ""),
        (owing(WAITING, 4), but(ACTIVATED, repaid=4), NOON, ""),
        (TWO_LOTS, EXPIRED, LATE, ""),
        (TWO_LOTS, RESERVED, LATE - MOMENT, ""),
        (HELD, REDEEMED, NOON, ""),
        (HELD, RELEASED, NOON, ""),
        (TWO_LOTS, TAKEN, NOON, ""),
        (APPEALED, RESTORED, NOON, ""),
        (PROPOSED, ADJUSTED, NOON, ""),
        # An earn.
        (evolve(TWO_LOTS, but(AWARDED, report_id="other")), AWARDED, NOON, "L9 L4"),
        (TWO_LOTS, but(AWARDED, lot="mine"), NOON, "L4"),
        (TWO_LOTS, but(AWARDED, lot=None), NOON, ""),
        (TWO_LOTS, but(AWARDED, points=9), NOON, "L22"),
        (TWO_LOTS, but(AWARDED, points=11), NOON, "L22 L23"),
        (evolve(TWO_LOTS, GRANTED), GRANTED, NOON, "L9 L4"),
        (TWO_LOTS, but(GRANTED, points=9), NOON, "L22"),
        (TWO_LOTS, but(GRANTED, by=RIDER), NOON, "L19"),
        (evolve(TWO_LOTS, WITHHELD), WITHHELD, NOON, "L4"),
        (TWO_LOTS, but(WITHHELD, caps=()), NOON, "L23"),
        # The clock.
        (with_lot(WAITING, "one", pending=False), ACTIVATED, NOON, "L9 L9 L10"),
        (WAITING, ACTIVATED, NOON - MOMENT, "L10"),
        (with_lot(WAITING, "one", activates_at=None), ACTIVATED, NOON, ""),
        (WAITING, but(ACTIVATED, points=9), NOON, "L9 L9 L9"),
        (owing(WAITING, 4), ACTIVATED, NOON, "L11 L11"),
        (owing(WAITING, 4), but(ACTIVATED, repaid=3), NOON, "L11 L11"),
        (WAITING, but(ACTIVATED, lot="nobody"), NOON, "L9 L9 L9"),
        (TWO_LOTS, EXPIRED, LATE - MOMENT, "L10"),
        (TWO_LOTS, but(EXPIRED, expired_at=LATE + MOMENT), LATE + MOMENT, "L10"),
        (with_lot(TWO_LOTS, "sooner", expires_at=None), EXPIRED, LATE, "L10"),
        (TWO_LOTS, but(EXPIRED, points=4), LATE, "L9"),
        (TWO_LOTS, but(EXPIRED, lot="nobody"), LATE, "L9 L9"),
        # Holds.
        (replace(TWO_LOTS, holds={"h2": HELD.holds["h1"]}), RESERVED, NOON, "L7"),
        (TWO_LOTS, but(RESERVED, points=7), NOON, "L9 L9 L9 L9"),
        (TWO_LOTS, but(RESERVED, parts=(part("later", 8),)), NOON, "L9"),
        (TWO_LOTS, RESERVED, LATE, "L9 L9"),
        (TWO_LOTS, REDEEMED, NOON, "L3 L9 L9 L9 L7"),
        (HELD, REMAINDER, NOON, "L7"),
        (
            replace(HELD, holds={"h1": replace(HELD.holds["h1"], resolved=True)}),
            REMAINDER,
            NOON,
            "",
        ),
        (
            replace(HELD, holds={"h1": replace(HELD.holds["h1"], resolved=True)}),
            REDEEMED,
            NOON,
            "L7",
        ),
        (HELD, but(REDEEMED, points=13), NOON, "L9 L9"),
        (HELD, but(REDEEMED, points=6, parts=(part("sooner", 6),)), NOON, "L9 L9"),
        (HELD, but(REDEEMED, points=1, parts=(part("nobody", 1),)), NOON, "L9 L9 L9"),
        # Taking back.
        (replace(TWO_LOTS, reversals=APPEALED.reversals), TAKEN, NOON, "L8"),
        (TWO_LOTS, but(TAKEN, reversal_id="other"), NOON, "L8"),
        (TWO_LOTS, but(TAKEN, reversal_id="gone", lot="gone"), NOON, "L8"),
        (TWO_LOTS, but(TAKEN, available=(part("newer", 5),)), NOON, "L11"),
        (TWO_LOTS, but(TAKEN, by=RIDER), NOON, "L19"),
        (TWO_LOTS, but(TAKEN, available=()), NOON, "L2 L11"),
        (TWO_LOTS, RESTORED, NOON, "L8"),
        (after(TAKEN, account=TWO_LOTS), RESTORED, NOON, "L8"),
        (evolve(APPEALED, RESTORED), but(RESTORED, lot="more"), NOON, "L8"),
        (APPEALED, but(RESTORED, by="officer"), NOON, "L19"),
        (APPEALED, but(RESTORED, by=RIDER), NOON, "L19"),
        (APPEALED, but(RESTORED, points=4), NOON, "L8"),
        (APPEALED, but(RESTORED, repaid=1), NOON, "L3"),
        # By hand.
        (TWO_LOTS, ADJUSTED, NOON, "L19"),
        (evolve(PROPOSED, ADJUSTED), but(ADJUSTED, lot="more"), NOON, "L19"),
        (PROPOSED, but(ADJUSTED, points=4), NOON, "L19"),
        (PROPOSED, but(ADJUSTED, approved_by="officer"), NOON, "L19"),
        (PROPOSED, but(ADJUSTED, by=RIDER), NOON, "L19"),
        (PROPOSED, but(ADJUSTED, approved_by=RIDER), NOON, "L19"),
    ],
)
def test_a_step_that_breaks_an_invariant_is_named(
    before: Account, fact: Fact, at: datetime, numbers: str
) -> None:
    assert judged(before, fact, at) == numbers


STOOD = evolve(TWO_LOTS, EXPIRED)


@pytest.mark.parametrize(
    ("then", "numbers"),
    [
        (STOOD, ""),
        (shifted(STOOD, elsewhere=1), "L1"),
        (shifted(STOOD, available=-1, elsewhere=1), "L9"),
        (shifted(STOOD, held=-1, elsewhere=1), "L9"),
        (shifted(STOOD, pending=2, elsewhere=-2), "L9"),
        (replace(STOOD, version=STOOD.version + 1), "L15"),
        (replace(STOOD, version=STOOD.version - 1), "L15"),
        (with_lot(STOOD, "sooner", expired=4), "L9"),
        (with_lot(STOOD, "sooner", spent=-1, repaid=1), "L9"),
        (owing(STOOD, 1), "L11"),
    ],
)
def test_what_follows_an_entry_is_exactly_what_it_moved(then: Account, numbers: str) -> None:
    assert judged(TWO_LOTS, EXPIRED, LATE, then) == numbers


def test_a_step_is_judged_by_what_it_changes_alone() -> None:
    wrong = shifted(TWO_LOTS, elsewhere=3)
    assert judged(wrong, EXPIRED, LATE) == ""


def test_nothing_but_the_closed_list_falls_below_nothing() -> None:
    poor = shifted(TWO_LOTS, available=-18, elsewhere=18)
    assert judged(poor, EXPIRED, LATE) == "L3"
    assert judged(shifted(poor, available=1, elsewhere=-1), EXPIRED, LATE) == ""


def test_a_balance_that_nobody_kept_is_nothing() -> None:
    then = evolve(NO_ACCOUNT, AWARDED)
    kept = {name: points for name, points in then.balances.items() if name[:6] != "issue:"}
    assert judged(NO_ACCOUNT, AWARDED, NOON, replace(then, balances=kept)) == "L1"


@pytest.mark.parametrize(("left", "numbers"), [(0, ""), (1, "L11"), (2, "L11")])
def test_whoever_owes_has_nothing_to_spend(left: int, numbers: str) -> None:
    poor = owing(shifted(TWO_LOTS, available=left - 17, elsewhere=17 - left), 1)
    assert judged(poor, EXPIRED, LATE) == numbers


def test_what_is_wrong_is_said_with_its_numbers() -> None:
    wrong = shifted(STOOD, available=-1, elsewhere=1)
    assert found(TWO_LOTS, EXPIRED, LATE, wrong) == [
        ("L9", "available changed by -6, its lots by -5")
    ]
    assert found(HELD, REMAINDER) == [("L7", "h1 was resolved by half")]
    assert found(SPENT, but(REMAINDER, points=1, parts=(part("later", 1),)))[-1] == (
        "L9",
        "h1 did not hold these lots",
    )
    done = replace(HELD, holds={"h1": replace(HELD.holds["h1"], resolved=True)})
    assert found(done, REDEEMED) == [("L7", "h1 was resolved already")]


@pytest.mark.parametrize("field", ["version", "pending", "available", "held", "debt"])
def test_an_entry_says_where_the_account_stands(field: str) -> None:
    stands = STOOD.after
    assert judged(TWO_LOTS, but(EXPIRED, after=stands), LATE) == ""
    wrong = stands.model_copy(update={field: getattr(stands, field) + 1})
    assert judged(TWO_LOTS, but(EXPIRED, after=wrong), LATE) == "L15"


HOLDS: Mapping[str, Any] = HELD.holds


@pytest.mark.parametrize(
    ("account", "numbers"),
    [
        (NO_ACCOUNT, ""),
        (HELD, ""),
        (WAITING, ""),
        (shifted(HELD, elsewhere=1), "L1"),
        (shifted(HELD, elsewhere=-1, expired=1), "L3"),
        (shifted(HELD, debt=1, reversed=2, elsewhere=-3), "L3 L3"),
        (shifted(HELD, **{"issue:x": 1, "expired": 0, "adjust:o": -1}), "L3"),
        (with_lot(HELD, "later", free=7), "L9 L9"),
        (with_lot(HELD, "later", taken=-1, repaid=1), "L9"),
        (shifted(HELD, available=1, **{"adjust:o": -1}), "L9"),
        (shifted(WAITING, pending=1, **{"adjust:o": -1}), "L9"),
        (shifted(HELD, held=1, available=-1), "L7"),
        (replace(HELD, holds={}), "L7"),
        (owing(HELD, 1), "L11"),
        (owing(WAITING, 1), ""),
        (owing(heard(after(earned("one", 1)), NOON), 1), "L11"),
    ],
)
def test_an_account_that_is_not_sound_is_found_at_rest(account: Account, numbers: str) -> None:
    assert " ".join(number for number, _ in unsound(account)) == numbers
