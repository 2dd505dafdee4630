"""What each fact of a case says to a clerk, in Chinese. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cli.demo.chinese_points import points_in_chinese
from cli.demo.names import RETURNED, Names
from contracts import case as c
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseRejected,
    CloseOutcome,
    ReworkOrdered,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Fact
from contracts.report import ReportAccepted, ReportRefused

ENDED: Final[Mapping[CloseOutcome, str]] = {
    CloseOutcome.FIXED: "问题已解决",
    CloseOutcome.ANSWERED: "已答复",
    CloseOutcome.UNFOUNDED: "无需处置",
    CloseOutcome.NOT_OURS: "不属本区职责",
    CloseOutcome.CANCELLED: "作废",
}

_AT: Final = "%m月%d日 %H:%M"

TEMPLATES: Final[Mapping[type[Fact], str]] = {
    c.CheckOrdered: f"由{{unit}}先到场核实，{{f.due_at:{_AT}}}前",
    c.CaseJoined: "并入案件 {f.into}。{f.explanation.zh}",
    c.CaseSeparated: "从案件 {f.origin} 分出，单独立案",
    c.ReportJoined: "上报 {f.report_id} 并入，共 {f.reports} 条上报",
    c.ReportSeparated: "上报 {f.report_id} 分出，余 {f.reports} 条上报",
    c.CaseCorrected: "{by}更正类别或位置",
    c.WorkAccepted: "{unit}接单",
    c.WorkClaimed: "{unit} {f.clerk} 认领",
    c.WorkReleased: "{unit} {f.clerk} 放回",
    c.WorkTransferred: "{unit}转办，第 {f.transfers} 次",
    c.SupportAsked: "请{unit}协办",
    c.SupportGiven: "{unit}报协办结果",
    c.WorkResolved: "{unit}报告处置结果",
    c.ExtensionAsked: f"{{unit}}申请延期至{{f.until:{_AT}}}",
    c.SuspensionAsked: f"{{unit}}申请挂账至{{f.until:{_AT}}}",
    c.RequestRefused: "{by}不予批准",
    c.ExtensionGranted: f"{{by}}批准延期至{{f.due_at:{_AT}}}",
    c.CaseSuspended: f"{{by}}批准挂账至{{f.until:{_AT}}}",
    c.SuspensionEnded: "挂账结束",
    c.ClockPaused: "{unit}停止计时",
    c.ClockResumed: f"{{unit}}恢复计时，{{f.due_at:{_AT}}}到期",
    c.DeadlineNear: f"提醒{{unit}}：{{f.due_at:{_AT}}}到期",
    c.DeadlinePassed: f"{{unit}}超时（应于{{f.due_at:{_AT}}}前）",
    c.CaseEscalated: "升级督办（{f.level} 级）",
    c.ClosingContested: "上报人对结案有异议",
    c.ContestDismissed: "{by}复查，确认已办好",
    c.CaseReopened: "{by}重新立案，第 {f.reopens} 次",
    c.TimeoutAppealed: "{unit}就超时申诉",
    c.AppealReviewed: "申诉经一方复核",
    c.TimeoutExcused: "申诉通过，不计入考核，超时记录保留",
    c.TimeoutUpheld: "申诉未通过，仍计入考核",
}
"""By class; `f` is the fact, `unit` and `by` the names of who stands in these fields."""


def told(fact: Fact, names: Names) -> str:
    """The sentence of a fact that needs no more than its fields and the names of units."""
    template = TEMPLATES.get(type(fact))
    if template is None:
        return type(fact).__name__
    named = {field: names.unit(getattr(fact, field, "") or "").zh for field in ("unit", "by")}
    return template.format(f=fact, **named)


def in_chinese(fact: Fact, names: Names) -> str:
    """What a fact says to a clerk."""
    match fact:
        case ReportAccepted(service_code=code):
            return f"受理上报（{names.service(code).zh}）"
        case ReportRefused():
            return "不予受理"
        case _ if fact.stream in {"account", "cap"}:
            return points_in_chinese(fact)
        case CaseOpened(area=area):
            return f"立案（{names.area(area).zh}）"
        case CaseRejected():
            return "记录在册，不立案"
        case CaseDispatched(unit=unit, dispatch=dispatch, explanation=why):
            return f"第 {dispatch} 次派遣，到{names.unit(unit).zh}。{why.zh}"
        case CaseClosed(outcome=outcome):
            return f"结案：{ENDED[outcome]}"
        case _:
            return _of_work(fact, names)


def _of_work(fact: Fact, names: Names) -> str:
    match fact:
        case WorkReturned(unit=unit, reason=reason):
            return f"{names.unit(unit).zh}退回（{RETURNED[reason].zh}）"
        case WorkVerified(verifier=verifier):
            return f"{names.unit(verifier).zh}核查通过"
        case ReworkOrdered(verifier=verifier, unit=unit, reworks=reworks):
            return f"{names.unit(verifier).zh}核查未通过，{names.unit(unit).zh}第 {reworks} 次返工"
        case _:
            return told(fact, names)
