"""Rows that follow from router's facts: the board, and the course that evaluation counts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contracts.case import CaseJoined, ReportJoined, ReportSeparated
from contracts.envelope import Recorded
from contracts.evaluation import MonthPublished
from eventlog.projection import Projection, Table
from services.router.tables.board import CaseRow, case
from services.router.tables.course import CourseRow, course
from services.router.tables.gathering import GatheredRow, gathered
from services.router.tables.published import PublishedRow, published

__all__ = [
    "ROUTER",
    "CaseRow",
    "CourseRow",
    "GatheredRow",
    "PublishedRow",
    "case",
    "course",
    "gathered",
    "published",
]


def _case(fact: Recorded) -> Iterator[tuple[str]]:
    if fact.body.stream == "case":
        yield (fact.body.stream_id,)


def _month(fact: Recorded) -> Iterator[tuple[str]]:
    if isinstance(fact.body, MonthPublished):
        yield (fact.body.month,)


def _report(fact: Recorded) -> Iterator[tuple[str]]:
    match fact.body:
        case CaseJoined(report_id=report_id) | ReportJoined(report_id=report_id):
            yield (report_id,)
        case ReportSeparated(report_id=report_id):
            yield (report_id,)


ROUTER: Final = Projection(
    name="router",
    version=3,
    subjects=("log.case.>", "log.evaluation.>"),
    tables=(
        Table(
            name="case",
            row=CaseRow,
            key=("case_id",),
            keys=_case,
            fold=case,
            stream="case",
            indexes=("unit, step", "rider_id", "due_at", "next_at, case_id", "condition, lat"),
        ),
        Table(
            name="course",
            row=CourseRow,
            key=("case_id",),
            keys=_case,
            fold=course,
            stream="case",
            indexes=("due_at", "closed_at", "opened_at"),
        ),
        Table(
            name="gathered",
            row=GatheredRow,
            key=("report_id",),
            keys=_report,
            fold=gathered,
            indexes=("case_id",),
        ),
        Table(
            name="published",
            row=PublishedRow,
            key=("month",),
            keys=_month,
            fold=published,
            stream="evaluation",
        ),
    ),
)
