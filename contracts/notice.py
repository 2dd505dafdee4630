"""Stream `notice.<id>`: who was told what. Written by notify."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from contracts.envelope import Command, Fact, Id, PartyId, ReportId, Time


class NoticeKind(StrEnum):
    """What is told. Each has its words in the message catalogues."""

    REPORT_RECEIVED = "report_received"
    REPORT_REFUSED = "report_refused"
    CASE_REJECTED = "case_rejected"
    CASE_DISPATCHED = "case_dispatched"
    WORK_RESOLVED = "work_resolved"
    CASE_CLOSED = "case_closed"
    POINTS_AWARDED = "points_awarded"
    POINTS_WITHHELD = "points_withheld"
    POINTS_GRANTED = "points_granted"
    POINTS_ACTIVATED = "points_activated"
    POINTS_EXPIRED = "points_expired"
    POINTS_REVERSED = "points_reversed"
    REVERSAL_UPHELD = "reversal_upheld"
    POINTS_RESTORED = "points_restored"
    POINTS_ADJUSTED = "points_adjusted"
    WORK_ORDERED = "work_ordered"
    REWORK_ORDERED = "rework_ordered"
    CHECK_ORDERED = "check_ordered"
    SUPPORT_ORDERED = "support_ordered"
    VERIFY_ORDERED = "verify_ordered"
    REPORT_JOINED = "report_joined"
    REQUEST_ASKED = "request_asked"
    REQUEST_GRANTED = "request_granted"
    REQUEST_REFUSED = "request_refused"
    WORK_RESUMED = "work_resumed"
    DEADLINE_NEAR = "deadline_near"
    DEADLINE_PASSED = "deadline_passed"
    CASE_ESCALATED = "case_escalated"
    CLOSING_CONTESTED = "closing_contested"
    CONTEST_DISMISSED = "contest_dismissed"
    CASE_REOPENED = "case_reopened"
    APPEAL_DECIDED = "appeal_decided"
    WISH_LISTED = "wish_listed"
    WISH_MERGED = "wish_merged"
    WISH_APPROVED = "wish_approved"
    WISH_DECLINED = "wish_declined"
    WISH_FULFILLED = "wish_fulfilled"
    REDEMPTION_HELD = "redemption_held"
    CODE_ISSUED = "code_issued"
    REDEMPTION_USED = "redemption_used"
    REDEMPTION_CANCELLED = "redemption_cancelled"
    REDEMPTION_EXPIRED = "redemption_expired"


class Channel(StrEnum):
    """How it is told."""

    OUTBOX = "outbox"
    """The append-only stream OUTBOX, which every party may read."""
    WEBHOOK = "webhook"
    """A signed POST to the receiver's address (Standard Webhooks)."""


class Notice(BaseModel):
    """What goes out on a channel: no names, no free text, nothing personal."""

    model_config = ConfigDict(frozen=True)

    notice_id: str
    receiver: PartyId
    kind: NoticeKind
    language: str
    title: str
    text: str
    report_id: ReportId
    """What it is about: a report, or a wish or redemption of the store."""
    happened_at: Time
    sequence: int
    """The fact in the log that it tells about."""


class RecordDelivery(Command, room="notify"):
    """A channel has taken the notice."""

    notice_id: Id
    channel: Channel
    receiver: PartyId
    kind: NoticeKind
    language: str
    report_id: ReportId
    attempts: int


class RecordParking(Command, room="notify"):
    """A channel did not take the notice, and the last try is over."""

    notice_id: Id
    channel: Channel
    receiver: PartyId
    kind: NoticeKind
    language: str
    report_id: ReportId
    attempts: int
    reason: str


class NoticeDelivered(Fact, stream="notice"):
    """The receiver was told, on this channel."""

    notice_id: Id
    channel: Channel
    receiver: PartyId
    kind: NoticeKind
    language: str
    report_id: ReportId
    attempts: int


class NoticeParked(Fact, stream="notice"):
    """The receiver could not be told on this channel; an operator can send it again."""

    notice_id: Id
    channel: Channel
    receiver: PartyId
    kind: NoticeKind
    language: str
    report_id: ReportId
    attempts: int
    reason: str
