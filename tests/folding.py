"""What a projection makes of facts, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.envelope import Fact, Recorded
from eventlog.projection import Key, Projection
from tests.contracts.examples import EXAMPLES
from tests.given import recorded

Rows = dict[tuple[str, Key], Any]
"""The rows of a projection by table and key."""


def folded(projection: Projection, log: Iterable[Recorded], rows: Rows | None = None) -> Rows:
    """The rows after the facts, each folded once and in order."""
    after = dict(rows or {})
    for fact in log:
        for table in projection.tables:
            for key in map(tuple, table.keys(fact)):
                row = table.step()(after.pop((table.name, key), None), fact, key)
                if row is not None:
                    assert table.key_of()(row) == key
                    after[table.name, key] = row
    return after


def rows_of(projection: Projection, fact: Fact) -> list[tuple[str, Key]]:
    """Which rows a fact touches."""
    return [(table.name, key) for table in projection.tables for key in table.keys(recorded(fact))]


def never_raises(projection: Projection, fact: Fact) -> None:
    """A fact is folded first, after any other fact, and after itself."""
    first = recorded(fact, 1000)
    folded(projection, [first, first])
    for before in map(recorded, EXAMPLES):
        folded(projection, [before, first])
