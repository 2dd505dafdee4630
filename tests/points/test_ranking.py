"""The ranking: a formula over the log, with ties, corrections and who is left out."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count, permutations
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from contracts.account import PointsAwarded, PointsRestored, PointsReversed, ReversalReason
from contracts.case import CaseClosed, CaseReopened, CloseOutcome
from contracts.envelope import Fact, Recorded
from contracts.party import RiderErased
from services.points.ranking import Merits, Ranking, merits
from tests.given import CHINA, NOON, recorded

MONTH = "2026-05"
_numbers = count(1)


def awarded(rider: str, points: int = 5, lot: str | None = None, **changes: Any) -> PointsAwarded:
    number = next(_numbers)
    given = {
        "rider_id": rider,
        "platform": "kite",
        "report_id": f"r-{number}",
        "case_id": f"r-{number}",
        "service_code": "garbage",
        "points": points,
        "rule": "condition:garbage-plain",
        "rulebook": "small@1",
        "lot": lot or f"lot-{number}",
    }
    return PointsAwarded.model_validate(given | changes)


def reversal(rider: str, lot: str, points: int = 5) -> PointsReversed:
    return PointsReversed(
        rider_id=rider,
        reversal_id=f"back-{lot}",
        lot=lot,
        reason=ReversalReason.FRAUD,
        points=points,
        by="officer",
    )


def closed(rider: str, outcome: CloseOutcome, case: str | None = None) -> CaseClosed:
    case = case or f"c-{next(_numbers)}"
    return CaseClosed(
        case_id=case,
        report_id=case,
        rider_id=rider,
        platform="kite",
        outcome=outcome,
        closed_at=NOON,
    )


def log(*facts: Fact, at: datetime = NOON) -> list[Recorded]:
    return [recorded(fact, sequence, at=at) for sequence, fact in enumerate(facts, start=1)]


def ranking(*facts: Fact, period: str = MONTH) -> Ranking:
    return merits(log(*facts), CHINA).ranking(period)


def places(of: Ranking) -> list[tuple[int, str, int]]:
    return [(line.place, line.rider_id, line.score) for line in of.lines]


def three(rider: str, points: int = 5) -> list[PointsAwarded]:
    return [awarded(rider, points) for _ in range(3)]


def test_most_points_come_first() -> None:
    found = ranking(*three("ann", 5), *three("bo", 7), *three("cai", 2))
    assert places(found) == [(1, "bo", 21), (2, "ann", 15), (3, "cai", 6)]


def test_of_equal_points_more_results_come_first_then_the_higher_accuracy() -> None:
    many = [awarded("bo", 3) for _ in range(5)]
    wrong = [closed("cai", CloseOutcome.FIXED) for _ in range(9)]
    unfounded = closed("cai", CloseOutcome.UNFOUNDED)
    found = ranking(*three("ann"), *many, *three("cai"), *wrong, unfounded)
    assert places(found) == [(1, "bo", 15), (2, "ann", 15), (3, "cai", 15)]


def test_equal_riders_share_a_place_and_the_next_ones_are_left_out() -> None:
    found = ranking(*three("cai"), *three("ann"), *three("bo", 9), *three("di", 1))
    assert places(found) == [(1, "bo", 27), (2, "ann", 15), (2, "cai", 15), (4, "di", 3)]


def test_whoever_has_few_results_or_is_often_wrong_is_not_ranked_and_it_is_said() -> None:
    wrong = [closed("bo", CloseOutcome.UNFOUNDED) for _ in range(2)]
    right = [closed("bo", CloseOutcome.FIXED) for _ in range(3)]
    found = ranking(awarded("ann", 900), *three("bo"), *wrong, *right)
    assert places(found) == []
    assert [(one.rider_id, one.why, one.accuracy) for one in found.unranked] == [
        ("ann", "few_results", 100),
        ("bo", "low_accuracy", 60),
    ]


def test_what_was_taken_back_does_not_count_until_it_is_given_back() -> None:
    facts = [*three("ann"), awarded("ann", 50, "lot-x")]
    taken = [*facts, reversal("ann", "lot-x", 50)]
    assert places(ranking(*facts)) == [(1, "ann", 65)]
    assert places(ranking(*taken)) == [(1, "ann", 15)]
    restored = PointsRestored(
        rider_id="ann",
        reversal_id="back-lot-x",
        points=50,
        lot="lot-y",
        by="officer-2",
        note="right after all",
    )
    assert places(ranking(*taken, restored)) == [(1, "ann", 65)]


def test_a_case_that_is_open_again_judges_nobody() -> None:
    right = [closed("ann", CloseOutcome.FIXED) for _ in range(2)]
    wrong = closed("ann", CloseOutcome.UNFOUNDED, "c-x")
    reopened = CaseReopened.model_construct(case_id="c-x")
    fixed = closed("ann", CloseOutcome.FIXED, "c-x")
    assert places(ranking(*three("ann"), *right, wrong)) == []
    assert places(ranking(*three("ann"), *right, wrong, reopened)) == [(1, "ann", 15)]
    assert ranking(*three("ann"), *right, wrong, reopened, fixed).lines[0].accuracy == 100


def test_a_bonus_for_a_role_is_no_merit_and_who_is_erased_is_not_named() -> None:
    bonus = awarded("ann", 90, rule="role:grid_member")
    assert places(ranking(*three("ann"), bonus)) == [(1, "ann", 15)]
    gone = RiderErased.model_construct(party_id="ann")
    assert places(ranking(*three("ann"), *three("bo", 1), gone)) == [(1, "bo", 3)]


def test_a_month_is_that_of_the_district_and_a_year_is_its_months() -> None:
    new_year = datetime(2026, 1, 1, 0, 30, tzinfo=CHINA)
    facts = [awarded("ann") for _ in range(12)]
    counted = merits(log(*facts, at=new_year.astimezone(tz=None)), CHINA)
    assert places(counted.ranking("2026-01")) == [(1, "ann", 60)]
    assert places(counted.ranking("2026")) == [(1, "ann", 60)]
    assert places(counted.ranking("2025-12")) == []
    before = merits(log(*facts, at=new_year - timedelta(hours=1)), CHINA)
    assert places(before.ranking("2025")) == [(1, "ann", 60)]
    eleven = merits(log(*facts[1:], at=new_year), CHINA).ranking("2026")
    assert [one.why for one in eleven.unranked] == ["few_results"]


def test_whoever_computes_it_again_gets_the_same_digest() -> None:
    facts = [*three("ann"), *three("bo"), *three("cai", 4)]
    assert ranking(*facts).digest == ranking(*facts).digest
    assert ranking(*facts).digest != ranking(*facts, awarded("ann", 1)).digest


RIDERS = st.sampled_from(["ann", "bo", "cai", "di", "eve"])


@for_all(st.lists(st.tuples(RIDERS, st.integers(1, 9)), max_size=40))
def test_order_always_follows_the_numbers_that_are_shown(earned: list[tuple[str, int]]) -> None:
    found = ranking(*(awarded(rider, points) for rider, points in earned))
    shown = [(-line.score, -line.results, -line.accuracy) for line in found.lines]
    assert shown == sorted(shown)
    for line, merit in zip(found.lines, shown, strict=True):
        assert line.place == 1 + sum(other < merit for other in shown)
    named = {one.rider_id for one in found.lines} | {one.rider_id for one in found.unranked}
    assert named == {rider for rider, _ in earned}


def test_riders_are_ranked_alike_in_whatever_order_their_facts_come() -> None:
    facts = [*three("ann"), reversal("bo", "lot-q"), awarded("bo", 5, "lot-q")]
    seen = set()
    for order in permutations(facts[2:]):
        counted = Merits(CHINA)
        for fact in log(*facts[:2], *order):
            counted.hear(fact)
        seen.add(tuple(places(counted.ranking(MONTH))))
    assert len(seen) == 1
