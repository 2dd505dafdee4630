"""Who must have been told what, and by which way: laws on notices. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from contracts.account import (
    PointsActivated,
    PointsAwarded,
    PointsReversed,
    PointsWithheld,
    Standing,
)
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseJoined,
    CaseRejected,
    CheckOrdered,
    CloseOutcome,
    ReworkOrdered,
    SupportAsked,
    Task,
    WorkResolved,
)
from contracts.envelope import Fact
from contracts.notice import Channel, NoticeDelivered, NoticeKind, NoticeParked
from contracts.party import PartyRegistered
from contracts.report import ReportAccepted, ReportRefused
from contracts.rulebook import Catalogue
from tests.journey.evidence import Evidence

Told = tuple[int, str, NoticeKind]
"""The fact that somebody is told about, who, and what kind of thing."""
TOLD: Final[Mapping[type[Fact], tuple[tuple[str, NoticeKind], ...]]] = {
    ReportAccepted: (("rider_id", NoticeKind.REPORT_RECEIVED),),
    ReportRefused: (("rider_id", NoticeKind.REPORT_REFUSED),),
    CaseRejected: (("rider_id", NoticeKind.CASE_REJECTED),),
    CaseJoined: (("rider_id", NoticeKind.REPORT_JOINED),),
    CaseDispatched: (
        ("rider_id", NoticeKind.CASE_DISPATCHED),
        ("unit", NoticeKind.WORK_ORDERED),
    ),
    CheckOrdered: (("unit", NoticeKind.CHECK_ORDERED),),
    SupportAsked: (("unit", NoticeKind.SUPPORT_ORDERED),),
    WorkResolved: (("rider_id", NoticeKind.WORK_RESOLVED),),
    ReworkOrdered: (("unit", NoticeKind.REWORK_ORDERED),),
    PointsAwarded: (("rider_id", NoticeKind.POINTS_AWARDED),),
    PointsActivated: (("rider_id", NoticeKind.POINTS_ACTIVATED),),
    PointsReversed: (("rider_id", NoticeKind.POINTS_REVERSED),),
}
"""The fields that name who is told, and of what, in the facts that a journey comes by."""


def every_notice_is_told_once(evidence: Evidence) -> Iterator[str]:
    """In the outbox, and in the log as delivered: what must be told, and nothing else."""
    due = Counter(_due(evidence))
    stored = Counter[Told]((n.sequence, n.receiver, n.kind) for n in evidence.outbox)
    yield from (f"not in the outbox: {told}" for told in (due - stored).elements())
    yield from (f"in the outbox without reason: {told}" for told in (stored - due).elements())
    ids = Counter(notice.notice_id for notice in evidence.outbox)
    delivered = _delivered(evidence, Channel.OUTBOX)
    yield from (f"not recorded: {notice}" for notice in (ids - delivered).elements())
    yield from (f"recorded without reason: {notice}" for notice in (delivered - ids).elements())
    for entry in evidence.facts(NoticeParked):
        yield f"given up: {entry.fact.fact_id}"


def every_webhook_is_called(evidence: Evidence) -> Iterator[str]:
    """Riders of the platform that asked for it are told there as well.

    Each notice comes at least once, and is recorded once.
    """
    riders = {
        body.party_id
        for entry in evidence.facts(PartyRegistered)
        if isinstance(body := entry.fact.body, PartyRegistered) and body.platform == evidence.hooked
    }
    due = Counter(n.notice_id for n in evidence.outbox if n.receiver in riders)
    came = Counter(set(evidence.posted))
    recorded = _delivered(evidence, Channel.WEBHOOK)
    yield from (f"never came: {notice}" for notice in due - came)
    yield from (f"came without reason: {notice}" for notice in came - due)
    yield from (f"not recorded: {notice}" for notice in (due - recorded).elements())
    yield from (f"recorded too often: {notice}" for notice in (recorded - due).elements())


def _delivered(evidence: Evidence, channel: Channel) -> Counter[str]:
    return Counter(
        body.notice_id
        for entry in evidence.facts(NoticeDelivered)
        if isinstance(body := entry.fact.body, NoticeDelivered) and body.channel is channel
    )


def _due(evidence: Evidence) -> Iterator[Told]:
    earning = {
        service.code
        for document in evidence.rulebooks.documents
        if isinstance(document, Catalogue)
        for service in document.services
    }
    for entry in evidence.log:
        told: dict[str, NoticeKind] = {}
        for receiver, kind in _tellings(entry.fact.body, earning):
            told.setdefault(receiver, kind)  # nobody is told of one fact twice
        for receiver, kind in told.items():
            yield entry.stored.sequence, receiver, kind


def _tellings(fact: Fact, earning: set[str]) -> Iterator[tuple[str, NoticeKind]]:
    for field, kind in TOLD.get(type(fact), ()):
        yield getattr(fact, field), kind
    match fact:
        case CaseDispatched(task=Task.HANDLE, supporting=supporting):
            for helper in supporting:
                yield helper, NoticeKind.SUPPORT_ORDERED
        case PointsWithheld(rider_id=rider, inputs=inputs) if inputs.standing is Standing.FIRST:
            yield rider, NoticeKind.POINTS_WITHHELD
        case WorkResolved(verifier=str(verifier)):
            yield verifier, NoticeKind.VERIFY_ORDERED
        case CaseClosed(rider_id=rider, outcome=outcome, service_code=code, gathered=gathered):
            if outcome is not CloseOutcome.FIXED or code not in earning:
                yield rider, NoticeKind.CASE_CLOSED
            for joined in gathered:
                yield joined.rider_id, NoticeKind.CASE_CLOSED
