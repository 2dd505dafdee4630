"""One believable example of every fact, as somebody might have written it on an autumn evening."""

from __future__ import annotations

from datetime import datetime

from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseOpened,
    CaseRejected,
    CloseOutcome,
    ReturnReason,
    ReworkOrdered,
    UnitKind,
    Why,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Datum, Fact, Reason, Words
from contracts.notice import Channel, NoticeDelivered, NoticeKind, NoticeParked
from contracts.party import PartyKind, PartyRegistered
from contracts.report import Position, ReportAccepted, ReportRefused
from contracts.rulebook import (
    Area,
    Platform,
    Rulebook,
    RulebookPublished,
    Service,
    Unit,
    Verification,
)

REPORT = "01KAJ6Q2V4M8Z0T3W5X7Y9B1CD"
OTHER = "01KAJ7A5N9R2C4E6G8J0K2M4PQ"
RIDER = "rider-07"
PLATFORM = "platform-kite"
RULES = "fengxi@3"
SEEN = datetime.fromisoformat("2026-10-17T18:42:05+08:00")
DUE = datetime.fromisoformat("2026-10-17T22:42:31+08:00")
PLACE = Position(lat=29.7712, lng=121.3034)

BOOK = Rulebook(
    name="fengxi",
    version=3,
    effective_from=datetime.fromisoformat("2026-10-01T00:00:00+08:00"),
    time_zone="Asia/Shanghai",
    title=Words(zh="蜂溪区处置规则", en="Rules of Fengxi District"),
    units=(
        Unit(
            code="sanitation",
            kind=UnitKind.DEPARTMENT,
            name=Words(zh="环境卫生管理中心", en="Sanitation Centre"),
        ),
        Unit(
            code="street-taoyuan",
            kind=UnitKind.STREET,
            name=Words(zh="桃园街道办事处", en="Taoyuan Street Office"),
        ),
        Unit(code="triage", kind=UnitKind.TRIAGE, name=Words(zh="人工分派台", en="Triage desk")),
        Unit(
            code="inspection",
            kind=UnitKind.INSPECTION,
            name=Words(zh="监督中心", en="Supervision Centre"),
            language="en",
        ),
    ),
    platforms=(Platform(code=PLATFORM, name=Words(zh="纸鸢外卖", en="Kite Delivery")),),
    areas=(
        Area(
            code="330299001",
            name=Words(zh="桃园街道", en="Taoyuan Street"),
            street="street-taoyuan",
            polygon=(
                (121.2896, 29.7603),
                (121.3131, 29.7603),
                (121.3107, 29.7846),
                (121.2896, 29.7603),
            ),
        ),
    ),
    services=(
        Service(
            code="exposed-garbage",
            name=Words(zh="暴露垃圾", en="Exposed garbage"),
            group=Words(zh="市容环境", en="City appearance"),
            department="sanitation",
            limit_hours=4,
            points=5,
            keywords=("垃圾", "异味"),
        ),
    ),
    verification=Verification(by="inspection"),
)

EXAMPLES: tuple[Fact, ...] = (
    PointsAwarded(
        rider_id=RIDER,
        platform=PLATFORM,
        report_id=REPORT,
        case_id=REPORT,
        service_code="exposed-garbage",
        points=5,
        rule="service:exposed-garbage",
        rulebook=RULES,
    ),
    CaseClosed(
        case_id=REPORT,
        report_id=REPORT,
        rider_id=RIDER,
        platform=PLATFORM,
        unit="sanitation",
        service_code="exposed-garbage",
        outcome=CloseOutcome.FIXED,
        note="巡查员到场核实，地面已冲洗干净。",
    ),
    CaseDispatched(
        case_id=REPORT,
        rider_id=RIDER,
        unit="street-taoyuan",
        unit_kind=UnitKind.STREET,
        dispatch=1,
        service_code="exposed-garbage",
        area="330299001",
        why=Why.STREET_FIRST,
        explanation=Words(
            zh="桃园街道内先由街道办接单。", en="In Taoyuan the street office is first."
        ),
        suggested="sanitation",
        due_at=DUE,
        rulebook=RULES,
    ),
    CaseEscalated(case_id=REPORT, returns=3, reworks=0, level=1),
    CaseOpened(
        case_id=REPORT,
        report_id=REPORT,
        rider_id=RIDER,
        platform=PLATFORM,
        service_code="exposed-garbage",
        position=PLACE,
        area="330299001",
        street="street-taoyuan",
        rulebook=RULES,
    ),
    CaseRejected(
        case_id=OTHER,
        report_id=OTHER,
        rider_id=RIDER,
        service_code="opinion",
        reasons=(Reason(code="only_recorded", detail="an opinion opens no case"),),
        rulebook=RULES,
    ),
    ReworkOrdered(
        case_id=REPORT,
        rider_id=RIDER,
        unit="sanitation",
        verifier="inspection",
        reworks=1,
        note="桶后面还有两袋没有清走。",
    ),
    WorkAccepted(case_id=REPORT, unit="sanitation"),
    WorkResolved(
        case_id=REPORT,
        rider_id=RIDER,
        unit="sanitation",
        result="19:20 已派车清运，垃圾桶增至三个，\r\n并告知沿街商户投放时间。",
        photo="photos/2026/10/17/after-0117.jpg",
    ),
    WorkReturned(
        case_id=REPORT,
        rider_id=RIDER,
        unit="sanitation",
        reason=ReturnReason.WRONG_DEPARTMENT,
        returns=1,
        note="属于工地渣土，请转综合执法。",
    ),
    WorkVerified(
        case_id=REPORT,
        rider_id=RIDER,
        unit="sanitation",
        verifier="inspection",
        note="现场已恢复。",
    ),
    NoticeDelivered(
        notice_id="router-on-report_01KAJ6Q2-0-rider-07",
        channel=Channel.OUTBOX,
        receiver=RIDER,
        kind=NoticeKind.CASE_DISPATCHED,
        language="zh",
        report_id=REPORT,
        attempts=1,
    ),
    NoticeParked(
        notice_id="router-on-report_01KAJ6Q2-0-rider-07",
        channel=Channel.WEBHOOK,
        receiver=PLATFORM,
        kind=NoticeKind.CASE_CLOSED,
        language="en",
        report_id=REPORT,
        attempts=9,
        reason="503 after the last try",
    ),
    PartyRegistered(
        party_id=RIDER,
        kind=PartyKind.RIDER,
        language="zh",
        platform=PLATFORM,
        name="陶小满",
        phone="13800000007",
        webhook="https://rider.example/notices",
        webhook_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ),
    ReportAccepted(
        report_id=REPORT,
        rider_id=RIDER,
        platform=PLATFORM,
        seen_at=SEEN,
        service_code="exposed-garbage",
        position=PLACE,
        given_position=Position(lat=29.7691, lng=121.3079, datum=Datum.GCJ02),
        title="桃园路菜场后门垃圾外溢",
        text="桃园路菜场后门的垃圾桶满了三天，\r\n\t污水流到非机动车道，骑车经过打滑。",
        photo="photos/2026/10/17/0117.jpg",
    ),
    ReportRefused(
        report_id=OTHER,
        rider_id=RIDER,
        platform=PLATFORM,
        seen_at=SEEN,
        text="",
        reasons=(
            Reason(code="no_content", detail="neither text nor photo", field="text"),
            Reason(code="no_position", detail="no position", field="position"),
        ),
    ),
    RulebookPublished(name=BOOK.name, version=BOOK.version, digest="5e" * 32, document=BOOK),
)
"""Personal fields are plain here; they are sealed on the way into a golden file."""
