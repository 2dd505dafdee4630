"""What becomes of a report: accepted, or refused with every reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from json import dumps
from typing import Any

from contracts.envelope import Fact, Issued, Reason
from contracts.report import RefusalCode, ReportAccepted, ReportRefused, SubmitReport
from contracts.rulebook import Rulebook
from eventlog.decider import Decider
from services.intake import answers
from services.intake.datum import to_wgs84


@dataclass(frozen=True, slots=True)
class State:
    """Whether the report has been decided."""

    decided: bool = False


def decide(issued: Issued[SubmitReport], state: State, rules: Rulebook) -> list[Fact]:
    """Accept the report, or refuse it; nothing when it has been decided."""
    if state.decided:
        return []
    report = issued.command
    position = to_wgs84(report.position) if report.position else None
    said: dict[str, Any] = {
        "report_id": report.report_id,
        "rider_id": report.rider_id,
        "platform": issued.actor,
        "seen_at": report.seen_at,
        "service_code": report.service_code,
        "condition": report.condition,
        "position": position,
        "asset": report.asset,
        "answers": dumps(report.answers, ensure_ascii=False) if report.answers else None,
        "title": report.title,
        "text": report.text,
        "photo": report.photo,
    }
    if reasons := tuple(_objections(issued, rules)):
        return [ReportRefused(reasons=reasons, **said)]
    given = report.position if position is not report.position else None
    return [ReportAccepted(given_position=given, **said)]


def _objections(issued: Issued[SubmitReport], rules: Rulebook) -> Iterator[Reason]:
    """Every reason against the report; history is not asked for a position."""
    report, limits = issued.command, rules.intake
    if not report.text.strip() and not report.photo:
        yield _reason(RefusalCode.NO_CONTENT, "text", "say what you saw, or send a photo")
    if len(report.text) > limits.text_limit:
        detail = f"{len(report.text)} characters; at most {limits.text_limit}"
        yield _reason(RefusalCode.TEXT_TOO_LONG, "text", detail)
    if report.position is None and not issued.history:
        yield _reason(RefusalCode.NO_POSITION, "position", "say where it is")
    ahead = report.seen_at - issued.at
    if ahead > timedelta(minutes=limits.future_minutes):
        detail = f"seen {ahead} after now; check the phone's clock"
        yield _reason(RefusalCode.FROM_THE_FUTURE, "seen_at", detail)
    if -ahead > timedelta(days=limits.oldest_days):
        detail = f"seen {-ahead.days} days ago; at most {limits.oldest_days}"
        yield _reason(RefusalCode.TOO_OLD, "seen_at", detail)

    yield from _of_answers(issued, rules)


def _of_answers(issued: Issued[SubmitReport], rules: Rulebook) -> Iterator[Reason]:
    """What was asked of the condition, where it is known; history was asked other things."""
    report = issued.command
    filed = rules.condition(report.service_code, report.condition)
    if issued.history or (filed is None and not report.answers):
        return
    yield from answers.objections(report.answers, filed[1].questions if filed else ())


def _reason(code: RefusalCode, field: str, detail: str) -> Reason:
    return Reason(code=code, field=field, detail=detail)


def evolve(state: State, fact: Fact) -> State:
    """Any fact of a report is its decision."""
    match fact:
        case ReportAccepted() | ReportRefused():
            return State(decided=True)
        case _:
            return state


REPORT = Decider("report", State(), decide, evolve)
