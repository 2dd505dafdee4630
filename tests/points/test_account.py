"""When a rider earns points."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.account import AwardPoints, PointsAwarded
from contracts.rulebook import Rulebook
from services.points.decider import ACCOUNT
from tests.district import BOOK, KITE, RIDER, document
from tests.given import Setting, a

given = Setting(ACCOUNT, BOOK)


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
    rule="service:bare-wires",
    rulebook="small@1",
)


def test_a_report_earns_what_the_rulebook_says_by_a_named_rule() -> None:
    given().when(award(), by="points").then(AWARDED)


def test_a_report_earns_once() -> None:
    given(AWARDED).when(award(), by="points").then_nothing()


def test_a_report_earns_once_whatever_the_rules_say_later() -> None:
    services = document()["services"]
    services[2]["points"] = 100
    richer = Rulebook.model_validate(document(version=2, services=services))
    given(AWARDED, rules=richer).when(award(), by="points").then_nothing()
    given(rules=richer).when(award(), by="points").then(
        a(PointsAwarded, points=100, rulebook="small@2")
    )


def test_another_report_of_the_same_rider_earns_for_itself() -> None:
    given(AWARDED).when(award("r-2", service_code="garbage"), by="points").then(
        a(PointsAwarded, report_id="r-2", points=5, rule="service:garbage")
    )


@pytest.mark.parametrize("code", [None, "ufo"])
def test_without_a_rule_nothing_is_earned_and_it_is_said_why(code: str | None) -> None:
    given().when(award(service_code=code), by="points").then_refused("no_earning_rule")


def test_a_report_that_earned_is_done_with_even_when_its_rule_is_gone() -> None:
    given(AWARDED).when(award(service_code="ufo"), by="points").then_nothing()
