"""The months that were published. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Recorded
from contracts.evaluation import MonthPublished, Numbers


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A month as it was published."""

    month: str
    as_of: int
    formulas: int
    figures: dict[str, dict[str, Numbers]]
    published_at: datetime


def published(row: PublishedRow | None, fact: Recorded) -> PublishedRow | None:
    """The month after a fact."""
    match fact.body:
        case MonthPublished() as month:
            return PublishedRow(
                month=month.month,
                as_of=month.as_of,
                formulas=month.formulas,
                figures=month.figures,
                published_at=fact.happened_at,
            )
        case _:
            return row
