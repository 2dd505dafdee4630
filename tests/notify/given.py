"""A small district, and facts of it at their place in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseRejected,
    CloseOutcome,
    ReworkOrdered,
    UnitKind,
    Why,
    WorkResolved,
)
from contracts.envelope import Fact, Reason, Recorded, Sealed, Words, log_subject
from contracts.notice import Notice, NoticeKind
from contracts.party import PartyKind, PartyRegistered
from contracts.report import ReportAccepted, ReportRefused
from contracts.rulebook import Rulebook

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 5, 3, 12, 0, tzinfo=CHINA)
SEALED = Sealed(key="rider-01", box="AAAA")
CASE = "demo-0001"


def _unit(code: str, kind: str, zh: str, en: str, language: str = "zh") -> dict[str, Any]:
    return {"code": code, "kind": kind, "name": {"zh": zh, "en": en}, "language": language}


RULES = Rulebook.model_validate(
    {
        "name": "fengxi",
        "version": 1,
        "effective_from": "2000-01-01T00:00:00+08:00",
        "time_zone": "Asia/Shanghai",
        "title": {"zh": "规则", "en": "Rules"},
        "units": [
            _unit("sanitation", "department", "环境卫生管理中心", "Sanitation Centre"),
            _unit("market", "department", "市场监督管理局", "Market Bureau", language="en"),
            _unit("street-taoyuan", "street", "桃园街道办事处", "Taoyuan Street Office"),
            _unit("triage", "triage", "人工分派台", "Triage desk"),
            _unit("inspection", "inspection", "监督中心", "Supervision Centre"),
        ],
        "platforms": [{"code": "platform-kite", "name": {"zh": "纸鸢", "en": "Kite"}}],
        "areas": [
            {
                "code": "330299001",
                "name": {"zh": "桃园街道", "en": "Taoyuan Street"},
                "street": "street-taoyuan",
                "polygon": [(121.0, 29.0), (121.1, 29.0), (121.1, 29.1), (121.0, 29.0)],
            }
        ],
        "services": [
            {
                "code": "exposed-garbage",
                "name": {"zh": "暴露垃圾", "en": "Exposed garbage"},
                "group": {"zh": "市容环境", "en": "City appearance"},
                "department": "sanitation",
                "limit_hours": 4,
                "points": 5,
            },
        ],
        "verification": {"by": "inspection"},
    }
)
"""Two departments, one street, one kind of hazard."""


def recorded(
    fact: Fact, *, fact_id: str = "case.demo-0001.c-1.0", sequence: int = 7, history: bool = False
) -> Recorded:
    """The fact as it stands in the log."""
    return Recorded(
        sequence=sequence,
        recorded_at=NOON,
        subject=log_subject(fact.stream, fact.stream_id),
        fact_id=fact_id,
        command_id="c-1",
        fingerprint="",
        happened_at=NOON,
        actor="router",
        source="/waggle/router",
        cause=None,
        correlation=CASE,
        history=history,
        previous_hash="0" * 64,
        hash="1" * 64,
        trace=None,
        body=fact,
    )


def _report(service: str | None) -> dict[str, Any]:
    return {
        "report_id": CASE,
        "rider_id": "rider-01",
        "platform": "platform-kite",
        "seen_at": NOON,
        "service_code": service,
        "text": SEALED,
    }


def accepted(service: str | None = "exposed-garbage") -> ReportAccepted:
    """The rider's report is taken on."""
    return ReportAccepted(**_report(service))


def refused(*codes: str, service: str | None = "exposed-garbage") -> ReportRefused:
    """The rider's report is not taken on."""
    reasons = tuple(Reason(code=code, detail="a detail for programs") for code in codes)
    return ReportRefused(**_report(service), reasons=reasons)


def rejected(code: str) -> CaseRejected:
    """No case for the report."""
    return CaseRejected(
        case_id=CASE,
        report_id=CASE,
        rider_id="rider-01",
        service_code="exposed-garbage",
        reasons=(Reason(code=code),),
        rulebook="fengxi@1",
    )


def dispatched(
    unit: str = "street-taoyuan",
    kind: UnitKind = UnitKind.STREET,
    why: Why = Why.STREET_FIRST,
    **changes: Any,
) -> CaseDispatched:
    """A unit holds the case."""
    given: dict[str, Any] = {
        "case_id": CASE,
        "rider_id": "rider-01",
        "unit": unit,
        "unit_kind": kind,
        "dispatch": 1,
        "service_code": "exposed-garbage",
        "area": "330299001",
        "why": why,
        "explanation": Words(zh="按规则（29.05，121.05）", en="by rule (29.05, 121.05)"),
        "suggested": "sanitation",
        "due_at": (NOON + timedelta(hours=4)).astimezone(UTC),
        "rulebook": "fengxi@1",
    }
    return CaseDispatched(**given | changes)


def resolved() -> WorkResolved:
    """The department says that it is done."""
    return WorkResolved(case_id=CASE, rider_id="rider-01", unit="sanitation", result=SEALED)


def reworked(reworks: int = 2, unit: str = "sanitation") -> ReworkOrdered:
    """It was not done."""
    return ReworkOrdered(
        case_id=CASE, rider_id="rider-01", unit=unit, verifier="inspection", reworks=reworks
    )


def closed(outcome: CloseOutcome, service: str | None = "exposed-garbage") -> CaseClosed:
    """The file is closed."""
    return CaseClosed(
        case_id=CASE,
        report_id=CASE,
        rider_id="rider-01",
        platform="platform-kite",
        service_code=service,
        outcome=outcome,
    )


def awarded(points: int = 5) -> PointsAwarded:
    """The rider has earned points."""
    return PointsAwarded(
        rider_id="rider-01",
        platform="platform-kite",
        report_id=CASE,
        case_id=CASE,
        service_code="exposed-garbage",
        points=points,
        rule="service:exposed-garbage",
        rulebook="fengxi@1",
    )


def registered(party_id: str = "rider-01", **known: Any) -> PartyRegistered:
    """A party is known."""
    return PartyRegistered(party_id=party_id, **{"kind": PartyKind.RIDER} | known)


def a_notice(notice_id: str = "n-1", text: str = "您上报的“暴露垃圾”已收到。") -> Notice:
    """Something to be told."""
    return Notice(
        notice_id=notice_id,
        receiver="rider-01",
        kind=NoticeKind.REPORT_RECEIVED,
        language="zh",
        title="上报已收到",
        text=text,
        report_id=CASE,
        happened_at=NOON,
        sequence=7,
    )
