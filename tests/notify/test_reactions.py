"""Who is told what."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from contracts.case import CaseOpened, CloseOutcome, UnitKind, Why, WorkAccepted, WorkVerified
from contracts.envelope import TOKEN, Fact
from contracts.notice import Notice
from contracts.notice import NoticeKind as Kind
from contracts.rulebook import DocumentKind, RulebookPublished
from services.notify.directory import NOBODY, Directory
from services.notify.reactions import notice_id, notices
from tests.notify.given import (
    CASE,
    NOON,
    RULES,
    accepted,
    awarded,
    closed,
    dispatched,
    recorded,
    refused,
    registered,
    rejected,
    resolved,
    reworked,
)


def told(fact: Fact) -> list[tuple[str, Kind]]:
    """Who is told which kind of thing."""
    return [(n.receiver, n.kind) for n in notices(recorded(fact), NOBODY, RULES)]


def test_who_is_erased_is_told_nothing_and_the_others_are() -> None:
    gone = Directory({}, frozenset({"rider-01"}))
    found = notices(recorded(dispatched("sanitation", UnitKind.DEPARTMENT)), gone, RULES)
    assert [n.receiver for n in found] == ["sanitation"]
    assert notices(recorded(accepted()), gone, RULES) == ()


def only(found: Iterable[Notice]) -> Notice:
    [notice] = found
    return notice


def test_the_rider_is_told_that_the_report_has_arrived() -> None:
    assert told(accepted()) == [("rider-01", Kind.REPORT_RECEIVED)]


def test_the_rider_is_told_that_the_report_is_refused() -> None:
    assert told(refused("no_content")) == [("rider-01", Kind.REPORT_REFUSED)]


def test_the_rider_is_told_that_no_case_is_opened() -> None:
    assert told(rejected("service_opens_no_case")) == [("rider-01", Kind.CASE_REJECTED)]


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        ("street-taoyuan", UnitKind.STREET),
        ("sanitation", UnitKind.DEPARTMENT),
        ("triage", UnitKind.TRIAGE),
    ],
)
def test_rider_and_unit_are_told_of_every_dispatch(unit: str, kind: UnitKind) -> None:
    for dispatch in (1, 2, 3):
        assert told(dispatched(unit, kind, dispatch=dispatch)) == [
            ("rider-01", Kind.CASE_DISPATCHED),
            (unit, Kind.WORK_ORDERED),
        ]


def test_the_rider_is_told_that_the_work_waits_for_verification() -> None:
    assert told(resolved()) == [("rider-01", Kind.WORK_RESOLVED)]


def test_the_unit_and_nobody_else_is_told_of_rework() -> None:
    assert told(reworked()) == [("sanitation", Kind.REWORK_ORDERED)]


@pytest.mark.parametrize("outcome", [CloseOutcome.ANSWERED, CloseOutcome.UNFOUNDED])
def test_the_rider_is_told_of_a_case_that_closes_without_being_fixed(outcome: CloseOutcome) -> None:
    assert told(closed(outcome)) == [("rider-01", Kind.CASE_CLOSED)]


def test_a_case_closed_as_fixed_is_told_with_its_points_not_before() -> None:
    assert told(closed(CloseOutcome.FIXED)) == []
    assert told(awarded()) == [("rider-01", Kind.POINTS_AWARDED)]


@pytest.mark.parametrize("service", [None, "unheard-of"])
def test_a_case_closed_as_fixed_that_can_earn_nothing_is_told_all_the_same(
    service: str | None,
) -> None:
    assert told(closed(CloseOutcome.FIXED, service)) == [("rider-01", Kind.CASE_CLOSED)]


@pytest.mark.parametrize(
    "fact",
    [
        CaseOpened(case_id=CASE, report_id=CASE, rider_id="r", platform="p", rulebook="fengxi@1"),
        WorkAccepted(case_id=CASE, unit="sanitation"),
        WorkVerified(case_id=CASE, rider_id="r", unit="sanitation", verifier="inspection"),
        RulebookPublished(
            name="fengxi",
            kind=DocumentKind.EARNING,
            version=1,
            digest="",
            document=RULES.earning,
        ),
        registered(),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_nobody_is_told_of(fact: Fact) -> None:
    assert told(fact) == []


@pytest.mark.parametrize(
    "fact", [accepted(), refused("too_old"), dispatched(), resolved(), awarded()]
)
def test_history_is_told_to_nobody(fact: Fact) -> None:
    assert notices(recorded(fact, history=True), NOBODY, RULES) == ()


def test_a_notice_says_what_it_tells_about() -> None:
    notice = only(notices(recorded(accepted(), sequence=42), NOBODY, RULES))
    assert (notice.report_id, notice.happened_at, notice.sequence) == (CASE, NOON, 42)


def test_each_receiver_is_told_in_their_own_language() -> None:
    english_rider = Directory.of([recorded(registered(language="en"))])
    rider, unit = notices(recorded(dispatched()), english_rider, RULES)
    assert (rider.language, unit.language) == ("en", "zh")
    assert rider.title == "Your report is with Taoyuan Street Office"
    assert unit.title == "待派遣：暴露垃圾"


def test_whoever_is_not_known_is_told_in_chinese() -> None:
    assert only(notices(recorded(accepted()), NOBODY, None)).language == "zh"


def test_a_unit_is_told_in_the_language_of_the_rulebook_unless_it_is_registered_otherwise() -> None:
    fact = recorded(dispatched("market", UnitKind.DEPARTMENT, Why.DIRECT_BY_SERVICE))
    known = Directory.of([recorded(registered("market", kind="unit", language="zh"))])
    assert notices(fact, NOBODY, RULES)[1].language == "en"
    assert notices(fact, known, RULES)[1].language == "zh"


def test_the_same_fact_gives_the_same_notice_whenever_it_is_heard() -> None:
    fact = recorded(dispatched())
    assert notices(fact, NOBODY, RULES) == notices(fact, NOBODY, RULES)


def test_the_id_of_a_notice_shows_the_stream_and_the_receiver() -> None:
    assert notice_id(recorded(accepted()), "rider-01").startswith("demo-0001-rider-01-")


@pytest.mark.parametrize("report_id", ["r", "R" * 64])
@pytest.mark.parametrize("receiver", ["r", "R" * 64])
def test_the_id_of_a_notice_is_one_token_of_a_subject(report_id: str, receiver: str) -> None:
    fact = recorded(accepted().model_copy(update={"report_id": report_id}))
    assert re.fullmatch(TOKEN, notice_id(fact, receiver))


def test_no_two_notices_share_an_id() -> None:
    def case(case_id: str) -> Fact:
        return dispatched().model_copy(update={"case_id": case_id})

    ids = [
        notice_id(recorded(case("a"), fact_id="case.a.x.0"), "rider-01"),
        notice_id(recorded(case("a"), fact_id="case.a.x.1"), "rider-01"),
        notice_id(recorded(case("a"), fact_id="case.a.x.0"), "rider-02"),
        notice_id(recorded(case("a-rider"), fact_id="case.a-rider.x.0"), "01"),
        notice_id(recorded(case("A" * 64), fact_id=f"case.{'A' * 64}.x.0"), "rider-01"),
        notice_id(recorded(case("A" * 64), fact_id=f"case.{'A' * 64}.x.0"), "rider-02"),
        notice_id(recorded(case("A" * 63), fact_id=f"case.{'A' * 63}.x.0"), "rider-01"),
    ]
    assert len(set(ids)) == len(ids)
