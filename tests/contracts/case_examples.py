"""One believable example of every fact of a case, and of the month it is counted in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from contracts import case as c
from contracts.envelope import Fact, Reason, Words
from contracts.evaluation import MonthPublished
from contracts.report import Position

REPORT = "01KAJ6Q2V4M8Z0T3W5X7Y9B1CD"
OTHER = "01KAJ7A5N9R2C4E6G8J0K2M4PQ"
RIDER = "rider-07"
PLATFORM = "platform-kite"
RULES = "fengxi@3.1.2.1.1"
DUE = datetime.fromisoformat("2026-10-17T22:42:31+08:00")
PLACE = Position(lat=29.7712, lng=121.3034)
ASSET = "3302990101000427"
HOURS = timedelta(hours=1)

_CASE: Final[dict[str, Any]] = {"case_id": REPORT}
_RIDER: Final[dict[str, Any]] = {**_CASE, "rider_id": RIDER}
_UNIT: Final[dict[str, Any]] = {**_CASE, "unit": "sanitation"}
_BOTH: Final[dict[str, Any]] = {**_RIDER, "unit": "sanitation"}
_TOLD: Final[dict[str, Any]] = {
    "rider_id": RIDER,
    "platform": PLATFORM,
    "service_code": "exposed-garbage",
    "condition": "exposed-garbage-heap",
    "position": PLACE,
    "area": "330299001",
    "street": "street-taoyuan",
    "rulebook": RULES,
}
_GATHERED = c.Gathered(report_id=OTHER, rider_id="rider-12", platform="platform-swift")

OPENING: Final[tuple[Fact, ...]] = (
    c.CaseOpened(case_id=REPORT, report_id=REPORT, asset=ASSET, **_TOLD),
    c.CaseRejected(
        case_id=OTHER,
        report_id=OTHER,
        rider_id=RIDER,
        service_code="opinion",
        reasons=(Reason(code="nothing_found", detail="looked at, nothing there"),),
        note="18:55 到场，路面干净。",
        rulebook=RULES,
    ),
    c.CheckOrdered(
        case_id=OTHER,
        report_id=OTHER,
        unit="inspection",
        explanation=Words(zh="须先核实再立案。", en="Checked before a case is opened."),
        due_at=DUE,
        **_TOLD,
    ),
    c.CaseJoined(
        case_id=OTHER,
        report_id=OTHER,
        into=REPORT,
        gathered=(_GATHERED,),
        distance_metres=17,
        explanation=Words(zh="同一处垃圾。", en="The same heap."),
        **_TOLD,
    ),
    c.CaseSeparated(
        case_id=OTHER,
        rider_id=RIDER,
        origin=REPORT,
        because=c.SeparationReason.BY_PERSON,
        by="inspection",
    ),
    c.ReportJoined(
        **_CASE,
        report_id=OTHER,
        rider_id="rider-12",
        platform="platform-swift",
        distance_metres=17,
        reports=2,
    ),
    c.ReportSeparated(**_CASE, report_id=OTHER, reports=1),
    c.CaseCorrected(
        **_RIDER,
        by="triage",
        service_code="exposed-garbage",
        condition="exposed-garbage-heap",
        position=PLACE,
        area="330299001",
        street="street-taoyuan",
        note="照片显示在菜场后门。",
        rulebook=RULES,
    ),
)

HANDLING: Final[tuple[Fact, ...]] = (
    c.CaseDispatched(
        **_RIDER,
        unit="street-taoyuan",
        unit_kind=c.UnitKind.STREET,
        dispatch=1,
        task=c.Task.DISPATCH,
        service_code="exposed-garbage",
        condition="exposed-garbage-heap",
        area="330299001",
        why=c.Why.STREET_FIRST,
        explanation=Words(
            zh="桃园街道内先由街道办接单。", en="In Taoyuan the street office is first."
        ),
        rule="exposed-garbage-heap|street@*|street",
        considered=(Words(zh="未直派部门。", en="Not straight to the department."),),
        suggested="sanitation",
        supporting=("enforcement",),
        limit="4 urgent_hours",
        pace=c.Pace.RUNNING,
        limit_seconds=14_400,
        due_at=DUE,
        warn_at=DUE - HOURS,
        accept_by=DUE - 2 * HOURS,
        verifier="inspection",
        rulebook=RULES,
    ),
    c.WorkAccepted(**_UNIT),
    c.WorkClaimed(**_UNIT, clerk="li-01"),
    c.WorkReleased(**_UNIT, clerk="li-01"),
    c.WorkReturned(
        **_BOTH,
        reason=c.ReturnReason.WRONG_DEPARTMENT,
        returns=1,
        note="属于工地渣土，请转综合执法。",
    ),
    c.WorkTransferred(**_BOTH, to="enforcement", transfers=1, note="工地渣土。"),
    c.SupportAsked(**_CASE, unit="enforcement", by="sanitation"),
    c.SupportGiven(**_RIDER, unit="enforcement", result="已疏导车辆。"),
    c.WorkResolved(
        **_BOTH,
        result="19:20 已派车清运，垃圾桶增至三个，\r\n并告知沿街商户投放时间。",
        photo="photos/2026/10/17/after-0117.jpg",
        verifier="inspection",
        verify_by=DUE + HOURS,
    ),
    c.WorkVerified(**_BOTH, verifier="inspection", note="现场已恢复。"),
    c.ReworkOrdered(**_BOTH, verifier="inspection", reworks=1, note="桶后面还有两袋没有清走。"),
)

CLOCKS: Final[tuple[Fact, ...]] = (
    c.ExtensionAsked(
        **_BOTH, until=DUE + 4 * HOURS, reason="压缩车故障，待修。", decider="street-taoyuan"
    ),
    c.SuspensionAsked(
        **_BOTH, until=DUE + 720 * HOURS, reason="道路封闭施工。", decider="street-taoyuan"
    ),
    c.RequestRefused(
        **_BOTH, by="street-taoyuan", request=c.RequestKind.EXTENSION, note="请借用邻街车辆。"
    ),
    c.ExtensionGranted(
        **_UNIT, by="street-taoyuan", extensions=1, due_at=DUE + 4 * HOURS, warn_at=DUE + 3 * HOURS
    ),
    c.CaseSuspended(**_UNIT, by="street-taoyuan", until=DUE + 720 * HOURS, suspensions=1),
    c.SuspensionEnded(**_UNIT, ended_at=DUE + 720 * HOURS, by="street-taoyuan"),
    c.ClockPaused(**_UNIT, because=c.PauseReason.VERIFICATION, left_seconds=7_329),
    c.ClockResumed(
        **_UNIT, due_at=DUE, warn_at=DUE - HOURS, late=True, escalate_at=DUE + 4 * HOURS
    ),
    c.DeadlineNear(**_UNIT, due_at=DUE),
    c.DeadlinePassed(
        **_UNIT,
        clock=c.ClockName.HANDLE,
        dispatch=2,
        due_at=DUE,
        escalate_at=DUE + 4 * HOURS,
    ),
    c.CaseEscalated(
        **_CASE,
        level=1,
        because=c.EscalationReason.OVERDUE,
        told=("street-taoyuan", "inspection"),
        returns=3,
        reworks=0,
        transfers=1,
        escalate_at=DUE + 24 * HOURS,
    ),
)

ENDING: Final[tuple[Fact, ...]] = (
    c.CaseClosed(
        **_CASE,
        report_id=REPORT,
        rider_id=RIDER,
        platform=PLATFORM,
        unit="sanitation",
        service_code="exposed-garbage",
        condition="exposed-garbage-heap",
        outcome=c.CloseOutcome.FIXED,
        by="inspection",
        note="巡查员到场核实，地面已冲洗干净。",
        gathered=(_GATHERED,),
        closed_at=DUE - 2 * HOURS,
        contest_until=DUE + 358 * HOURS,
    ),
    c.ClosingContested(**_RIDER, platform=PLATFORM, decider="inspection", note="还有一半没清。"),
    c.ContestDismissed(**_RIDER, by="inspection", note="复查已清净。"),
    c.CaseReopened(**_RIDER, by="inspection", reopens=1, note="复查仍有垃圾。"),
    c.TimeoutAppealed(**_BOTH, reason="当晚道路交通管制。"),
    c.AppealReviewed(**_RIDER, reviewer="inspection", granted=True, note="属实。"),
    c.TimeoutExcused(**_UNIT, reviewers=("inspection", "triage")),
    c.TimeoutUpheld(**_UNIT, reviewer="triage"),
)

MONTH = MonthPublished(
    month="2026-10",
    first=datetime.fromisoformat("2026-10-01T00:00:00+08:00"),
    end=datetime.fromisoformat("2026-11-01T00:00:00+08:00"),
    as_of=48_213,
    formulas=1,
    figures={"all": {"all": {"due": 160, "closed": 144, "close_rate": 0.9, "p90_hours": None}}},
    by="officer",
)

CASE_EXAMPLES: Final[tuple[Fact, ...]] = (*OPENING, *HANDLING, *CLOCKS, *ENDING, MONTH)
