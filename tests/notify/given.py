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
    Pace,
    ReworkOrdered,
    Task,
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


def _document(kind: str, **parts: Any) -> dict[str, Any]:
    since = "2000-01-01T00:00:00+08:00"
    return {"kind": kind, "rulebook": "fengxi", "version": 1, "effective_from": since, **parts}


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


RULES = Rulebook.model_validate(
    {
        "catalogue": _document(
            "catalogue",
            big_classes=[{"code": "02", "name": _words("市容环境", "City appearance")}],
            services=[
                {
                    "code": "exposed-garbage",
                    "big_class": "02",
                    "name": _words("暴露垃圾", "Exposed garbage"),
                    "accountable": "sanitation",
                    "conditions": [
                        {
                            "code": "exposed-garbage-heap",
                            "name": _words("成堆垃圾", "Heap of rubbish"),
                            "opens_when": _words("有垃圾", "Rubbish lies there"),
                            "closes_when": _words("清走", "It is gone"),
                            "limit": "4 urgent_hours",
                            "points": 5,
                        }
                    ],
                }
            ],
        ),
        "places": _document(
            "places",
            type="FeatureCollection",
            datum="WGS-84",
            features=[
                {
                    "type": "Feature",
                    "properties": {
                        "code": "330299001",
                        "name": _words("桃园街道", "Taoyuan Street"),
                    },
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [
                            [(121.0, 29.0), (121.1, 29.0), (121.1, 29.1), (121.0, 29.0)]
                        ],
                    },
                }
            ],
        ),
        "routing": _document(
            "routing",
            units=[
                _unit("sanitation", "department", "环境卫生管理中心", "Sanitation Centre"),
                _unit("market", "department", "市场监督管理局", "Market Bureau", language="en"),
                _unit("street-taoyuan", "street", "桃园街道办事处", "Taoyuan Street Office"),
                _unit("triage", "triage", "人工分派台", "Triage desk"),
                _unit("inspection", "inspection", "监督中心", "Supervision Centre"),
            ],
            platforms=[{"code": "platform-kite", "name": _words("纸鸢", "Kite")}],
            territory="street",
            roles=[
                {
                    "code": "street",
                    "name": _words("所属街办", "the street it lies in"),
                    "holders": [{"area": "330299001", "unit": "street-taoyuan"}],
                }
            ],
            verification={"by": "inspection"},
        ),
        "calendar": _document(
            "calendar",
            time_zone="Asia/Shanghai",
            week={"mon": ["08:00-12:00"]},
            make_up_hours=["08:00-12:00"],
            years=[],
        ),
        "earning": _document("earning"),
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
        "task": Task.HANDLE if kind is UnitKind.DEPARTMENT else Task.DISPATCH,
        "limit": "4 urgent_hours",
        "pace": Pace.RUNNING,
        "limit_seconds": 4 * 3600,
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
        closed_at=NOON,
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
        rule="condition:exposed-garbage-heap",
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
