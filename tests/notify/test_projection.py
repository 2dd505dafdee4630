"""A row follows from the row before and a fact."""

from __future__ import annotations

from contracts.envelope import Fact
from contracts.notice import Channel, NoticeDelivered, NoticeKind, NoticeParked
from services.notify.projection import NOTIFY, NoticeRow, notice
from tests.notify.given import CASE, NOON, accepted, recorded

[TABLE] = NOTIFY.tables

ABOUT = {
    "notice_id": "n-1",
    "receiver": "rider-01",
    "kind": NoticeKind.REPORT_RECEIVED,
    "language": "zh",
    "report_id": CASE,
}


def delivered(channel: Channel = Channel.OUTBOX, attempts: int = 1) -> NoticeDelivered:
    return NoticeDelivered.model_validate(ABOUT | {"channel": channel, "attempts": attempts})


def parked(channel: Channel = Channel.WEBHOOK) -> NoticeParked:
    told = {"channel": channel, "attempts": 9, "reason": "HTTP status 500"}
    return NoticeParked.model_validate(ABOUT | told)


def folded(*facts: Fact) -> NoticeRow | None:
    row: NoticeRow | None = None
    for sequence, fact in enumerate(facts, start=1):
        row = notice(row, recorded(fact, sequence=sequence))
    return row


def test_a_delivery_is_a_row() -> None:
    assert folded(delivered()) == NoticeRow(
        notice_id="n-1",
        channel="outbox",
        receiver="rider-01",
        kind="report_received",
        language="zh",
        report_id=CASE,
        state="delivered",
        attempts=1,
        reason=None,
        happened_at=NOON,
        sequence=1,
    )


def test_a_parked_notice_shows_why() -> None:
    row = folded(parked())
    assert row is not None
    assert (row.state, row.attempts, row.reason) == ("parked", 9, "HTTP status 500")


def test_what_was_parked_and_then_delivered_is_delivered() -> None:
    row = folded(parked(), delivered(Channel.WEBHOOK, attempts=1))
    assert row is not None
    assert (row.state, row.reason, row.sequence) == ("delivered", None, 2)


def test_each_channel_has_a_row_of_its_own() -> None:
    keys = [list(TABLE.keys(recorded(f))) for f in (delivered(), parked())]
    assert keys == [[("n-1", "outbox")], [("n-1", "webhook")]]


def test_facts_of_other_rooms_touch_no_row() -> None:
    assert list(TABLE.keys(recorded(accepted()))) == []
    assert folded(delivered(), accepted()) == folded(delivered())


def test_the_projection_hears_every_notice_and_nothing_else() -> None:
    assert (NOTIFY.name, NOTIFY.subjects) == ("notify", ("log.notice.>",))
