"""Who is told what: the notices that follow from a fact. Pure.

What happened in imported history is told to nobody, and who was erased is told nothing. A case
that closes as fixed is told with its points; without points, where none can be earned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from contracts.account import (
    PointsActivated,
    PointsAdjusted,
    PointsAwarded,
    PointsExpired,
    PointsGranted,
    PointsRestored,
    PointsReversed,
    PointsWithheld,
    ReversalUpheld,
    Standing,
)
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseJoined,
    CaseRejected,
    CaseReopened,
    CaseSuspended,
    CheckOrdered,
    CloseOutcome,
    ClosingContested,
    ContestDismissed,
    DeadlineNear,
    DeadlinePassed,
    ExtensionAsked,
    ExtensionGranted,
    RequestRefused,
    ReworkOrdered,
    SupportAsked,
    SuspensionAsked,
    SuspensionEnded,
    Task,
    TimeoutExcused,
    TimeoutUpheld,
    WorkResolved,
)
from contracts.envelope import Fact, PartyId, Recorded, ReportId
from contracts.notice import Notice, NoticeKind
from contracts.report import ReportAccepted, ReportRefused
from contracts.reward import (
    CodeIssued,
    RedemptionCancelled,
    RedemptionExpired,
    RedemptionHeld,
    RedemptionUsed,
    WishApproved,
    WishDeclined,
    WishFulfilled,
    WishListed,
    WishMerged,
)
from contracts.rulebook import Rulebook
from services.notify.directory import Directory
from services.notify.phrases import Speaker, phrase

_ID_LENGTH: Final = 64
_DIGEST_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody who must be told something."""

    receiver: PartyId
    kind: NoticeKind
    report_id: ReportId


ONE: Final[Mapping[type[Fact], tuple[str, NoticeKind]]] = {
    ReportAccepted: ("rider_id", NoticeKind.REPORT_RECEIVED),
    ReportRefused: ("rider_id", NoticeKind.REPORT_REFUSED),
    CaseRejected: ("rider_id", NoticeKind.CASE_REJECTED),
    CaseJoined: ("rider_id", NoticeKind.REPORT_JOINED),
    CheckOrdered: ("unit", NoticeKind.CHECK_ORDERED),
    SupportAsked: ("unit", NoticeKind.SUPPORT_ORDERED),
    ReworkOrdered: ("unit", NoticeKind.REWORK_ORDERED),
    ExtensionAsked: ("decider", NoticeKind.REQUEST_ASKED),
    SuspensionAsked: ("decider", NoticeKind.REQUEST_ASKED),
    ExtensionGranted: ("unit", NoticeKind.REQUEST_GRANTED),
    CaseSuspended: ("unit", NoticeKind.REQUEST_GRANTED),
    RequestRefused: ("unit", NoticeKind.REQUEST_REFUSED),
    SuspensionEnded: ("unit", NoticeKind.WORK_RESUMED),
    DeadlineNear: ("unit", NoticeKind.DEADLINE_NEAR),
    DeadlinePassed: ("unit", NoticeKind.DEADLINE_PASSED),
    ClosingContested: ("decider", NoticeKind.CLOSING_CONTESTED),
    ContestDismissed: ("rider_id", NoticeKind.CONTEST_DISMISSED),
    CaseReopened: ("rider_id", NoticeKind.CASE_REOPENED),
    TimeoutExcused: ("unit", NoticeKind.APPEAL_DECIDED),
    TimeoutUpheld: ("unit", NoticeKind.APPEAL_DECIDED),
    PointsAwarded: ("rider_id", NoticeKind.POINTS_AWARDED),
    WishListed: ("rider_id", NoticeKind.WISH_LISTED),
    WishMerged: ("rider_id", NoticeKind.WISH_MERGED),
    WishApproved: ("rider_id", NoticeKind.WISH_APPROVED),
    WishDeclined: ("rider_id", NoticeKind.WISH_DECLINED),
    WishFulfilled: ("rider_id", NoticeKind.WISH_FULFILLED),
    CodeIssued: ("rider_id", NoticeKind.CODE_ISSUED),
    RedemptionUsed: ("rider_id", NoticeKind.REDEMPTION_USED),
    RedemptionCancelled: ("rider_id", NoticeKind.REDEMPTION_CANCELLED),
    RedemptionExpired: ("rider_id", NoticeKind.REDEMPTION_EXPIRED),
    PointsGranted: ("rider_id", NoticeKind.POINTS_GRANTED),
    PointsActivated: ("rider_id", NoticeKind.POINTS_ACTIVATED),
    PointsExpired: ("rider_id", NoticeKind.POINTS_EXPIRED),
    PointsReversed: ("rider_id", NoticeKind.POINTS_REVERSED),
    ReversalUpheld: ("rider_id", NoticeKind.REVERSAL_UPHELD),
    PointsRestored: ("rider_id", NoticeKind.POINTS_RESTORED),
    PointsAdjusted: ("rider_id", NoticeKind.POINTS_ADJUSTED),
}
"""The facts of which one party is told: the field that names it, and what it is told."""

HEARS: Final[tuple[type[Fact], ...]] = (
    *ONE,
    CaseDispatched,
    WorkResolved,
    CaseClosed,
    CaseEscalated,
    RedemptionHeld,
    PointsWithheld,
)
"""The facts that somebody may have to be told of."""

ABOUT: Final = ("report_id", "case_id", "reward_id", "lot", "reversal_id", "adjustment_id")
"""The fields that name what a notice is about, the best one first."""


def tellings(fact: Fact, rules: Rulebook | None) -> Iterator[Telling]:
    """Who must be told about a fact, and what kind of thing. The id of a case is its report's."""
    report_id = next((str(found) for name in ABOUT if (found := getattr(fact, name, ""))), "")
    if one := ONE.get(type(fact)):
        field, kind = one
        for rider in (getattr(fact, field), *getattr(fact, "supporters", ())):
            yield Telling(rider, kind, report_id)
    yield from _several(fact, rules, report_id)


def _several(fact: Fact, rules: Rulebook | None, report_id: ReportId) -> Iterator[Telling]:
    """Of what more than one party is told, or not always."""
    match fact:
        case CaseDispatched():
            yield Telling(fact.rider_id, NoticeKind.CASE_DISPATCHED, report_id)
            yield Telling(fact.unit, NoticeKind.WORK_ORDERED, report_id)
            for unit in fact.supporting if fact.task is Task.HANDLE else ():
                yield Telling(unit, NoticeKind.SUPPORT_ORDERED, report_id)
        case WorkResolved():
            yield Telling(fact.rider_id, NoticeKind.WORK_RESOLVED, report_id)
            if fact.verifier:
                yield Telling(fact.verifier, NoticeKind.VERIFY_ORDERED, report_id)
        case CaseClosed():
            if not _earns_points(fact, rules):
                yield Telling(fact.rider_id, NoticeKind.CASE_CLOSED, report_id)
            for joined in fact.gathered:
                yield Telling(joined.rider_id, NoticeKind.CASE_CLOSED, joined.report_id)
        case CaseRejected():
            for joined in fact.gathered:
                yield Telling(joined.rider_id, NoticeKind.CASE_REJECTED, joined.report_id)
        case CaseEscalated():
            for unit in fact.told:
                yield Telling(unit, NoticeKind.CASE_ESCALATED, report_id)
        case _:
            yield from _not_always(fact, report_id)


def _not_always(fact: Fact, report_id: ReportId) -> Iterator[Telling]:
    """Of what a rider is told in some cases only."""
    match fact:
        case PointsWithheld() if fact.inputs.standing is Standing.FIRST:
            # Who joined has been told that the case is closed.
            yield Telling(fact.rider_id, NoticeKind.POINTS_WITHHELD, report_id)
        case RedemptionHeld() if fact.hold_until is not None:
            yield Telling(fact.rider_id, NoticeKind.REDEMPTION_HELD, report_id)


def notices(
    fact: Recorded,
    directory: Directory,
    rules: Rulebook | None,
    reaches: Callable[[PartyId], bool] = lambda _: True,
) -> tuple[Notice, ...]:
    """The notices that follow from a fact of the log, each in its receiver's language.

    `reaches` says whom the channel leads to: for nobody else words are looked for.
    """
    if fact.history:
        return ()
    told: dict[str, Telling] = {}
    for telling in tellings(fact.body, rules):
        if telling.receiver not in directory.erased and reaches(telling.receiver):
            told.setdefault(telling.receiver, telling)  # one notice of one fact for one receiver
    return tuple(_notice(fact, telling, directory, rules) for telling in told.values())


def notice_id(fact: Recorded, receiver: PartyId) -> str:
    """`<stream id>-<receiver>-<digest>`, one token of a subject, the same at every hearing.

    The digest over fact id and receiver tells any two notices apart; what stands before it is for
    people, and cut where it is long.
    """
    digest = sha256(f"{fact.fact_id}\n{receiver}".encode()).hexdigest()[:_DIGEST_LENGTH]
    readable = f"{fact.body.stream_id}-{receiver}"
    return f"{readable[: _ID_LENGTH - _DIGEST_LENGTH - 1]}-{digest}"


def _notice(
    fact: Recorded, telling: Telling, directory: Directory, rules: Rulebook | None
) -> Notice:
    language = directory.language_of(telling.receiver, rules)
    body = fact.body
    if isinstance(body, CaseClosed | CaseRejected):  # who joined hears of the own report
        body = body.model_copy(update={"report_id": telling.report_id})
    title, text = phrase(telling.kind, body, Speaker.of(language, rules))
    return Notice(
        notice_id=notice_id(fact, telling.receiver),
        receiver=telling.receiver,
        kind=telling.kind,
        language=language,
        title=title,
        text=text,
        report_id=telling.report_id,
        happened_at=fact.happened_at,
        sequence=fact.sequence,
    )


def _earns_points(fact: CaseClosed, rules: Rulebook | None) -> bool:
    """Whether points will tell the rider: the case was fixed, and its service is known to earn."""
    known = rules is None or any(service.code == fact.service_code for service in rules.services)
    return fact.outcome is CloseOutcome.FIXED and fact.service_code is not None and known
