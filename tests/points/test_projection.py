"""The ledger as rows: a passbook for each rider, entries, lots, and the chart of accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts import account as a
from contracts.envelope import Fact, Recorded
from services.points.account import NO_ACCOUNT, evolve
from services.points.holds import hear, hold, post
from services.points.postings import ENTRIES
from services.points.projection import POINTS, EntryRow, PassbookRow
from services.points.tables.ledger import lot_row
from tests.contracts.examples import EXAMPLES
from tests.folding import folded, never_raises, rows_of
from tests.given import NOON, recorded
from tests.points.test_holds import earned

DAY = timedelta(days=1)


def a_life() -> list[Fact]:
    """Two lots, a redemption of one of them and a bit, and the rest expires."""
    account, facts = NO_ACCOUNT, list[Fact]()

    def happen(more: list[Fact]) -> None:
        nonlocal account
        for fact in more:
            account = evolve(account, fact)
            facts.append(fact)

    happen([earned("one", 5, days=30), earned("two", 8, days=60)])
    happen(list(hear(account, NOON)))
    happen(hold(account, "ann", hold_id="h1", item="umbrella", points=6, at=NOON))
    happen(post(account, hold_id="h1", at=NOON))
    happen(list(hear(account, NOON + 60 * DAY)))
    return facts


LIFE = [recorded(fact, n, at=NOON + n * DAY) for n, fact in enumerate(a_life(), start=3)]
ROWS = folded(POINTS, LIFE)


def of(table: str) -> list[Any]:
    return [row for (name, _), row in ROWS.items() if name == table]


def test_a_passbook_shows_what_a_rider_has_had_and_has() -> None:
    assert of("passbook") == [
        PassbookRow(
            rider_id="ann",
            pending=0,
            available=0,
            held=0,
            debt=0,
            lifetime=13,
            spent=6,
            expired=7,
            reversed=0,
            adjusted=0,
            awards=2,
            version=7,
            as_of=9,
        )
    ]


def test_each_transfer_is_a_line_that_names_its_report_and_its_rule() -> None:
    lines = of("entry")
    assert [(e.entry, e.source, e.target, e.points) for e in lines] == [
        ("PointsAwarded", "issue:condition:garbage-plain", "rider:ann:pending", 5),
        ("PointsAwarded", "issue:condition:garbage-plain", "rider:ann:pending", 8),
        ("PointsActivated", "rider:ann:pending", "rider:ann:available", 5),
        ("PointsActivated", "rider:ann:pending", "rider:ann:available", 8),
        ("PointsHeld", "rider:ann:available", "rider:ann:held", 6),
        ("PointsRedeemed", "rider:ann:held", "redeemed:umbrella", 6),
        ("PointsExpired", "rider:ann:available", "expired", 7),
    ]
    first = lines[0]
    assert isinstance(first, EntryRow)
    assert (first.report_id, first.rule, first.rulebook) == (
        "report-one",
        "condition:garbage-plain",
        "small@1.1.1.1.1",
    )
    assert (first.event_at, first.sequence, first.leg) == (NOON + 3 * DAY, 3, 0)


def test_the_chart_of_accounts_is_nothing_in_all() -> None:
    accounts = {row.account: row.credits - row.debits for row in of("balance")}
    assert sum(accounts.values()) == 0
    assert accounts == {
        "issue:condition:garbage-plain": -13,
        "rider:ann:pending": 0,
        "rider:ann:available": 0,
        "rider:ann:held": 0,
        "redeemed:umbrella": 6,
        "expired": 7,
    }


def test_the_rows_of_lots_are_the_lots_that_decisions_rest_on() -> None:
    account = NO_ACCOUNT
    for fact in LIFE:
        account = evolve(account, fact.body)
    assert of("lot") == [lot_row("ann", lot) for lot in account.lots.values()]


def test_a_lot_says_when_the_clock_has_to_look_at_it() -> None:
    def due(facts: list[Recorded]) -> Any:
        return folded(POINTS, facts)["lot", ("ann", "two")].due_at

    assert due(LIFE[:2]) == NOON
    assert due(LIFE[:4]) == NOON + 60 * DAY
    assert due(LIFE) is None


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_only_an_entry_touches_the_ledger(fact: Fact) -> None:
    tables = {table for table, _ in rows_of(POINTS, fact)}
    assert ("passbook" in tables) is ("entry" in tables) is isinstance(fact, ENTRIES)


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_any_fact_is_folded_whatever_stands_there(fact: Fact) -> None:
    never_raises(POINTS, fact)


def test_an_award_without_a_window_can_be_spent_at_once() -> None:
    """As awards were written before there were lots."""
    old = earned("x", 5).model_copy(update={"lot": None, "activates_at": None})
    rows = folded(POINTS, [recorded(old, 3)])
    assert rows["passbook", ("ann",)].available == 5
    assert rows["lot", ("ann", "report-x")].due_at is None
    assert isinstance(old, a.PointsAwarded)
