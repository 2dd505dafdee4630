"""The public redemption ledger: everything that was handed over, and nobody's name. Pure.

A line has the item, its points, the month and which third of it, and a pseudonym that is another
one every month. Where an item was handed over less than `SMALLEST` times in a month its lines are
left out, for whoever was seen at the station would be known by them; they are counted all the same,
so the sums are always those of the private ledger (ledger invariant L20).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from contracts.account import PointsRedeemed
from contracts.envelope import Recorded, Words
from services.points.periods import month_of
from services.points.tables.takes import PublicRow

SMALLEST: Final = 5
"""As many times an item must have been handed over in a month for its lines to be shown."""

Sums = Mapping[tuple[str, str], tuple[int, int]]
"""By item and month: how many, and how many points."""


@dataclass(frozen=True, slots=True)
class Line:
    """One redemption, as everybody may see it."""

    month: str
    part: int
    item_id: str
    points: int
    pseudonym: str


@dataclass(frozen=True, slots=True)
class Total:
    """An item in a month: all that was handed over, shown line by line or not."""

    month: str
    item_id: str
    name: Words
    redemptions: int
    points: int
    suppressed: int
    """Of the redemptions: those without a line."""


@dataclass(frozen=True, slots=True)
class PublicLedger:
    """What is published."""

    lines: tuple[Line, ...]
    totals: tuple[Total, ...]

    @property
    def sums(self) -> Sums:
        """What it adds up to, suppressed lines included."""
        return {(t.item_id, t.month): (t.redemptions, t.points) for t in self.totals}


def published(rows: Iterable[PublicRow], month: str | None = None) -> PublicLedger:
    """The public ledger of a month, or of all months.

    Lines stand in an order that tells nothing of when something was handed over.
    """
    groups: dict[tuple[str, str], list[PublicRow]] = defaultdict(list)
    for row in rows:
        if month is None or row.month == month:
            groups[row.month, row.item_id].append(row)
    lines: list[Line] = []
    totals: list[Total] = []
    for (of, item_id), group in sorted(groups.items()):
        shown = group if len(group) >= SMALLEST else []
        lines += sorted(
            (Line(of, row.part, item_id, row.points, row.pseudonym) for row in shown),
            key=lambda line: (line.part, line.pseudonym, line.points),
        )
        totals.append(
            Total(
                month=of,
                item_id=item_id,
                name=max(group, key=lambda row: row.sequence).name,
                redemptions=len(group),
                points=sum(row.points for row in group),
                suppressed=len(group) - len(shown),
            )
        )
    return PublicLedger(tuple(lines), tuple(totals))


def private_sums(facts: Iterable[Recorded], zone: tzinfo, month: str | None = None) -> Sums:
    """What the riders' accounts have spent, by item and month: the other side of the same coin."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for fact in facts:
        if isinstance(fact.body, PointsRedeemed):
            of = fact.body.item, month_of(fact.happened_at, zone)
            if month is None or of[1] == month:
                count, points = sums.get(of, (0, 0))
                sums[of] = count + 1, points + fact.body.points
    return sums


def differences(public: Sums, private: Sums) -> Iterator[str]:
    """Where the two do not say the same (ledger invariant L20)."""
    for item_id, month in sorted(public.keys() | private.keys()):
        shown = public.get((item_id, month), (0, 0))
        spent = private.get((item_id, month), (0, 0))
        if shown != spent:
            yield (
                f"L20: {item_id} in {month}: {shown[0]} redemptions and {shown[1]} points are"
                f" public, {spent[0]} and {spent[1]} are in the accounts"
            )
