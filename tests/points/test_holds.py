"""What a redemption does to an account: hold, give back, spend. Invariants L3, L7, L9, L11."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts import account as a
from contracts.envelope import Fact, Refused
from services.points.account import NO_ACCOUNT, Account, entered, evolve
from services.points.holds import hear, hold, post, release
from services.points.invariants import unsound
from tests.given import NOON

RIDER = "ann"
DAY = timedelta(days=1)


def earned(
    lot: str, points: int, *, active: datetime = NOON, days: int | None = 365
) -> a.PointsAwarded:
    return a.PointsAwarded(
        rider_id=RIDER,
        platform="kite",
        report_id=f"report-{lot}",
        case_id=f"report-{lot}",
        service_code="garbage",
        points=points,
        rule="condition:garbage-plain",
        rulebook="small@1.1.1.1.1",
        lot=lot,
        activates_at=active,
        lifetime_days=days,
    )


def after(*facts: Fact, account: Account = NO_ACCOUNT) -> Account:
    for fact in facts:
        account = evolve(account, fact)
    assert list(unsound(account)) == []
    return account


def heard(account: Account, at: datetime) -> Account:
    return after(*hear(account, at), account=account)


def reserve(account: Account, points: int, at: datetime = NOON, name: str = "h1") -> list[Fact]:
    return hold(account, RIDER, hold_id=name, item="umbrella", points=points, at=at)


def resolve(account: Account, how: str, name: str = "h1") -> list[Fact]:
    if how == "post":
        return post(account, hold_id=name, at=NOON)
    return release(account, hold_id=name, because=a.ReleaseReason.CANCELLED, at=NOON)


def refused(call: object) -> str:
    assert isinstance(call, Refused)
    (reason,) = call.reasons
    assert reason.detail
    return reason.code


def kinds(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def part(lot: str, points: int) -> a.LotPart:
    return a.LotPart(lot=lot, points=points)


TWO_LOTS = heard(
    after(earned("later", 10, days=60), earned("sooner", 5, days=30), earned("newer", 7, days=30)),
    NOON,
)


def test_first_to_expire_is_held_first_then_the_oldest() -> None:
    (held,) = reserve(TWO_LOTS, 14)
    assert isinstance(held, a.PointsHeld)
    assert held.parts == (part("sooner", 5), part("newer", 7), part("later", 2))
    assert held.after == a.Balances(version=7, pending=0, available=8, held=14, debt=0)


def test_a_hold_gives_back_the_same_lots_with_the_expiry_they_had() -> None:
    held = after(*reserve(TWO_LOTS, 14), account=TWO_LOTS)
    given = release(held, hold_id="h1", because=a.ReleaseReason.CANCELLED, at=NOON)
    assert kinds(given) == ["PointsReleased"]
    back = after(*given, account=held)
    assert back.lots == TWO_LOTS.lots
    assert (back.available, back.held) == (22, 0)


def test_what_comes_back_after_its_time_expires_at_once() -> None:
    held = after(*reserve(TWO_LOTS, 14), account=TWO_LOTS)
    late = NOON + 30 * DAY
    given = release(held, hold_id="h1", because=a.ReleaseReason.EXPIRED, at=late)
    assert kinds(given) == ["PointsReleased", "PointsExpired", "PointsExpired"]
    back = after(*given, account=held)
    assert (back.available, back.held) == (10, 0)
    assert list(hear(back, late)) == []


def test_what_is_held_does_not_expire_and_can_be_spent_after_its_time() -> None:
    held = after(*reserve(TWO_LOTS, 5), account=TWO_LOTS)
    late = heard(held, NOON + 30 * DAY)
    assert (late.available, late.held) == (10, 5)
    done = after(*post(late, hold_id="h1", at=NOON + 31 * DAY), account=late)
    assert (done.available, done.held, done.balances["redeemed:umbrella"]) == (10, 0, 5)


def test_what_has_expired_is_not_held_however_late_the_clock_is() -> None:
    late = NOON + 30 * DAY
    facts = reserve(TWO_LOTS, 10, at=late)
    assert kinds(facts) == ["PointsExpired", "PointsExpired", "PointsHeld"]
    with pytest.raises(Refused) as refusal:
        reserve(TWO_LOTS, 11, at=late)
    assert refused(refusal.value) == "not_enough"
    assert "11 points are needed and 10 available: 1 are missing" in str(refusal.value)


def test_pending_points_are_not_held_before_their_window_is_over() -> None:
    waiting = after(earned("one", 5, active=NOON + DAY))
    with pytest.raises(Refused) as refusal:
        reserve(waiting, 1, at=NOON + DAY - timedelta(microseconds=1))
    assert refused(refusal.value) == "not_enough"
    assert kinds(reserve(waiting, 5, at=NOON + DAY)) == ["PointsActivated", "PointsHeld"]


def test_a_hold_of_everything_leaves_nothing() -> None:
    held = after(*reserve(TWO_LOTS, 22), account=TWO_LOTS)
    assert (held.available, held.held) == (0, 22)
    with pytest.raises(Refused):
        reserve(held, 1, name="h2")


@pytest.mark.parametrize("points", [0, -1])
def test_no_points_are_not_held(points: int) -> None:
    with pytest.raises(Refused) as refusal:
        reserve(TWO_LOTS, points)
    assert refused(refusal.value) == "bad_amount"


def test_a_hold_is_made_once() -> None:
    held = after(*reserve(TWO_LOTS, 2), account=TWO_LOTS)
    with pytest.raises(Refused) as refusal:
        reserve(held, 2)
    assert refused(refusal.value) == "hold_exists"


@pytest.mark.parametrize("first", ["post", "release"])
@pytest.mark.parametrize("second", ["post", "release"])
def test_a_hold_is_resolved_once(first: str, second: str) -> None:
    account = after(*reserve(TWO_LOTS, 2), account=TWO_LOTS)
    account = after(*resolve(account, first), account=account)
    with pytest.raises(Refused) as refusal:
        resolve(account, second)
    assert refused(refusal.value) == "hold_resolved"


@pytest.mark.parametrize("how", ["post", "release"])
def test_what_was_never_held_is_neither_spent_nor_given_back(how: str) -> None:
    with pytest.raises(Refused) as refusal:
        resolve(TWO_LOTS, how, "h9")
    assert refused(refusal.value) == "unknown_hold"


def test_less_than_was_held_can_be_spent_and_the_remainder_goes_back() -> None:
    held = after(*reserve(TWO_LOTS, 14), account=TWO_LOTS)
    facts = post(held, hold_id="h1", at=NOON, points=6)
    spent, rest = facts
    assert isinstance(spent, a.PointsRedeemed)
    assert isinstance(rest, a.PointsReleased)
    assert spent.parts == (part("sooner", 5), part("newer", 1))
    assert rest.parts == (part("newer", 6), part("later", 2))
    assert rest.because is a.ReleaseReason.REMAINDER
    done = after(*facts, account=held)
    assert (done.available, done.held) == (16, 0)
    assert done.holds["h1"].parts == ()
    with pytest.raises(Refused):
        post(done, hold_id="h1", at=NOON)


@pytest.mark.parametrize("points", [13, 14])
def test_a_hold_that_is_spent_by_half_still_has_the_other_half(points: int) -> None:
    held = after(*reserve(TWO_LOTS, points), account=TWO_LOTS)
    spent, rest = post(held, hold_id="h1", at=NOON, points=1)
    assert isinstance(rest, a.PointsReleased)
    assert after(spent, account=held).holds["h1"].parts == rest.parts


def test_what_passes_is_heard_in_the_order_in_which_it_passed() -> None:
    passed = list(hear(TWO_LOTS, NOON + 60 * DAY))
    assert [fact.lot for fact in passed if isinstance(fact, a.PointsExpired)] == [
        "sooner",
        "newer",
        "later",
    ]


@pytest.mark.parametrize(("points", "code"), [(15, "more_than_held"), (0, "bad_amount")])
def test_not_more_than_was_held_is_spent(points: int, code: str) -> None:
    held = after(*reserve(TWO_LOTS, 14), account=TWO_LOTS)
    with pytest.raises(Refused) as refusal:
        post(held, hold_id="h1", at=NOON, points=points)
    assert refused(refusal.value) == code


def reversed_all(lot: str, points: int, debt: int) -> a.PointsReversed:
    return a.PointsReversed(
        rider_id=RIDER,
        reversal_id=f"reversal-{lot}",
        lot=lot,
        reason=a.ReversalReason.FRAUD,
        points=points,
        debt=debt,
        by="officer",
    )


def test_what_is_owed_is_repaid_from_what_a_hold_gives_back() -> None:
    one = heard(after(earned("one", 10)), NOON)
    held = after(*reserve(one, 10), account=one)
    owing = after(reversed_all("one", 4, 4), account=held)
    assert owing.debt == 4
    facts = release(owing, hold_id="h1", because=a.ReleaseReason.CANCELLED, at=NOON)
    assert kinds(facts) == ["PointsReleased", "DebtRepaid"]
    back = after(*facts, account=owing)
    assert (back.available, back.held, back.debt) == (6, 0, 0)


def test_what_is_owed_is_repaid_first_when_points_become_active() -> None:
    owing = after(earned("one", 10), reversed_all("one", 4, 4))
    (activated,) = hear(owing, NOON)
    assert isinstance(activated, a.PointsActivated)
    assert (activated.points, activated.repaid) == (10, 4)
    paid = after(activated, account=owing)
    assert (paid.available, paid.debt, paid.lots["one"].free) == (6, 0, 6)


def test_each_entry_says_where_the_account_stands_after_it() -> None:
    facts = entered(NO_ACCOUNT, [earned("one", 10), earned("two", 3)])
    assert [fact.after for fact in facts if isinstance(fact, a.Entry)] == [
        a.Balances(version=1, pending=10, available=0, held=0, debt=0),
        a.Balances(version=2, pending=13, available=0, held=0, debt=0),
    ]
