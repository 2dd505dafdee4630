"""A passbook for each rider, an entry for each award."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.account import PointsAwarded
from contracts.envelope import Fact
from services.points.projection import POINTS, EntryRow, PassbookRow
from tests.contracts.examples import EXAMPLES
from tests.district import KITE
from tests.folding import folded, never_raises, rows_of
from tests.given import NOON, recorded


def awarded(rider: str, report: str, points: int) -> PointsAwarded:
    return PointsAwarded(
        rider_id=rider,
        platform=KITE,
        report_id=report,
        case_id=report,
        service_code="garbage",
        points=points,
        rule="service:garbage",
        rulebook="small@1",
    )


LOG = [
    recorded(awarded("ann", "r-1", 5), 3),
    recorded(awarded("bo", "r-2", 8), 4, at=NOON + timedelta(hours=1)),
    recorded(awarded("ann", "r-3", 4), 9),
]


def test_a_passbook_counts_points_and_awards_of_one_rider() -> None:
    rows = folded(POINTS, LOG)
    assert rows["passbook", ("ann",)] == PassbookRow("ann", points=9, awards=2, as_of=9)
    assert rows["passbook", ("bo",)] == PassbookRow("bo", points=8, awards=1, as_of=4)


def test_each_award_is_a_line_that_names_its_rule() -> None:
    rows = folded(POINTS, LOG)
    assert [key for table, key in rows if table == "entry"] == [
        ("ann", "r-1"),
        ("bo", "r-2"),
        ("ann", "r-3"),
    ]
    assert rows["entry", ("bo", "r-2")] == EntryRow(
        rider_id="bo",
        report_id="r-2",
        points=8,
        rule="service:garbage",
        rulebook="small@1",
        service_code="garbage",
        happened_at=NOON + timedelta(hours=1),
        sequence=4,
    )


def test_the_lines_of_a_passbook_add_up_to_its_points() -> None:
    rows = folded(POINTS, LOG)
    for (table, key), row in rows.items():
        if table == "passbook":
            lines = [rows[t, k] for t, k in rows if t == "entry" and k[0] == key[0]]
            assert row.points == sum(line.points for line in lines)
            assert row.awards == len(lines)


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_only_an_award_touches_a_passbook(fact: Fact) -> None:
    tables = [table for table, _ in rows_of(POINTS, fact)]
    assert tables == (["passbook", "entry"] if isinstance(fact, PointsAwarded) else [])


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_any_fact_is_folded_whatever_stands_there(fact: Fact) -> None:
    never_raises(POINTS, fact)
