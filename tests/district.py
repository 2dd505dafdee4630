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
    Pace,
    ReturnReason,
    ReworkOrdered,
    Task,
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


def document(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The district's rule documents as they are handed in, by kind; each with its changes."""
    documents = {
        "catalogue": _catalogue(),
        "places": _places(),
        "routing": _routing(),
        "calendar": _calendar(),
        "earning": _document("earning", rules=[]),
    }
    return {kind: {**given, **changes.get(kind, {})} for kind, given in documents.items()}


def _document(kind: str, **parts: Any) -> dict[str, Any]:
    first = {"kind": kind, "rulebook": "small", "version": 1}
    return {**first, "effective_from": "2000-01-01T00:00:00+08:00", **parts}


def _catalogue() -> dict[str, Any]:
    return _document(
        "catalogue",
        big_classes=[{"code": "01", "name": _words("大类", "big class")}],
        services=[
            _service("garbage", SANITATION, "6 urgent_hours", 5, supporting=["street"]),
            _service("bulky", SANITATION, "48 urgent_hours", 4, first_holder="street"),
            _service("bare-wires", FIRE, "2 urgent_hours", 8, first_holder="department"),
            _service("cover", "asset-owner", "4 work_hours", 6),
            _service("stall", "enforcement", "2 work_hours", 3),
            _service("opinion", SANITATION, "3 work_days", 1, opens_case=False),
        ],
    )


def _places() -> dict[str, Any]:
    return _document(
        "places",
        type="FeatureCollection",
        datum="WGS-84",
        features=[
            area("a-west", _box(121.00, 29.00, 121.01, 29.01)),
            area("b-east", _box(121.01, 29.00, 121.02, 29.01)),
            area("c-north", _box(121.00, 29.01, 121.02, 29.02)),
        ],
    )


def _routing() -> dict[str, Any]:
    return _document(
        "routing",
        units=[
            _unit(SANITATION, "department", "环卫中心", "Sanitation"),
            _unit(FIRE, "department", "消防大队", "Fire Brigade"),
            _unit(WEST, "street", "西街办事处", "West Street Office"),
            _unit(EAST, "street", "东街办事处", "East Street Office"),
            _unit(TRIAGE, "triage", "综合分派台", "Triage Desk"),
            _unit(INSPECTION, "inspection", "监督中心", "Supervision Centre"),
        ],
        platforms=[
            {"code": KITE, "name": _words("纸鸢", "Kite")},
            {"code": SWIFT, "name": _words("雨燕", "Swift")},
        ],
        territory="street",
        roles=[
            _role(
                "street",
                ("所属街办", "the street it lies in"),
                {"area": "a-west", "unit": WEST},
                {"area": "b-east", "unit": EAST},
                {"area": "c-north", "unit": WEST},
            ),
            _role(
                "enforcement",
                ("属地行政执法部门", "the local enforcement unit"),
                {"area": "a-west", "unit": FIRE},
            ),
            _role(
                "asset-owner",
                ("产权单位", "the owner of the asset"),
                {"asset": "3301", "unit": FIRE},
                {"asset": "330102", "unit": SANITATION},
                otherwise="street",
            ),
        ],
        modes=[{"first_holder": "department"}, {"area": "a-west", "first_holder": "street"}],
        escalation=[{"level": 1, "returns": 3, "reworks": 2}],
        verification={"by": INSPECTION},
        handling={"dispatch_limit": "1 urgent_hour"},
    )


def _calendar() -> dict[str, Any]:
    day = ["08:00-12:00", "14:00-18:00"]
    return _document(
        "calendar",
        time_zone="Asia/Shanghai",
        week=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), day),
        make_up_hours=day,
        years=[],
    )


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _unit(code: str, kind: str, zh: str, en: str) -> dict[str, Any]:
    return {"code": code, "kind": kind, "name": _words(zh, en)}


def _role(
    code: str, name: tuple[str, str], *holders: dict[str, str], **rest: Any
) -> dict[str, Any]:
    return {"code": code, "name": _words(*name), "holders": list(holders), **rest}


def area(code: str, ring: list[list[float]], **properties: Any) -> dict[str, Any]:
    """A feature of the places document."""
    named = {"code": code, "name": _words(f"{code}片区", f"area {code}"), **properties}
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": named, "geometry": geometry}


def _box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _service(code: str, accountable: str, limit: str, points: int, **rest: Any) -> dict[str, Any]:
    """A service of two conditions: the default one, and one that is worse."""
    plain = {"code": f"{code}-plain", "name": _words("一般", "plain"), "points": points}
    worse = {"code": f"{code}-worse", "name": _words("严重", "worse"), "points": points + 10}
    seen = {"opens_when": _words("看得见", "seen"), "closes_when": _words("没有了", "gone")}
    return {
        "code": code,
        "big_class": "01",
        "name": _words(f"类别{code}", f"kind {code}"),
        "accountable": accountable,
        "conditions": [
            {**plain, **seen, "limit": limit},
            {**worse, **seen, "limit": "1 urgent_hour"},
        ],
        **rest,
    }


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
        "task": Task.HANDLE if unit in (SANITATION, FIRE) else Task.DISPATCH,
        "limit": "6 urgent_hours",
        "pace": Pace.RUNNING,
        "limit_seconds": 6 * 3600,
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
        closed_at=NOON,
    )
