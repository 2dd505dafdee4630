"""The public ledger names nobody, and adds up to the private one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given as for_all
from hypothesis import strategies as st

from contracts.account import LotPart, PointsRedeemed
from contracts.envelope import Recorded
from services.points.codes import pseudonym_of
from services.points.public import SMALLEST, differences, private_sums, published
from services.points.tables.takes import PublicRow
from tests.given import CHINA, recorded
from tests.points.store import SECRET, words

MAY, JUNE = "2026-05", "2026-06"


def row(number: int, item: str = "item-a", month: str = MAY, points: int = 3) -> PublicRow:
    return PublicRow(item, number, words(item), points, month, 1 + number % 3, f"P{number:07}")


def spent(shown: PublicRow) -> Recorded:
    """The same redemption in the rider's account."""
    body = PointsRedeemed(
        rider_id=f"rider-{shown.sequence}",
        hold_id=f"take-{shown.sequence}",
        item=shown.item_id,
        points=shown.points,
        parts=(LotPart(lot="l", points=shown.points),),
    )
    year, month = map(int, shown.month.split("-"))
    return recorded(body, shown.sequence, at=datetime(year, month, 15, tzinfo=CHINA))


def test_a_line_has_item_points_third_of_the_month_and_a_pseudonym_and_no_more() -> None:
    ledger = published(row(n) for n in range(SMALLEST))
    assert len(ledger.lines) == SMALLEST
    assert set(ledger.lines[0].__slots__) == {"month", "part", "item_id", "points", "pseudonym"}


def test_lines_do_not_stand_in_the_order_in_which_things_were_handed_over() -> None:
    rows = [row(n) for n in range(9)]
    assert published(rows).lines == published(reversed(rows)).lines


def test_what_few_have_taken_has_no_lines_but_is_counted() -> None:
    few = [row(n, "item-b") for n in range(SMALLEST - 1)]
    ledger = published([*few, *(row(10 + n) for n in range(SMALLEST))])
    assert {line.item_id for line in ledger.lines} == {"item-a"}
    by_item = {total.item_id: total for total in ledger.totals}
    assert (by_item["item-b"].redemptions, by_item["item-b"].suppressed) == (4, 4)
    assert (by_item["item-b"].points, by_item["item-a"].suppressed) == (12, 0)


def test_a_month_is_shown_by_itself() -> None:
    rows = [row(n, month=JUNE if n % 2 else MAY) for n in range(12)]
    assert {total.month for total in published(rows, JUNE).totals} == {JUNE}


def test_a_pseudonym_is_another_one_every_month_and_for_every_rider() -> None:
    names = {pseudonym_of(SECRET, rider, month) for rider in "abcdef" for month in (MAY, JUNE)}
    assert len(names) == 12
    assert pseudonym_of(SECRET, "a", MAY) == pseudonym_of(SECRET, "a", MAY)
    assert pseudonym_of(b"another secret", "a", MAY) not in names


ROWS = st.lists(
    st.builds(
        lambda item, month, points: ("item-" + item, month, points),
        st.sampled_from("abc"),
        st.sampled_from([MAY, JUNE]),
        st.integers(2, 50),
    ),
    max_size=30,
).map(lambda made: [row(n, *one) for n, one in enumerate(made, start=1)])


@for_all(ROWS)
def test_its_sums_are_those_of_the_accounts(rows: list[PublicRow]) -> None:
    ledger = published(rows)
    private = private_sums([spent(one) for one in rows], CHINA)
    assert list(differences(ledger.sums, private)) == []
    shown = {(t.item_id, t.month): t.redemptions - t.suppressed for t in ledger.totals}
    for of, count in shown.items():
        assert count == sum((line.item_id, line.month) == of for line in ledger.lines)
        assert count == 0 or count >= SMALLEST


@for_all(ROWS.filter(bool), st.data())
def test_a_line_that_is_dropped_or_changed_is_found(
    rows: list[PublicRow], data: st.DataObject
) -> None:
    private = private_sums([spent(one) for one in rows], CHINA)
    victim = data.draw(st.integers(0, len(rows) - 1))
    dropped = [one for n, one in enumerate(rows) if n != victim]
    assert len(list(differences(published(dropped).sums, private))) == 1
    dearer = [
        replace(one, points=one.points + 1) if n == victim else one for n, one in enumerate(rows)
    ]
    assert len(list(differences(published(dearer).sums, private))) == 1
