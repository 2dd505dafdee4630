"""One believable example of every fact, as somebody might have written it on an autumn evening."""

from __future__ import annotations

from datetime import datetime

from contracts.envelope import Datum, Fact, Reason, Words
from contracts.notice import Channel, NoticeDelivered, NoticeKind, NoticeParked
from contracts.party import ErasureReason, PartyKind, PartyRegistered, RiderErased
from contracts.report import Position, ReportAccepted, ReportRefused
from contracts.rulebook import (
    BigClass,
    Catalogue,
    Choice,
    Condition,
    DocumentKind,
    Duplicates,
    Evidence,
    Limit,
    LimitUnit,
    Question,
    ReportKind,
    RulebookPublished,
    Service,
)
from tests.contracts.account_examples import ACCOUNT_EXAMPLES
from tests.contracts.case_examples import (
    CASE_EXAMPLES,
    OTHER,
    PLACE,
    PLATFORM,
    REPORT,
    RIDER,
)
from tests.contracts.reward_examples import REWARD_EXAMPLES

SEEN = datetime.fromisoformat("2026-10-17T18:42:05+08:00")

CATALOGUE = Catalogue(
    kind="catalogue",
    rulebook="fengxi",
    version=3,
    effective_from=datetime.fromisoformat("2026-10-01T00:00:00+08:00"),
    title=Words(zh="蜂溪区立案目录", en="Catalogue of Fengxi District"),
    big_classes=(
        BigClass(
            code="02",
            name=Words(zh="市容环境", en="City appearance"),
            kind=ReportKind.OCCURRENCE,
        ),
    ),
    services=(
        Service(
            code="exposed-garbage",
            big_class="02",
            small_class="01",
            name=Words(zh="暴露垃圾", en="Exposed garbage"),
            accountable="sanitation",
            supporting=("street",),
            keywords=("垃圾", "异味"),
            conditions=(
                Condition(
                    code="exposed-garbage-heap",
                    name=Words(zh="成堆垃圾", en="Heap of rubbish"),
                    opens_when=Words(
                        zh="有成堆垃圾，超过一平方米", en="A heap over a square metre"
                    ),
                    closes_when=Words(zh="清走，扫净", en="Gone, and swept"),
                    limit=Limit(amount=4, unit=LimitUnit.WORK_HOUR),
                    points=5,
                    evidence=(Evidence.NEAR, Evidence.FAR),
                    questions=(
                        Question(
                            code="smell",
                            datatype="singlevaluelist",
                            description=Words(zh="有异味吗", en="Does it smell?"),
                            values=(
                                Choice(key="yes", name=Words(zh="有", en="Yes")),
                                Choice(key="no", name=Words(zh="没有", en="No")),
                            ),
                        ),
                    ),
                    duplicates=Duplicates(radius_metres=25, window_hours=48),
                ),
            ),
        ),
    ),
)

EXAMPLES: tuple[Fact, ...] = (
    *ACCOUNT_EXAMPLES,
    *CASE_EXAMPLES,
    *REWARD_EXAMPLES,
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
    RiderErased(party_id=RIDER, reason=ErasureReason.ASKED, by="officer"),
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
    RulebookPublished(
        name="fengxi",
        kind=DocumentKind.CATALOGUE,
        version=3,
        digest="5e" * 32,
        document=CATALOGUE,
    ),
)
"""Personal fields are plain here; they are sealed on the way into a golden file."""
