"""Who is told of checks, help, clocks, requests, contests and appeals; and in which words."""

from __future__ import annotations

import pytest

from contracts import case as c
from contracts.envelope import Fact
from contracts.notice import NoticeKind as Kind
from services.notify.directory import NOBODY
from services.notify.phrases import Speaker, phrase
from services.notify.reactions import notices, tellings
from tests.contracts.case_examples import CASE_EXAMPLES, OTHER, REPORT, RIDER
from tests.notify.given import RULES, recorded

TOLD: dict[type[Fact], list[tuple[str, Kind]]] = {
    c.CheckOrdered: [("inspection", Kind.CHECK_ORDERED)],
    c.CaseJoined: [(RIDER, Kind.REPORT_JOINED)],
    c.CaseDispatched: [(RIDER, Kind.CASE_DISPATCHED), ("street-taoyuan", Kind.WORK_ORDERED)],
    c.SupportAsked: [("enforcement", Kind.SUPPORT_ORDERED)],
    c.WorkResolved: [(RIDER, Kind.WORK_RESOLVED), ("inspection", Kind.VERIFY_ORDERED)],
    c.ExtensionAsked: [("street-taoyuan", Kind.REQUEST_ASKED)],
    c.SuspensionAsked: [("street-taoyuan", Kind.REQUEST_ASKED)],
    c.RequestRefused: [("sanitation", Kind.REQUEST_REFUSED)],
    c.ExtensionGranted: [("sanitation", Kind.REQUEST_GRANTED)],
    c.CaseSuspended: [("sanitation", Kind.REQUEST_GRANTED)],
    c.SuspensionEnded: [("sanitation", Kind.WORK_RESUMED)],
    c.DeadlineNear: [("sanitation", Kind.DEADLINE_NEAR)],
    c.DeadlinePassed: [("sanitation", Kind.DEADLINE_PASSED)],
    c.CaseEscalated: [
        ("street-taoyuan", Kind.CASE_ESCALATED),
        ("inspection", Kind.CASE_ESCALATED),
    ],
    c.ClosingContested: [("inspection", Kind.CLOSING_CONTESTED)],
    c.ContestDismissed: [(RIDER, Kind.CONTEST_DISMISSED)],
    c.CaseReopened: [(RIDER, Kind.CASE_REOPENED)],
    c.TimeoutExcused: [("sanitation", Kind.APPEAL_DECIDED)],
    c.TimeoutUpheld: [("sanitation", Kind.APPEAL_DECIDED)],
}
EXAMPLES = {type(fact): fact for fact in CASE_EXAMPLES}


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_who_is_told(kind: type[Fact]) -> None:
    told = notices(recorded(EXAMPLES[kind]), NOBODY, RULES)
    assert [(notice.receiver, notice.kind) for notice in told] == TOLD[kind]


def test_who_helps_is_told_once_somebody_handles_it() -> None:
    sent = EXAMPLES[c.CaseDispatched].model_copy(update={"task": c.Task.HANDLE})
    assert ("enforcement", Kind.SUPPORT_ORDERED) in [
        (notice.receiver, notice.kind) for notice in notices(recorded(sent), NOBODY, RULES)
    ]


def test_every_reporter_is_told_of_the_end_under_the_own_number() -> None:
    closed = EXAMPLES[c.CaseClosed]
    told = {n.receiver: n for n in notices(recorded(closed), NOBODY, None)}
    assert told["rider-12"].report_id == OTHER
    assert OTHER in told["rider-12"].text
    assert REPORT not in told["rider-12"].text


def test_nobody_is_told_the_same_fact_twice() -> None:
    closed = EXAMPLES[c.CaseClosed]
    again = c.Gathered(report_id="r-3", rider_id="rider-12", platform="platform-kite")
    assert isinstance(closed, c.CaseClosed)
    doubled = closed.model_copy(update={"gathered": (*closed.gathered, again)})
    receivers = [n.receiver for n in notices(recorded(doubled), NOBODY, RULES)]
    assert sorted(receivers) == sorted(set(receivers))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("fact", CASE_EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_everything_that_is_told_has_its_words(fact: Fact, language: str) -> None:
    for telling in tellings(fact, RULES):
        title, text = phrase(telling.kind, fact, Speaker.of(language, RULES))
        assert title
        assert text
        assert "{" not in title + text


def test_a_unit_that_is_late_reads_since_when_and_that_it_may_appeal() -> None:
    title, text = phrase(Kind.DEADLINE_PASSED, EXAMPLES[c.DeadlinePassed], Speaker.of("zh", RULES))
    assert title == "处置超时"
    assert "10月17日 22:42" in text
    assert "申诉" in text
