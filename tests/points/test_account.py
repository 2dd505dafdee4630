"""When a rider earns points."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.account import AwardPoints, PointsActivated, PointsAwarded
from contracts.rulebook import Rulebook
from services.points.decider import ACCOUNT
from services.points.rules import Rules
from tests.district import BOOK, KITE, RIDER, document
from tests.given import NOON, Setting, a

given = Setting(ACCOUNT, Rules(BOOK))
SECOND = timedelta(seconds=1)


def award(report_id: str = "r-1", **changes: Any) -> AwardPoints:
    said = {
        "rider_id": RIDER,
        "platform": KITE,
        "report_id": report_id,
        "case_id": report_id,
        "service_code": "bare-wires",
    }
    return AwardPoints.model_validate(said | changes)


AWARDED = PointsAwarded(
    rider_id=RIDER,
    platform=KITE,
    report_id="r-1",
    case_id="r-1",
    service_code="bare-wires",
    points=8,
    rule="condition:bare-wires-plain",
    rulebook="small@1.1.1.1.1",
)


def test_a_report_earns_what_the_rulebook_says_by_a_named_rule() -> None:
    given().when(award(), by="points").then(
        a(PointsAwarded, report_id="r-1", points=8, rule="condition:bare-wires-plain"),
        a(PointsActivated, points=8, repaid=0, expires_at=None),
    )


def test_a_report_earns_once() -> None:
    given(AWARDED).when(award(), by="points").then_nothing()


def test_a_report_earns_once_whatever_the_rules_say_later() -> None:
    services = document()["catalogue"]["services"]
    services[2]["conditions"][0]["points"] = 100
    changed = document(catalogue={"version": 2, "services": services})
    richer = Rulebook.model_validate(changed)
    given(AWARDED, rules=Rules(richer)).when(award(), by="points").then_nothing()
    given(rules=Rules(richer)).when(award(), by="points").then(
        a(PointsAwarded, points=100, rulebook="small@2.1.1.1.1"),
        PointsActivated,
    )


def test_another_report_of_the_same_rider_earns_for_itself() -> None:
    given(AWARDED).when(award("r-2", service_code="garbage"), by="points").then(
        a(PointsAwarded, report_id="r-2", points=5, rule="condition:garbage-plain"),
        PointsActivated,
    )


@pytest.mark.parametrize("code", [None, "ufo"])
def test_without_a_rule_nothing_is_earned_and_it_is_said_why(code: str | None) -> None:
    given().when(award(service_code=code), by="points").then_refused("no_earning_rule")


def test_a_report_that_earned_is_done_with_even_when_its_rule_is_gone() -> None:
    given(AWARDED).when(award(service_code="ufo"), by="points").then_nothing()


def test_each_condition_of_a_kind_earns_its_own_points() -> None:
    given().when(award(condition="bare-wires-worse"), by="points").then(
        a(
            PointsAwarded,
            points=18,
            condition="bare-wires-worse",
            rule="condition:bare-wires-worse",
        ),
        PointsActivated,
    )


def with_rules(*rules: dict[str, Any]) -> Rulebook:
    named = [{"name": "x", **rule} for rule in rules]
    return Rulebook.model_validate(document(earning={"rules": named}))


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({}, True),
        ({"services": ["garbage", "bare-wires"]}, True),
        ({"services": ["garbage"]}, False),
        ({"conditions": ["bare-wires-plain"]}, True),
        ({"conditions": ["bare-wires-worse"]}, False),
        ({"kinds": ["occurrence"]}, True),
        ({"kinds": ["component"]}, False),
        ({"areas": ["a-west"]}, True),
        ({"areas": ["b-east"]}, False),
        ({"first": NOON.isoformat()}, True),
        ({"first": (NOON + SECOND).isoformat()}, False),
        ({"last": (NOON + SECOND).isoformat()}, True),
        ({"last": NOON.isoformat()}, False),
        ({"services": ["bare-wires"], "areas": ["b-east"]}, False),
    ],
)
def test_an_earning_rule_goes_before_where_all_that_it_says_fits(
    rule: dict[str, Any], fits: bool
) -> None:
    book = with_rules({"code": "more", "points": 50, **rule})
    expected = (50, "earning:more") if fits else (8, "condition:bare-wires-plain")
    given(rules=Rules(book)).when(award(area="a-west"), by="points", at=NOON).then(
        a(PointsAwarded, points=expected[0], rule=expected[1]),
        PointsActivated,
    )


def test_the_first_earning_rule_that_fits_counts() -> None:
    book = with_rules(
        {"code": "elsewhere", "points": 7, "areas": ["b-east"]},
        {"code": "here", "points": 9, "areas": ["a-west"]},
        {"code": "anywhere", "points": 11},
    )
    given(rules=Rules(book)).when(award(area="a-west"), by="points").then(
        a(PointsAwarded, points=9, rule="earning:here"),
        PointsActivated,
    )


def test_a_rule_for_an_area_holds_in_its_parts() -> None:
    features = document()["places"]["features"]
    features[0]["properties"] |= {"level": "grid", "parent": "b-east"}
    earning = {"rules": [{"code": "east", "name": "x", "points": 9, "areas": ["b-east"]}]}
    book = Rulebook.model_validate(document(places={"features": features}, earning=earning))
    given(rules=Rules(book)).when(award(area="a-west"), by="points").then(
        a(PointsAwarded, points=9, rule="earning:east"),
        PointsActivated,
    )
