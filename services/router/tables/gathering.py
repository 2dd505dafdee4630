"""Which case a report is about, where it is not one of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.case import ReportJoined, ReportSeparated
from contracts.envelope import Recorded


@dataclass(frozen=True, slots=True)
class GatheredRow:
    """A report that gathers under a case."""

    report_id: str
    case_id: str
    rider_id: str
    platform: str
    distance_metres: int | None
    sequence: int


def gathered(row: GatheredRow | None, fact: Recorded) -> GatheredRow | None:
    """Where the report is gathered after a fact; None where it stands by itself."""
    match fact.body:
        case ReportJoined() as joined:
            return GatheredRow(
                report_id=joined.report_id,
                case_id=joined.case_id,
                rider_id=joined.rider_id,
                platform=joined.platform,
                distance_metres=joined.distance_metres,
                sequence=fact.sequence,
            )
        case ReportSeparated(case_id=case_id) if row and row.case_id == case_id:
            return None
        case _:
            return row
