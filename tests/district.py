"""A district small enough to know by heart: three areas, two streets, two departments.

     121.00        121.01        121.02
29.02  ┌─────────────────────────┐
       │  c-north (street west)  │  orders go straight to the department
29.01  ├────────────┬────────────┤
       │   a-west   │   b-east   │  a-west: the street takes the order first
29.00  └────────────┴────────────┘  b-east: straight to the department
"""

from __future__ import annotations

from typing import Any

from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseRejected,
    CloseOutcome,
    ReturnReason,
    ReworkOrdered,
    Why,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
)
from contracts.envelope import Reason, Words
from contracts.report import Position
from contracts.rulebook import Rulebook
from services.router.rules import Rules
from tests.given import NOON

SANITATION, FIRE = "sanitation", "fire"
WEST, EAST = "street-west", "street-east"
TRIAGE, INSPECTION = "triage", "inspection"
KITE, SWIFT = "platform-kite", "platform-swift"
RIDER = "rider-01"
REPORT = "r-1"

IN_WEST = Position(lat=29.005, lng=121.005)
IN_EAST = Position(lat=29.005, lng=121.015)
IN_NORTH = Position(lat=29.015, lng=121.01)
NOWHERE = Position(lat=29.5, lng=121.5)


def document(**changes: Any) -> dict[str, Any]:
    """The district's rulebook as it is handed in."""
    return {
        "name": "small",
        "version": 1,
        "effective_from": "2000-01-01T00:00:00+08:00",
        "time_zone": "Asia/Shanghai",
        "title": _words("小区规则", "Rules of the small district"),
        "units": [
            _unit(SANITATION, "department", "环卫中心", "Sanitation"),
            _unit(FIRE, "department", "消防大队", "Fire Brigade"),
            _unit(WEST, "street", "西街办事处", "West Street Office"),
            _unit(EAST, "street", "东街办事处", "East Street Office"),
            _unit(TRIAGE, "triage", "综合分派台", "Triage Desk"),
            _unit(INSPECTION, "inspection", "监督中心", "Supervision Centre"),
        ],
        "platforms": [
            {"code": KITE, "name": _words("纸鸢", "Kite")},
            {"code": SWIFT, "name": _words("雨燕", "Swift")},
        ],
        "areas": [
            _area("a-west", WEST, "street", _box(121.00, 29.00, 121.01, 29.01)),
            _area("b-east", EAST, "department", _box(121.01, 29.00, 121.02, 29.01)),
            _area("c-north", WEST, "department", _box(121.00, 29.01, 121.02, 29.02)),
        ],
        "services": [
            _service("garbage", SANITATION, limit_hours=6, points=5),
            _service("bulky", SANITATION, limit_hours=48, points=4, first_holder="street"),
            _service("bare-wires", FIRE, limit_hours=2, points=8, first_holder="department"),
            _service("opinion", SANITATION, limit_hours=72, points=1, opens_case=False),
        ],
        "escalation": {"returns": 3, "reworks": 2},
        "verification": {"by": INSPECTION},
        "dispatch": {"limit_hours": 1},
        **changes,
    }


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _unit(code: str, kind: str, zh: str, en: str) -> dict[str, Any]:
    return {"code": code, "kind": kind, "name": _words(zh, en)}


def _area(code: str, street: str, first: str, ring: list[list[float]]) -> dict[str, Any]:
    name = _words(f"{code}片区", f"area {code}")
    return {"code": code, "name": name, "street": street, "first_holder": first, "polygon": ring}


def _box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _service(code: str, department: str, **rest: Any) -> dict[str, Any]:
    named = {"name": _words(f"类别{code}", f"kind {code}"), "group": _words("组", "group")}
    return {"code": code, "department": department, **named, **rest}


BOOK = Rulebook.model_validate(document())
RULES = Rules(BOOK)

OPENED = CaseOpened(
    case_id=REPORT,
    report_id=REPORT,
    rider_id=RIDER,
    platform=KITE,
    service_code="garbage",
    position=IN_WEST,
    area="a-west",
    street=WEST,
    rulebook=BOOK.label,
)
REJECTED = CaseRejected(
    case_id=REPORT,
    report_id=REPORT,
    rider_id=RIDER,
    service_code="opinion",
    reasons=(Reason(code="service_opens_no_case"),),
    rulebook=BOOK.label,
)


def dispatched(unit: str, number: int = 1, **changes: Any) -> CaseDispatched:
    """The case is the unit's from now on."""
    given: dict[str, Any] = {
        "case_id": REPORT,
        "rider_id": RIDER,
        "unit": unit,
        "unit_kind": RULES.units[unit].kind,
        "dispatch": number,
        "service_code": "garbage",
        "area": "a-west",
        "why": Why.STREET_FIRST,
        "explanation": Words(zh="按规则", en="by rule"),
        "suggested": SANITATION,
        "due_at": NOON,
        "rulebook": BOOK.label,
    }
    return CaseDispatched(**given | changes)


def accepted(unit: str) -> WorkAccepted:
    """The unit has taken the case on."""
    return WorkAccepted(case_id=REPORT, unit=unit)


def returned(unit: str, returns: int = 1) -> WorkReturned:
    """The unit has given the case back."""
    return WorkReturned(
        case_id=REPORT,
        rider_id=RIDER,
        unit=unit,
        reason=ReturnReason.WRONG_DEPARTMENT,
        returns=returns,
    )


def resolved(unit: str) -> WorkResolved:
    """The unit says that it is done."""
    return WorkResolved(case_id=REPORT, rider_id=RIDER, unit=unit, result="清运完毕")


def reworked(unit: str, reworks: int = 1) -> ReworkOrdered:
    """Inspection has seen that it is not done."""
    return ReworkOrdered(
        case_id=REPORT, rider_id=RIDER, unit=unit, verifier=INSPECTION, reworks=reworks
    )


def closed(unit: str, outcome: CloseOutcome = CloseOutcome.FIXED) -> CaseClosed:
    """The file is closed."""
    return CaseClosed(
        case_id=REPORT,
        report_id=REPORT,
        rider_id=RIDER,
        platform=KITE,
        unit=unit,
        service_code="garbage",
        outcome=outcome,
    )
