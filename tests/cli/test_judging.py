"""Reports of a period judged by two rulebooks, side by side."""

from __future__ import annotations

from typing import Any

import pytest

from cli.judging import Asked, Comparison, Pair
from contracts.rulebook import Rulebook
from tests.district import BOOK, FIRE, IN_EAST, SANITATION, document
from tests.given import NOON


def other(**changes: Any) -> Comparison:
    """What a change of the catalogue's first service, or of routing, would do to a few reports."""
    given = document()
    given["catalogue"]["services"][0] |= changes.get("service", {})
    given["catalogue"]["services"][0]["conditions"][1] |= changes.get("worse", {})
    for role in given["routing"]["roles"]:
        if role["code"] == "asset-owner":
            role["holders"] += changes.get("owners", [])
    pair, found = Pair(BOOK, Rulebook.model_validate(given).documents), Comparison()
    pair.compare(REPORTS, found)
    return found


REPORTS = [
    Asked("plain", "garbage", IN_EAST, NOON),
    Asked("worse", "garbage", IN_EAST, NOON, condition="garbage-worse"),
    Asked("ours", "cover", IN_EAST, NOON, asset="33010100017"),
    Asked("nobody's", "cover", IN_EAST, NOON),
    Asked("unplaced", None, None, NOON),
]


def test_the_same_rules_judge_the_same() -> None:
    found = other()
    assert (found.reports, found.differences) == (5, [])
    assert found.points_before == found.points_after


@pytest.mark.parametrize(
    ("changes", "elsewhere", "other_time", "other_points"),
    [
        ({"worse": {"limit": "2 urgent_hours"}}, [], ["worse"], []),
        ({"worse": {"points": 99}}, [], [], ["worse"]),
        ({"service": {"accountable": FIRE}}, ["plain", "worse"], [], []),
        ({"owners": [{"asset": "33010100017", "unit": SANITATION}]}, ["ours"], [], []),
    ],
    ids=["limit", "points", "unit", "owner"],
)
def test_a_change_reaches_the_reports_that_it_is_about(
    changes: dict[str, Any], elsewhere: list[str], other_time: list[str], other_points: list[str]
) -> None:
    found = other(**changes)
    assert [d.one.report_id for d in found.differences if d.elsewhere] == elsewhere
    assert [d.one.report_id for d in found.differences if d.other_time] == other_time
    assert [d.one.report_id for d in found.differences if d.other_points] == other_points
