"""The questions of a condition, answered or not."""

from __future__ import annotations

from json import loads
from typing import Any

import pytest

from contracts.envelope import plain
from contracts.report import ReportAccepted, ReportRefused, SubmitReport
from contracts.rulebook import Rulebook
from services.intake.decider.report import REPORT
from tests.district import IN_WEST, KITE, RIDER, document
from tests.given import NOON, Decision, Setting, a

QUESTIONS: list[dict[str, Any]] = [
    {"code": "shop", "datatype": "string", "required": True},
    {"code": "how", "datatype": "singlevaluelist", "values": ["inside", "online"]},
    {"code": "what", "datatype": "multivaluelist", "values": ["oil", "flies", "smell"]},
    {"code": "metres", "datatype": "number"},
    {"code": "since", "datatype": "datetime"},
    {"code": "remark", "datatype": "text", "variable": False},
]


def _book() -> Rulebook:
    given = document()
    for service in given["catalogue"]["services"]:
        if service["code"] == "stall":
            service["conditions"][0]["questions"] = [_question(q) for q in QUESTIONS]
    return Rulebook.model_validate(given)


def _question(short: dict[str, Any]) -> dict[str, Any]:
    values = [{"key": key, "name": key} for key in short.get("values", ())]
    return {"description": short["code"], **short, "values": values}


given = Setting(REPORT, _book())


def told(answers: dict[str, Any], **changes: Any) -> Decision:
    said = {
        "report_id": "r-1",
        "rider_id": RIDER,
        "seen_at": NOON,
        "service_code": "stall",
        "position": IN_WEST,
        "text": "油烟很大",
        "answers": answers,
    }
    return given().when(SubmitReport.model_validate(said | changes), by=KITE)


def refused(decision: Decision) -> list[tuple[str, str | None]]:
    [fact] = decision.facts
    assert isinstance(fact, ReportRefused)
    assert all(reason.detail for reason in fact.reasons)
    return [(reason.code, reason.field) for reason in fact.reasons]


def test_what_was_answered_is_kept_as_it_was_given() -> None:
    answers = {
        "shop": "老王面馆",
        "how": "online",
        "what": ["oil", "smell"],
        "metres": "2.5",
        "since": "2026-05-01T08:00:00+08:00",
    }
    [fact] = told(answers).facts
    assert isinstance(fact, ReportAccepted)
    assert loads(plain(fact.answers) or "") == answers


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"shop": " "}, "answer_missing"),
        ({"colour": "red"}, "answer_unknown"),
        ({"remark": "for reading only"}, "answer_unknown"),
        ({"shop": ["a", "b"]}, "answer_wrong"),
        ({"how": "by hearsay"}, "answer_wrong"),
        ({"what": ["oil", "rust"]}, "answer_wrong"),
        ({"metres": "two"}, "answer_wrong"),
        ({"metres": "nan"}, "answer_wrong"),
        ({"since": "yesterday"}, "answer_wrong"),
        ({"since": "2026-05-01T08:00:00"}, "answer_wrong"),
    ],
)
def test_an_answer_that_does_not_fit_is_named(answer: dict[str, Any], code: str) -> None:
    [asked] = answer
    assert refused(told({"shop": "老王面馆"} | answer)) == [(code, f"answers.{asked}")]


def test_every_answer_that_does_not_fit_is_named_at_once() -> None:
    found = refused(told({"colour": "red", "how": "by hearsay"}))
    assert [code for code, _ in found] == ["answer_unknown", "answer_missing", "answer_wrong"]


def test_a_condition_without_questions_takes_no_answers() -> None:
    told({}, service_code="garbage").then(a(ReportAccepted, answers=None))
    assert refused(told({"shop": "x"}, service_code="garbage")) == [
        ("answer_unknown", "answers.shop")
    ]
    assert refused(told({"shop": "x"}, service_code=None)) == [("answer_unknown", "answers.shop")]


def test_the_questions_are_those_of_the_condition_that_was_named() -> None:
    told({}, condition="stall-worse").then(a(ReportAccepted, condition="stall-worse"))


def test_history_was_asked_other_things() -> None:
    said = SubmitReport.model_validate(
        {"report_id": "r-1", "rider_id": RIDER, "seen_at": NOON, "text": "x"}
        | {"service_code": "stall"}
    )
    given().when(said, by="archive", history=True).then(ReportAccepted)
