"""Declaring a table, and folding in memory. No server is needed to know how rows follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest

from contracts.case import CloseOutcome
from contracts.envelope import Fact, Reason, Recorded
from eventlog.columns import columns_of
from eventlog.projection import Changes, Folding, Key, Table, Unfoldable
from tests.eventlog.site import accepted, awarded, closed, opened
from tests.eventlog.tally import TALLY, OpenCase, Purse, purse, riders

AT = datetime(2026, 5, 3, 14, 5, tzinfo=UTC)


def recorded(fact: Fact, sequence: int = 1) -> Recorded:
    return Recorded(
        sequence=sequence,
        recorded_at=AT,
        subject=f"log.{fact.stream}.{fact.stream_id}",
        fact_id=f"{sequence}",
        command_id=f"c{sequence}",
        fingerprint="",
        happened_at=AT,
        actor="tester",
        source="/waggle/test",
        cause=None,
        correlation=None,
        history=False,
        previous_hash="",
        hash="",
        trace=None,
        body=fact,
    )


def fold(folding: Folding, *facts: Recorded, stored: tuple[Any, ...] = ()) -> None:
    """Fold facts as a runner does, `stored` being what the database has."""
    for fact in facts:
        touched = folding.touched(fact)
        for number, keys in folding.missing(touched):
            table = TALLY.tables[number]
            there = [
                row for row in stored if type(row) is table.row and table.key_of()(row) in keys
            ]
            folding.know(number, keys, there)
        folding.fold(fact, touched)


def changes(folding: Folding) -> dict[str, Changes]:
    return {TALLY.tables[table].name: found for table, found in folding.changes()}


def test_a_column_has_the_type_of_its_field() -> None:
    @dataclass(frozen=True, slots=True)
    class Everything:
        a: int
        b: str
        c: float
        d: bool
        e: datetime
        f: date
        g: Decimal
        h: bytes
        i: CloseOutcome
        j: str | None
        k: tuple[int, ...]
        l: dict[str, int] | None  # noqa: E741
        m: Reason
        n: Annotated[int, "a mark"]
        o: int | str

    assert [(c.type, c.nullable) for c in columns_of(Everything)] == [
        ("bigint", False),
        ("text", False),
        ("double precision", False),
        ("boolean", False),
        ("timestamptz", False),
        ("date", False),
        ("numeric", False),
        ("bytea", False),
        ("text", False),
        ("text", True),
        ("jsonb", False),
        ("jsonb", True),
        ("jsonb", False),
        ("bigint", False),
        ("jsonb", False),
    ]


def test_a_json_column_gives_back_what_was_put_in() -> None:
    reason = next(column for column in columns_of(OpenCase) if column.name == "reason")
    value = Reason(code="no_text", detail="没有文字")

    assert reason.write is not None
    assert reason.read is not None
    assert reason.read(reason.write(value)) == value


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "Purse"}, "name: lower-case"),
        ({"name": "checkpoint"}, "taken by the runner"),
        ({"key": ()}, "at least one column"),
        ({"key": ("nobody",)}, "no column 'nobody'"),
        ({"indexes": ("points, nobody",)}, "no column 'nobody'"),
        ({"fold": None}, "fold, fold_key: one of the two"),
        ({"row": int}, "a row is a frozen dataclass"),
    ],
)
def test_a_wrong_declaration_is_refused_with_what_is_wrong(
    change: dict[str, Any], complaint: str
) -> None:
    right: dict[str, Any] = {
        "name": "purse",
        "row": Purse,
        "key": ("rider",),
        "keys": riders,
        "fold": purse,
    }
    Table(**right)

    with pytest.raises((ValueError, TypeError), match=complaint):
        Table(**(right | change))


def test_a_key_that_may_be_missing_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Odd:
        name: str | None

    def nothing(_: Recorded) -> Iterator[Key]:
        yield from ()

    with pytest.raises(ValueError, match="'name' is of a type that cannot be a key"):
        Table("odd", Odd, key=("name",), keys=nothing, fold=lambda row, _: row)


def test_a_projection_needs_a_name_and_tables_of_different_names() -> None:
    for wrong in (
        {"name": "Tally"},
        {"tables": ()},
        {"subjects": ()},
        {"tables": TALLY.tables * 2},
    ):
        with pytest.raises(ValueError, match="projection"):
            replace(TALLY, **wrong)


def test_a_row_follows_from_the_row_before_and_the_fact() -> None:
    folding = Folding(TALLY)

    fold(folding, recorded(awarded("ann", 5), 1), recorded(awarded("ann", 3), 2))

    assert changes(folding)["purse"] == Changes([Purse("ann", 8, 2, 2)], [], [])


def test_what_was_stored_is_changed_and_what_was_not_is_new() -> None:
    folding = Folding(TALLY)

    fold(
        folding,
        recorded(awarded("ann", 5), 7),
        recorded(awarded("bob", 1), 8),
        stored=(Purse("ann", 10, 1, 3),),
    )

    found = changes(folding)["purse"]
    assert found.changed == [Purse("ann", 15, 2, 7)]
    assert found.new == [Purse("bob", 1, 1, 8)]


def test_a_row_that_comes_and_goes_in_one_batch_is_never_written() -> None:
    folding = Folding(TALLY)

    fold(folding, recorded(opened("c1"), 1), recorded(accepted("c1"), 2), recorded(closed("c1"), 3))

    assert changes(folding)["open_case"] == Changes([], [], [])


def test_a_stored_row_that_goes_is_taken_away_and_may_come_back() -> None:
    folding = Folding(TALLY)
    before = OpenCase("c1", None, None, AT, ("opened",), None, 0.1, False)

    fold(folding, recorded(closed("c1"), 2), stored=(before,))
    assert changes(folding)["open_case"].gone == [("c1",)]

    fold(folding, recorded(opened("c1"), 3))
    assert [row.case for row in changes(folding)["open_case"].changed] == ["c1"]


def test_a_fact_can_touch_several_rows_of_a_table() -> None:
    folding = Folding(TALLY)

    fold(
        folding,
        recorded(awarded("ann", 5, code="garbage"), 1),
        recorded(awarded("bob", 5, code="lamp"), 2),
    )

    assert {(row.code, row.awards) for row in changes(folding)["count"].new} == {
        ("garbage", 1),
        ("lamp", 1),
        ("all", 2),
    }


def test_a_fact_is_folded_into_all_its_rows_or_into_none() -> None:
    def breaks(row: Any, fact: Recorded, key: Key) -> Any:
        raise RuntimeError("no")

    broken = replace(TALLY.tables[1], fold_key=breaks)
    folding = Folding(replace(TALLY, tables=(TALLY.tables[0], broken)))
    fact = recorded(awarded("ann", 5))
    touched = folding.touched(fact)
    for table, keys in folding.missing(touched):
        folding.know(table, keys, [])

    with pytest.raises(Unfoldable, match="RuntimeError: no"):
        folding.fold(fact, touched)

    assert list(folding.changes()) == []


def test_a_fold_that_answers_with_a_row_of_another_key_is_caught() -> None:
    def wrong(row: Purse | None, fact: Recorded) -> Purse:
        return Purse("somebody-else", 1, 1, 1)

    folding = Folding(replace(TALLY, tables=(replace(TALLY.tables[0], fold=wrong),)))

    with pytest.raises(Unfoldable, match="touched key"):
        fold(folding, recorded(awarded("ann", 5)))


def test_keys_that_break_are_the_facts_fault() -> None:
    def wrong(fact: Recorded) -> Iterator[Key]:
        raise KeyError("rider")

    folding = Folding(replace(TALLY, tables=(replace(TALLY.tables[0], keys=wrong),)))

    with pytest.raises(Unfoldable, match=r"sequence 1 on log\.account\.ann"):
        folding.touched(recorded(awarded("ann", 5)))
