"""What becomes of a report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.envelope import Datum
from contracts.report import (
    Position,
    RefusalCode,
    ReportAccepted,
    ReportRefused,
    SubmitReport,
)
from services.intake.datum import to_gcj02
from services.intake.decider.report import REPORT
from tests.district import BOOK, IN_WEST, KITE, RIDER, SWIFT
from tests.given import NOON, Decision, Setting, a

given = Setting(REPORT, BOOK)

LIMIT = BOOK.intake.text_limit
AHEAD = timedelta(minutes=BOOK.intake.future_minutes)
OLDEST = timedelta(days=BOOK.intake.oldest_days)
SECOND = timedelta(seconds=1)


def report(**changes: Any) -> SubmitReport:
    said = {
        "report_id": "r-1",
        "rider_id": RIDER,
        "seen_at": NOON,
        "service_code": "garbage",
        "position": IN_WEST,
        "text": "桶满了三天",
    }
    return SubmitReport.model_validate(said | changes)


def codes(decision: Decision) -> list[str]:
    """The reasons of a recorded refusal."""
    [fact] = decision.facts
    assert isinstance(fact, ReportRefused)
    assert all(reason.detail and reason.field for reason in fact.reasons)
    return [reason.code for reason in fact.reasons]


def test_a_report_is_accepted_as_it_was_said() -> None:
    said = report(title="桃园路", photo="p/1.jpg")
    kept = said.model_dump(exclude={"answers"})
    given().when(said, by=KITE).then(ReportAccepted(platform=KITE, **kept))


def test_the_platform_is_the_party_that_hands_the_report_in() -> None:
    given().when(report(), by=SWIFT).then(a(ReportAccepted, platform=SWIFT))


@pytest.mark.parametrize(
    "enough",
    [
        {"service_code": None},
        {"service_code": "never-heard-of"},
        {"text": "", "photo": "p/1.jpg"},
        {"text": "字" * LIMIT},
        {"seen_at": NOON + AHEAD},
        {"seen_at": NOON - OLDEST},
    ],
    ids=["no kind", "unknown kind", "a photo alone", "longest text", "clock ahead", "oldest"],
)
def test_a_report_is_accepted_with(enough: dict[str, Any]) -> None:
    given().when(report(**enough), by=KITE).then(ReportAccepted)


REFUSED: dict[RefusalCode, list[dict[str, Any]]] = {
    RefusalCode.NO_CONTENT: [{"text": ""}, {"text": " \t\r\n　"}, {"text": "", "photo": ""}],
    RefusalCode.TEXT_TOO_LONG: [{"text": "字" * (LIMIT + 1)}],
    RefusalCode.NO_POSITION: [{"position": None}],
    RefusalCode.FROM_THE_FUTURE: [{"seen_at": NOON + AHEAD + SECOND}],
    RefusalCode.TOO_OLD: [{"seen_at": NOON - OLDEST - SECOND}],
    RefusalCode.ANSWER_UNKNOWN: [{"answers": {"nobody": "asked"}}],
}
"""By reason: what is refused for it."""
OF_QUESTIONS = {RefusalCode.ANSWER_MISSING, RefusalCode.ANSWER_WRONG}
"""Where a condition asks something: see test_answers."""


def test_every_reason_is_tried() -> None:
    assert REFUSED.keys() | OF_QUESTIONS == set(RefusalCode)


@pytest.mark.parametrize(
    ("code", "said"), [(code, said) for code, tries in REFUSED.items() for said in tries]
)
def test_a_report_is_refused_for_one_reason(code: RefusalCode, said: dict[str, Any]) -> None:
    assert codes(given().when(report(**said), by=KITE)) == [code]


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = report(text="", position=None, seen_at=NOON - OLDEST - SECOND)
    assert codes(given().when(wrong, by=KITE)) == [
        RefusalCode.NO_CONTENT,
        RefusalCode.NO_POSITION,
        RefusalCode.TOO_OLD,
    ]


def test_a_refused_report_is_kept_as_it_was_said() -> None:
    said = report(title="桃园路", text="字" * (LIMIT + 1), photo="p/1.jpg")
    expected = said.model_dump(exclude={"position", "answers"})
    given().when(said, by=KITE).then(
        a(ReportRefused, platform=KITE, position=said.position, **expected)
    )


def test_limits_are_those_of_the_rulebook() -> None:
    intake = BOOK.intake.model_copy(update={"text_limit": 4})
    routing = BOOK.routing.model_copy(update={"intake": intake})
    strict = BOOK.model_copy(update={"routing": routing})
    assert codes(given(rules=strict).when(report(), by=KITE)) == [RefusalCode.TEXT_TOO_LONG]


def test_a_moment_is_compared_across_time_zones() -> None:
    abroad = datetime.fromisoformat("2026-05-03T05:10:00+01:00")
    given().when(report(seen_at=abroad), by=KITE).then(a(ReportAccepted, seen_at=abroad))


def test_history_needs_no_position() -> None:
    given().when(report(position=None), by=KITE, history=True).then(ReportAccepted)


def test_history_is_still_refused_without_content() -> None:
    empty = given().when(report(text="", position=None), by=KITE, history=True)
    assert codes(empty) == [RefusalCode.NO_CONTENT]


def test_a_position_in_another_datum_is_kept_beside_its_wgs84() -> None:
    shown = to_gcj02(IN_WEST)
    [fact] = given().when(report(position=shown), by=KITE).facts
    assert isinstance(fact, ReportAccepted)
    assert fact.given_position == shown
    assert fact.position is not None
    assert fact.position.datum is Datum.WGS84
    assert (fact.position.lat, fact.position.lng) == pytest.approx(
        (IN_WEST.lat, IN_WEST.lng), abs=1e-6
    )


def test_a_position_in_wgs84_is_kept_once() -> None:
    given().when(report(), by=KITE).then(a(ReportAccepted, position=IN_WEST, given_position=None))


ANOTHER = report(text="另一段话", position=Position(lat=1, lng=1))


@pytest.mark.parametrize("again", [report(), ANOTHER], ids=["the same", "other words"])
@pytest.mark.parametrize("said", [report(), report(text="")], ids=["accepted", "refused"])
def test_a_report_is_decided_once(said: SubmitReport, again: SubmitReport) -> None:
    decided = given().when(said, by=KITE).facts
    given(*decided).when(again, by=KITE).then_nothing()
