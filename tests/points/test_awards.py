"""What a report earns: shares, limits, bonuses. Ledger invariants L4, L22, L23."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.account import (
    AwardCounted,
    AwardPoints,
    CapName,
    GrantKind,
    GrantPoints,
    PointsActivated,
    PointsAwarded,
    PointsGranted,
    PointsWithheld,
    Standing,
)
from contracts.envelope import Fact, Issued
from contracts.party import PartyKind, PartyRegistered, RoleEnded, RoleGiven, RoleName
from contracts.rulebook import Rulebook
from services.points.account import NO_ACCOUNT, Account, evolve
from services.points.awards import points_by, shared_caps
from services.points.caps import CAP, Shared
from services.points.decider import ACCOUNT
from services.points.decider.account import decide_with
from services.points.decider.account.awarding import award_within
from services.points.parties import Parties
from services.points.rules import Rules
from tests.district import KITE, RIDER, document
from tests.given import NOON, Setting, a, recorded

DAY = timedelta(days=1)
OFFICER = "officer"
PENDING: dict[str, Any] = {"pending_days": 7, "lifetime_days": 365}


def people(*facts: Fact) -> Parties:
    parties = Parties()
    for fact in (
        PartyRegistered(party_id=OFFICER, kind=PartyKind.OFFICER),
        PartyRegistered(party_id="riding-officer", kind=PartyKind.OFFICER, rider_id=RIDER),
        PartyRegistered(party_id=RIDER, kind=PartyKind.RIDER, platform=KITE),
        *facts,
    ):
        parties.heard(recorded(fact))
    return parties


def rules(*facts: Fact, **earning: Any) -> Rules:
    return Rules(Rulebook.model_validate(document(earning=PENDING | earning)), people(*facts))


given = Setting(ACCOUNT, rules())


def award(report_id: str = "r-1", **changes: Any) -> AwardPoints:
    said = {
        "rider_id": RIDER,
        "platform": KITE,
        "report_id": report_id,
        "case_id": "r-1" if changes.get("standing") else report_id,
        "service_code": "bare-wires",
        "area": "a-west",
    }
    return AwardPoints.model_validate(said | changes)


def decided(
    command: AwardPoints,
    by: Rules,
    account: Account = NO_ACCOUNT,
    totals: dict[Shared, int] | None = None,
    at: datetime = NOON,
) -> list[Fact]:
    issued = Issued(command=command, command_id="c", actor="points", at=at)
    return decide_with(issued, account, by, lambda i, acc, r: award_within(i, acc, totals or {}, r))


def folded(facts: list[Fact], account: Account = NO_ACCOUNT) -> Account:
    for fact in facts:
        account = evolve(account, fact)
    return account


def test_an_award_waits_and_its_time_counts_from_then() -> None:
    (awarded,) = decided(award(), rules())
    assert isinstance(awarded, PointsAwarded)
    assert (awarded.activates_at, awarded.lifetime_days) == (NOON + 7 * DAY, 365)
    account = folded([awarded])
    assert (account.pending, account.available) == (8, 0)
    later = decided(award("r-2"), rules(), account, at=NOON + 9 * DAY)
    activated = later[0]
    assert isinstance(activated, PointsActivated)
    assert activated.expires_at == NOON + (7 + 365) * DAY


def test_the_lot_of_an_award_follows_from_report_rule_and_rider_but_not_from_the_version() -> None:
    newer = Rules(Rulebook.model_validate(document(earning=PENDING | {"version": 2})), people())
    lots = {
        fact.lot
        for by in (rules(), newer)
        for fact in decided(award(), by)
        if isinstance(fact, PointsAwarded)
    }
    others = {
        fact.lot
        for command in (award("r-2"), award(rider_id="bo"), award(condition="bare-wires-worse"))
        for fact in decided(command, rules())
        if isinstance(fact, PointsAwarded)
    }
    assert len(lots) == 1
    assert len(others) == 3
    assert not lots & others


@pytest.mark.parametrize(
    ("place", "expected"), [(1, (2,)), (2, (2,)), (3, ())], ids=["first", "last", "too late"]
)
def test_confirmers_earn_a_published_share(place: int, expected: tuple[int, ...]) -> None:
    split = rules(split={"confirmers": 2, "percent": 25})
    command = award("r-9", standing=Standing.CONFIRMER, place=place)
    facts = decided(command, split)
    assert tuple(f.points for f in facts if isinstance(f, PointsAwarded)) == expected
    if not expected:
        (withheld,) = facts
        assert isinstance(withheld, PointsWithheld)
        assert withheld.caps == (CapName.CONFIRMERS,)


def test_a_share_is_a_point_at_least() -> None:
    split = rules(split={"confirmers": 2, "percent": 1})
    (fact,) = decided(award(standing=Standing.CONFIRMER, place=1), split)
    assert isinstance(fact, PointsAwarded)
    assert fact.points == 1


def test_a_rider_earns_once_for_a_case_however_many_reports_they_send() -> None:
    split = rules(split={"confirmers": 5})
    account = folded(decided(award(), split))
    (again,) = decided(award("r-2", standing=Standing.CONFIRMER, place=0), split, account)
    assert isinstance(again, PointsWithheld)
    assert again.caps == (CapName.ONCE_A_CASE,)


def test_what_was_withheld_does_not_earn_later() -> None:
    capped = rules(caps={"rider_day": 8})
    account = folded(decided(award(), capped))
    account = folded(decided(award("r-2"), capped, account), account)
    assert decided(award("r-2"), rules(), account) == []


@pytest.mark.parametrize(
    ("caps", "name"),
    [
        ({"rider_day": 10}, CapName.RIDER_DAY),
        ({"rider_month": 10}, CapName.RIDER_MONTH),
    ],
)
def test_a_rider_earns_up_to_the_limit_and_then_nothing(
    caps: dict[str, int], name: CapName
) -> None:
    by, account = rules(caps=caps), NO_ACCOUNT
    earned = []
    for n in range(3):
        facts = decided(award(f"r-{n}"), by, account)
        account = folded(facts, account)
        earned += [f.points if isinstance(f, PointsAwarded) else f.caps for f in facts]  # type: ignore[attr-defined]
    assert earned == [8, 2, (name,)]


@pytest.mark.parametrize(
    ("hours", "caps", "points"),
    [
        (11, {"rider_day": 10}, 2),
        (12, {"rider_day": 10}, 8),
        (28 * 24 + 11, {"rider_month": 10}, 2),
        (28 * 24 + 12, {"rider_month": 10}, 8),
    ],
)
def test_a_day_is_the_day_of_the_report_in_the_district(
    hours: int, caps: dict[str, int], points: int
) -> None:
    """Noon in China, so the day ends twelve hours later, and the month with the 28th one after."""
    by = rules(caps=caps)
    account = folded(decided(award(reported_at=NOON), by))
    later = award("r-2", reported_at=NOON + timedelta(hours=hours))
    facts = decided(later, by, account, at=NOON + 90 * DAY)
    assert [f.points for f in facts if isinstance(f, PointsAwarded)] == [points]


def test_what_others_earned_at_the_place_and_for_the_case_counts() -> None:
    by = rules(caps={"place_day": 20, "cluster_percent": 150}, split={"confirmers": 9})
    command = award("r-5", standing=Standing.CONFIRMER, place=1)
    place, cluster = shared_caps(command, NOON, by)
    assert (place.cap, cluster.cap) == (CapName.PLACE_DAY, CapName.CLUSTER)
    for used, earns in (((0, 0), 2), ((19, 0), 1), ((0, 11), 1), ((20, 0), 0), ((0, 12), 0)):
        totals = dict(zip((place, cluster), used, strict=True))
        facts = decided(command, by, totals=totals)
        assert sum(f.points for f in facts if isinstance(f, PointsAwarded)) == earns
        counted = [f for f in facts if isinstance(f, AwardCounted)]
        assert [f.points for f in counted] == [earns, earns][: 2 * bool(earns)]
        assert [CAP.fold(f for f in counted if f.cap_id == s.cap_id) for s in totals] == (
            [earns, earns]
        )


def test_a_limit_that_is_shared_has_a_stream_id_of_its_own() -> None:
    by = rules(caps={"place_day": 20, "cluster_percent": 150})
    first = shared_caps(award(reported_at=NOON), NOON, by)
    assert first == shared_caps(award("r-1", rider_id="bo", reported_at=NOON), NOON, by)
    tomorrow = shared_caps(award(reported_at=NOON + DAY), NOON, by)
    assert first[0].cap_id != tomorrow[0].cap_id
    assert first[1] == tomorrow[1]
    assert shared_caps(award(area=None), NOON, by) == first[1:]
    assert shared_caps(award(), NOON, rules()) == ()


def test_a_limit_keeps_its_stream_id_for_good() -> None:
    assert Shared(CapName.CLUSTER, "case-1").cap_id == "cluster-8cb89a38fc7afb79abc1e54a020df3fc"


def test_a_shared_limit_of_which_nothing_is_known_has_counted_nothing() -> None:
    (awarded, *_) = decided(award(), rules(caps={"place_day": 20, "cluster_percent": 150}))
    assert isinstance(awarded, PointsAwarded)
    assert awarded.inputs is not None
    assert [counted.before for counted in awarded.inputs.counted] == [0, 0]


def role(first: datetime, last: datetime | None = None) -> RoleGiven:
    return RoleGiven(
        party_id=RIDER, role=RoleName.GRID_MEMBER, first=first, last=last, by="street-west"
    )


ENDED = RoleEnded(party_id=RIDER, role=RoleName.GRID_MEMBER, at=NOON, by="street-west")
BONUS: dict[str, Any] = {"bonuses": [{"role": "grid_member", "percent": 50}]}


@pytest.mark.parametrize(
    ("facts", "bonus"),
    [
        ([role(NOON)], 4),
        ([role(NOON + timedelta(microseconds=1))], None),
        ([role(NOON - DAY, NOON)], None),
        ([role(NOON - DAY, NOON + timedelta(microseconds=1))], 4),
        ([role(NOON - DAY), ENDED], None),
        ([role(NOON - DAY), ENDED.model_copy(update={"at": NOON + DAY})], 4),
        ([], None),
    ],
)
def test_a_role_counts_as_it_was_held_when_it_was_reported(
    facts: list[Fact], bonus: int | None
) -> None:
    by = rules(*facts, **BONUS)
    found = decided(award(reported_at=NOON), by, at=NOON + 30 * DAY)
    bonuses = [f for f in found if isinstance(f, PointsAwarded) and f.rule == "role:grid_member"]
    assert [f.points for f in bonuses] == ([bonus] if bonus else [])


def test_a_bonus_is_an_entry_of_its_own_within_the_same_limits() -> None:
    by = rules(role(NOON), **BONUS, caps={"rider_day": 10})
    base, bonus = decided(award(), by)
    assert isinstance(base, PointsAwarded)
    assert isinstance(bonus, PointsAwarded)
    assert (base.points, bonus.points) == (8, 2)
    assert base.lot != bonus.lot
    assert bonus.inputs is not None
    assert bonus.inputs.counted[0].before == 8


@pytest.mark.parametrize(
    ("only", "fits"),
    [
        ({"services": ["garbage"]}, False),
        ({"kinds": ["occurrence"]}, True),
        ({"kinds": ["need"]}, False),
    ],
)
def test_a_bonus_may_be_for_some_kinds_only(only: dict[str, Any], fits: bool) -> None:
    by = rules(role(NOON), bonuses=[{"role": "grid_member", "percent": 50, **only}])
    assert len(decided(award(), by)) == 1 + fits


def test_every_award_can_be_recomputed_from_its_inputs() -> None:
    by = rules(role(NOON), **BONUS, caps={"rider_day": 11, "rider_month": 30})
    account = NO_ACCOUNT
    for n in range(5):
        facts = decided(award(f"r-{n}"), by, account)
        account = folded(facts, account)
        for fact in facts:
            if isinstance(fact, PointsAwarded) and fact.inputs:
                assert points_by(fact.inputs) == fact.points
            if isinstance(fact, PointsWithheld):
                assert points_by(fact.inputs) == 0


ACTS: dict[str, Any] = {
    "acts": [{"code": "escort", "name": "x", "points": 10, "per_month": 2}],
    "honours": [{"code": "best", "name": "x", "points": 50}],
}


def grant(occasion: str, **changes: Any) -> GrantPoints:
    said: dict[str, Any] = {"rider_id": RIDER, "kind": GrantKind.ACT, "code": "escort"}
    return GrantPoints.model_validate({**said, "occasion": occasion, **changes})


def test_an_officer_grants_what_the_document_gives_for_an_act_once_for_an_occasion() -> None:
    by = rules(**ACTS)
    first = given(rules=by).when(grant("june-7"), by=OFFICER)
    first.then(a(PointsGranted, points=10, rule="act:escort", by=OFFICER))
    given(*first.facts, rules=by).when(grant("june-7"), by=OFFICER).then_nothing()
    given(*first.facts, rules=by).when(grant("june-8"), by=OFFICER).then(PointsGranted)


def test_an_act_earns_so_often_a_month() -> None:
    by = rules(**ACTS)
    facts: list[Fact] = []
    for before in (0, 1):
        decision = given(*facts, rules=by).when(grant(f"june-{before}"), by=OFFICER)
        decision.then(PointsGranted)
        facts += decision.facts
        assert isinstance(granted := facts[-1], PointsGranted)
        assert [counted.before for counted in granted.inputs.counted] == [before]
    decision = given(*facts, rules=by).when(grant("june-9"), by=OFFICER)
    decision.then_refused("limit_reached")
    assert decision.reasons[0].detail == "'escort' earns 2 times a month, and did in 2026-05"
    later = grant("june-9", done_at=NOON + 31 * DAY)
    given(*facts, rules=by).when(later, by=OFFICER).then(PointsGranted)


def test_an_honour_is_granted_by_its_rule() -> None:
    honour = grant("2026-05", kind=GrantKind.HONOUR, code="best")
    given(rules=rules(**ACTS)).when(honour, by=OFFICER).then(
        a(PointsGranted, points=50, rule="honour:best")
    )


@pytest.mark.parametrize(
    ("command", "by", "code"),
    [
        (grant("x", code="unheard-of"), OFFICER, "no_earning_rule"),
        (grant("x", kind=GrantKind.HONOUR), OFFICER, "no_earning_rule"),
        (grant("x"), KITE, "not_an_officer"),
        (grant("x"), "riding-officer", "your_own"),
        (grant("x", rider_id=OFFICER), OFFICER, "your_own"),
    ],
)
def test_nobody_else_grants_and_nothing_else(command: GrantPoints, by: str, code: str) -> None:
    given(rules=rules(**ACTS)).when(command, by=by).then_refused(code)
