"""Taking back, appealing, setting right by hand. Ledger invariants L8, L11, L19."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts import account as acc
from contracts.envelope import Fact
from contracts.party import PartyKind, PartyRegistered
from services.points.account import NO_ACCOUNT, Account, evolve
from services.points.decider import ACCOUNT
from services.points.holds import hear, hold
from services.points.lots import after as lot_after
from services.points.lots import to_reverse, touched
from services.points.rules import Rules
from tests.district import BOOK, KITE
from tests.given import NOON, Setting, a, recorded
from tests.points.test_awards import people
from tests.points.test_holds import DAY, RIDER, after, earned, heard, part

SECOND = "second-officer"
PARTIES = people(
    PartyRegistered(party_id=SECOND, kind=PartyKind.OFFICER),
    PartyRegistered(party_id="her-own", kind=PartyKind.OFFICER, rider_id=RIDER),
    PartyRegistered(party_id=RIDER, kind=PartyKind.RIDER, platform=KITE),
)
given = Setting(ACCOUNT, Rules(BOOK, PARTIES))
OFFICER = "officer"


def reverse(**changes: Any) -> acc.ReversePoints:
    said = {"rider_id": RIDER, "lot": "one", "reason": "fraud", "note": "the same photo"}
    return acc.ReversePoints.model_validate(said | changes)


def life(*facts: Fact) -> list[Fact]:
    """The facts, and what the clock makes of them at noon."""
    account = after(*facts)
    return [*facts, *hear(account, NOON)]


def spent(facts: list[Fact], points: int) -> list[Fact]:
    account = after(*facts)
    return [*facts, *hold(account, RIDER, hold_id="h1", item="hat", points=points, at=NOON)]


def test_what_is_taken_back_is_pending_first_then_its_own_lot_then_others_then_owed() -> None:
    account = heard(
        after(
            earned("one", 10),
            earned("other", 4, days=10),
            earned("soon", 2, active=NOON + DAY),
            earned("late", 3, active=NOON + 2 * DAY),
        ),
        NOON,
    )
    assert to_reverse(account.lots, "one") == (
        (part("late", 3), part("soon", 2)),
        (part("one", 5),),
        0,
    )
    less = after(*hold(account, RIDER, hold_id="h", item="hat", points=9, at=NOON), account=account)
    assert to_reverse(less.lots, "one") == (
        (part("late", 3), part("soon", 2)),
        (part("one", 5),),
        0,
    )
    least = after(*hold(less, RIDER, hold_id="i", item="hat", points=4, at=NOON), account=less)
    assert to_reverse(least.lots, "one")[1:] == ((part("one", 1),), 4)


def test_a_pending_lot_is_taken_from_itself_before_other_pending_ones() -> None:
    account = after(earned("other", 4, active=NOON + 9 * DAY), earned("one", 3, active=NOON + DAY))
    assert to_reverse(account.lots, "one") == ((part("one", 3),), (), 0)


def test_what_has_expired_is_not_taken_again() -> None:
    account = heard(after(earned("one", 10, days=1)), NOON)
    used = after(*hold(account, RIDER, hold_id="h", item="hat", points=4, at=NOON), account=account)
    gone = heard(used, NOON + DAY)
    assert to_reverse(gone.lots, "one") == ((), (), 4)


def test_fraud_is_taken_back_and_the_shortfall_is_owed_and_seen() -> None:
    facts = spent(life(earned("one", 10), earned("two", 2)), 11)
    given(*facts).when(reverse(), by=OFFICER).then(
        a(
            acc.PointsReversed,
            points=10,
            available=(part("two", 1),),
            debt=9,
            after=acc.Balances(version=6, pending=0, available=0, held=11, debt=9),
        )
    )


def test_a_report_is_taken_back_with_all_that_it_earned() -> None:
    bonus = earned("bonus", 3).model_copy(update={"report_id": "report-one", "rule": "role:x"})
    decision = given(*life(earned("one", 10), bonus)).when(
        reverse(lot=None, report_id="report-one"), by=OFFICER
    )
    decision.then(
        a(acc.PointsReversed, lot="one", points=10), a(acc.PointsReversed, lot="bonus", points=3)
    )


def test_a_lot_is_taken_back_once() -> None:
    facts = life(earned("one", 10))
    once = given(*facts).when(reverse(), by=OFFICER).facts
    given(*facts, *once).when(reverse(reason="mistake"), by=SECOND).then_nothing()


@pytest.mark.parametrize(
    ("command", "by", "code"),
    [
        (reverse(), KITE, "not_an_officer"),
        (reverse(), "points", "not_an_officer"),
        (reverse(), "her-own", "your_own"),
        (reverse(lot="unheard-of"), OFFICER, "unknown_lot"),
        (reverse(report_id="report-one"), OFFICER, "unknown_lot"),
        (reverse(lot=None), OFFICER, "unknown_lot"),
    ],
)
def test_nobody_else_takes_back_and_nothing_else(
    command: acc.ReversePoints, by: str, code: str
) -> None:
    given(*life(earned("one", 10))).when(command, by=by).then_refused(code)


@pytest.mark.parametrize("named", [{"lot": "lot-9"}, {"report_id": "report-9", "lot": None}])
def test_what_has_earned_nothing_is_named(named: dict[str, str | None]) -> None:
    command = acc.ReversePoints(
        rider_id=RIDER, reason=acc.ReversalReason.FRAUD, note="false", **named
    )
    decision = given(*life(earned("one", 10))).when(command, by=OFFICER)
    decision.then_refused("unknown_lot")
    (name,) = filter(None, named.values())
    assert decision.reasons[0].detail == f"{name} has earned {RIDER} nothing"


def test_what_has_all_expired_cannot_be_taken_back() -> None:
    facts = life(earned("one", 10, days=1))
    given(*facts).when(reverse(), by=OFFICER, at=NOON + DAY).then_refused("nothing_left")


def test_the_house_itself_takes_back_what_an_unfounded_case_earned() -> None:
    void = reverse(reason="case_void", lot=None, report_id="report-one", note=None)
    given(*life(earned("one", 10))).when(void, by="points").then(
        a(acc.PointsReversed, by="points", appeal_until=NOON + 30 * DAY)
    )


REVERSED = [
    *life(earned("one", 10)),
    *given(*life(earned("one", 10))).when(reverse(), by=OFFICER).facts,
]
APPEAL = acc.AppealReversal(rider_id=RIDER, reversal_id="one", note="three places, three photos")
APPEALED = [*REVERSED, *given(*REVERSED).when(APPEAL, by=KITE).facts]


def decide(granted: bool = True, reversal: str = "one") -> acc.DecideReversalAppeal:
    return acc.DecideReversalAppeal(
        rider_id=RIDER, reversal_id=reversal, granted=granted, note="looked again"
    )


@pytest.mark.parametrize("by", [KITE, RIDER])
def test_the_rider_appeals_through_the_platform_or_alone(by: str) -> None:
    given(*REVERSED).when(APPEAL, by=by).then(a(acc.ReversalAppealed, platform=by))


@pytest.mark.parametrize(
    ("facts", "by", "late", "code"),
    [
        (REVERSED, "platform-swift", timedelta(), "not_your_rider"),
        (REVERSED, KITE, 30 * DAY + timedelta(microseconds=1), "appeal_too_late"),
        (APPEALED, KITE, timedelta(), "appealed_already"),
        (life(earned("one", 10)), KITE, timedelta(), "unknown_reversal"),
    ],
)
def test_an_appeal_is_made_once_in_time_by_who_may(
    facts: list[Fact], by: str, late: timedelta, code: str
) -> None:
    given(*facts).when(APPEAL, by=by, at=NOON + late).then_refused(code)


def test_an_appeal_can_be_made_up_to_the_last_moment() -> None:
    given(*REVERSED).when(APPEAL, by=KITE, at=NOON + 30 * DAY).then(acc.ReversalAppealed)


def test_a_granted_appeal_gives_the_points_back_as_a_new_lot_by_another_officer() -> None:
    decision = given(*APPEALED).when(decide(), by=SECOND)
    decision.then(a(acc.PointsRestored, points=10, repaid=0, by=SECOND))
    account = after(*APPEALED, *decision.facts)
    assert account.available == 10
    assert account.lots["one"].taken == 10
    given(*APPEALED, *decision.facts).when(decide(), by=SECOND).then_refused("decided_already")


def test_a_refused_appeal_leaves_everything_as_it_is() -> None:
    decision = given(*APPEALED).when(decide(granted=False), by=SECOND)
    decision.then(a(acc.ReversalUpheld, by=SECOND))
    assert after(*APPEALED, *decision.facts).available == 0
    given(*APPEALED, *decision.facts).when(decide(), by=SECOND).then_refused("decided_already")


def test_what_is_owed_is_repaid_from_what_an_appeal_gives_back() -> None:
    facts = spent(life(earned("one", 10)), 7)
    facts += given(*facts).when(reverse(), by=OFFICER).facts
    facts += given(*facts).when(APPEAL, by=KITE).facts
    decision = given(*facts).when(decide(), by=SECOND)
    decision.then(a(acc.PointsRestored, points=10, repaid=7))
    account = after(*facts, *decision.facts)
    assert (account.available, account.debt) == (3, 0)


@pytest.mark.parametrize(
    ("facts", "by", "command", "code"),
    [
        (APPEALED, OFFICER, decide(), "same_officer"),
        (APPEALED, "her-own", decide(), "your_own"),
        (APPEALED, KITE, decide(), "not_an_officer"),
        (REVERSED, SECOND, decide(), "not_appealed"),
        (APPEALED, SECOND, decide(reversal="two"), "unknown_reversal"),
    ],
)
def test_an_appeal_is_decided_by_another_officer(
    facts: list[Fact], by: str, command: acc.DecideReversalAppeal, code: str
) -> None:
    given(*facts).when(command, by=by).then_refused(code)


def test_a_restored_lot_is_no_earn_to_be_taken_back() -> None:
    decision = given(*APPEALED).when(decide(), by=SECOND)
    (restored,) = decision.facts
    assert isinstance(restored, acc.PointsRestored)
    again = reverse(lot=restored.lot)
    given(*APPEALED, restored).when(again, by=OFFICER).then_refused("not_an_earn")


def propose(points: int, name: str = "adj-1") -> acc.ProposeAdjustment:
    return acc.ProposeAdjustment(
        rider_id=RIDER,
        adjustment_id=name,
        points=points,
        reason=acc.AdjustmentReason.CORRECTION,
        note="entered twice",
    )


def approve(yes: bool = True, name: str = "adj-1") -> acc.DecideAdjustment:
    return acc.DecideAdjustment(rider_id=RIDER, adjustment_id=name, approve=yes)


def proposed(points: int, *before: Fact) -> list[Fact]:
    return [*before, *given(*before).when(propose(points), by=OFFICER).facts]


@pytest.mark.parametrize("points", [1, -1])
def test_a_single_point_can_be_given_and_taken(points: int) -> None:
    facts = proposed(points, *life(earned("one", 10)))
    decision = given(*facts).when(approve(), by=SECOND)
    decision.then(a(acc.PointsAdjusted, points=points))
    assert after(*facts, *decision.facts).available == 10 + points


def test_points_are_given_by_two_officers() -> None:
    facts = proposed(5)
    assert after(*facts) == after(*facts[:-1], account=after(facts[-1]))
    assert after(*facts).version == 0
    decision = given(*facts).when(approve(), by=SECOND)
    decision.then(a(acc.PointsAdjusted, points=5, by=OFFICER, approved_by=SECOND))
    assert after(*facts, *decision.facts).available == 5


def test_points_are_taken_from_what_is_available() -> None:
    facts = proposed(-4, *life(earned("one", 10)))
    decision = given(*facts).when(approve(), by=SECOND)
    decision.then(a(acc.PointsAdjusted, points=-4, parts=(part("one", 4),)))
    assert after(*facts, *decision.facts).available == 6
    too_many = proposed(-11, *life(earned("one", 10)))
    decision = given(*too_many).when(approve(), by=SECOND)
    decision.then_refused("not_enough")
    assert decision.reasons[0].detail == "11 points should go and 10 are available"


@pytest.mark.parametrize(("lot", "name"), [("of-its-own", "of-its-own"), (None, "adj-1")])
def test_what_is_given_is_a_lot_and_before_lots_had_names_the_adjustment(
    lot: str | None, name: str
) -> None:
    account = after(
        acc.PointsAdjusted(
            rider_id=RIDER,
            adjustment_id="adj-1",
            points=5,
            reason=acc.AdjustmentReason.CORRECTION,
            by=OFFICER,
            approved_by=SECOND,
            lot=lot,
        )
    )
    assert list(account.lots) == [name]
    assert (account.lots[name].by_hand, account.lots[name].free) == (True, 5)


def test_an_adjustment_of_nothing_moves_nothing_and_opens_no_lot() -> None:
    """Nobody can propose one; the fold takes in whatever is in the log."""
    (made,) = given(*proposed(5)).when(approve(), by=SECOND).facts
    nothing = made.model_copy(update={"points": 0})
    account = evolve(NO_ACCOUNT, nothing)
    assert (account.balances, account.lots) == ({}, {})
    assert touched(nothing) == ()
    assert lot_after(None, nothing, "adj-1") is None


def test_what_is_owed_is_repaid_from_what_is_given() -> None:
    facts = spent(life(earned("one", 10)), 10)
    facts += given(*facts).when(reverse(), by=OFFICER).facts
    facts = proposed(12, *facts)
    decision = given(*facts).when(approve(), by=SECOND)
    decision.then(a(acc.PointsAdjusted, points=12, repaid=10))
    account = after(*facts, *decision.facts)
    assert (account.available, account.debt) == (2, 0)


def test_a_declined_adjustment_moves_nothing_and_is_done_with() -> None:
    facts = proposed(5)
    decision = given(*facts).when(approve(yes=False), by=SECOND)
    decision.then(a(acc.AdjustmentDeclined, by=SECOND))
    done = [*facts, *decision.facts]
    assert after(*done).version == 0
    given(*done).when(approve(), by=SECOND).then_refused("decided_already")


@pytest.mark.parametrize(
    ("command", "by", "code"),
    [
        (approve(), OFFICER, "same_officer"),
        (approve(), "her-own", "your_own"),
        (approve(), KITE, "not_an_officer"),
        (approve(name="adj-2"), SECOND, "unknown_adjustment"),
        (propose(5), SECOND, "adjustment_exists"),
        (propose(0, "adj-2"), OFFICER, "bad_amount"),
        (propose(5, "adj-2"), "her-own", "your_own"),
        (propose(5, "adj-2"), KITE, "not_an_officer"),
    ],
)
def test_four_eyes_and_none_on_their_own_points(command: Any, by: str, code: str) -> None:
    given(*proposed(5)).when(command, by=by).then_refused(code)


def test_whoever_decides_hears_the_clock_first() -> None:
    waiting = [earned("one", 10, active=NOON + DAY)]
    command = acc.ActivateLot(rider_id=RIDER, lot="one")
    given(*waiting).when(command, by="points", at=NOON).then_nothing()
    late = given(*waiting).when(command, by="points", at=NOON + 400 * DAY)
    late.then(a(acc.PointsActivated, lot="one"), a(acc.PointsExpired, lot="one", points=10))
    given(*waiting, *late.facts).when(command, by="points", at=NOON + 400 * DAY).then_nothing()


def test_what_nobody_knows_is_taken_in_all_the_same() -> None:
    """The fold never refuses: the check of the ledger is what finds it."""
    account: Account = NO_ACCOUNT
    for fact in REVERSED + APPEALED[-1:] + proposed(5)[-1:]:
        account = evolve(NO_ACCOUNT, fact)
        assert account.rider_id in {"", RIDER}
    assert recorded(REVERSED[-1]).body == REVERSED[-1]
