"""A fact in the words of its reader: title and text of a notice, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_datetime

from contracts.account import (
    Entry,
    PointsActivated,
    PointsAdjusted,
    PointsAwarded,
    PointsExpired,
    PointsGranted,
    PointsRestored,
    PointsReversed,
    PointsWithheld,
    ReversalUpheld,
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
    TimeoutExcused,
    TimeoutUpheld,
    UnitKind,
    Why,
    WorkResolved,
)
from contracts.envelope import Fact, Reason, Words
from contracts.notice import NoticeKind
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
from contracts.rulebook import Area, Rulebook, Service, Unit
from services.notify.words import CATALOGUES, DEFAULT_LANGUAGE, MESSAGES, Catalogue

Phrase = tuple[str, str]
"""Title and text."""

_STATION: Final = {UnitKind.TRIAGE: "triage", UnitKind.STREET: "street"}
"""The units that decide who handles; every other one handles."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says things in one language, with the names that the rulebook gives them."""

    catalogue: Catalogue
    rules: Rulebook | None

    @classmethod
    def of(cls, language: str, rules: Rulebook | None) -> Speaker:
        """A speaker of `language`, or of Chinese where the house does not speak it."""
        return cls(CATALOGUES.get(language, CATALOGUES[DEFAULT_LANGUAGE]), rules)

    def say(self, key: str, **parameters: str | int) -> str:
        """One message of the catalogue."""
        return self.catalogue.say(key, **parameters)

    def tell(self, key: str, **parameters: str | int) -> Phrase:
        """The title and the text that the catalogue has under `key`."""
        return self.say(f"{key}.title", **parameters), self.say(f"{key}.text", **parameters)

    def service(self, code: str | None) -> str:
        """The name of a kind of hazard."""
        return self._name(self.rules.services if self.rules else (), code) or self.say(
            "name.no_service"
        )

    def area(self, code: str | None) -> str:
        """The name of an area."""
        return self._name(self.rules.areas if self.rules else (), code) or self.say("name.no_area")

    def unit(self, code: str) -> str:
        """The name of a unit; its code where the rulebook does not know it."""
        return self._name(self.rules.units if self.rules else (), code) or code

    def moment(self, at: datetime) -> str:
        """A moment on the clock of the district; in UTC, and saying so, where that is not known."""
        zone = _zone(self.rules.time_zone) if self.rules else None
        pattern = self.say("moment.pattern")
        moment = format_datetime(
            at, pattern, tzinfo=zone or UTC, locale=_locale(self.catalogue.language)
        )
        return moment if zone else self.say("moment.utc", moment=moment)

    def reasons(self, reasons: Iterable[Reason]) -> str:
        """Every reason in words; the code where there are no words for it."""
        return self.say("between.reasons").join(map(self._reason, reasons))

    def _reason(self, reason: Reason) -> str:
        key = f"reason.{reason.code}"
        return self.say(key) if key in MESSAGES else self.say("reason.other", code=reason.code)

    def _name(self, named: Iterable[Service | Area | Unit], code: str | None) -> str | None:
        found = next((thing.name for thing in named if thing.code == code), None)
        return found.read_in(self.catalogue.language) if found else None


def phrase(kind: NoticeKind, fact: Fact, speaker: Speaker) -> Phrase:
    """What a notice of this kind says about this fact.

    Raises `TypeError` where a notice of this kind does not tell about such a fact.
    """
    service = speaker.service(getattr(fact, "service_code", None))
    match kind, fact:
        case NoticeKind.REPORT_RECEIVED, ReportAccepted():
            return speaker.tell(kind, service=service, report=fact.report_id)
        case NoticeKind.REPORT_REFUSED, ReportRefused():
            reasons = speaker.reasons(fact.reasons)
            return speaker.tell(kind, service=service, report=fact.report_id, reasons=reasons)
        case NoticeKind.CASE_REJECTED, CaseRejected():
            reasons = speaker.reasons(fact.reasons)
            return speaker.tell(kind, service=service, report=fact.report_id, reasons=reasons)
        case NoticeKind.CASE_DISPATCHED, CaseDispatched():
            return _case_dispatched(fact, service, speaker)
        case NoticeKind.WORK_ORDERED, CaseDispatched():
            return _work_ordered(fact, service, speaker)
        case NoticeKind.WORK_RESOLVED, WorkResolved():
            return speaker.tell(kind, report=fact.case_id, unit=speaker.unit(fact.unit))
        case NoticeKind.REWORK_ORDERED, ReworkOrdered():
            unit = speaker.unit(fact.unit)
            return speaker.tell(kind, report=fact.case_id, unit=unit, reworks=fact.reworks)
        case NoticeKind.CASE_CLOSED, CaseClosed():
            return speaker.tell(f"{kind}.{fact.outcome}", service=service, report=fact.report_id)
        case NoticeKind.POINTS_AWARDED, PointsAwarded():
            return speaker.tell(kind, service=service, report=fact.report_id, points=fact.points)
        case NoticeKind.POINTS_WITHHELD, PointsWithheld():
            caps = speaker.say("between.reasons").join(speaker.say(f"cap.{c}") for c in fact.caps)
            return speaker.tell(kind, service=service, report=fact.report_id, reasons=caps)
        case _, Entry() | ReversalUpheld():
            return _of_points(kind, fact, speaker)
        case _:
            return _between(kind, fact, service, speaker)


def _of_points(kind: NoticeKind, fact: Fact, speaker: Speaker) -> Phrase:
    """What a rider is told of points that came, passed, or were taken and given back."""
    match kind, fact:
        case NoticeKind.POINTS_GRANTED, PointsGranted():
            return speaker.tell(kind, points=fact.points)
        case NoticeKind.POINTS_ACTIVATED, PointsActivated(expires_at=None):
            return speaker.tell(kind, points=fact.points - fact.repaid)
        case NoticeKind.POINTS_ACTIVATED, PointsActivated(expires_at=datetime() as ends):
            due = speaker.moment(ends)
            return speaker.tell(f"{kind}.until", points=fact.points - fact.repaid, due=due)
        case NoticeKind.POINTS_EXPIRED, PointsExpired():
            return speaker.tell(kind, points=fact.points)
        case NoticeKind.POINTS_REVERSED, PointsReversed():
            reason = speaker.say(f"reversal.{fact.reason}")
            if fact.appeal_until is None:
                return speaker.tell(kind, points=fact.points, reason=reason)
            due = speaker.moment(fact.appeal_until)
            return speaker.tell(f"{kind}.until", points=fact.points, reason=reason, due=due)
        case NoticeKind.REVERSAL_UPHELD, ReversalUpheld():
            return speaker.tell(kind)
        case NoticeKind.POINTS_RESTORED, PointsRestored():
            return speaker.tell(kind, points=fact.points)
        case NoticeKind.POINTS_ADJUSTED, PointsAdjusted(points=points):
            return speaker.tell(f"{kind}.{'given' if points > 0 else 'taken'}", points=abs(points))
        case _:
            raise TypeError(f"a notice of {kind} does not tell about {type(fact).__name__}")


def _between(kind: NoticeKind, fact: Fact, service: str, speaker: Speaker) -> Phrase:
    """What is told to those who check, help and verify, and to joined reporters."""
    report = getattr(fact, "case_id", "")
    match kind, fact:
        case NoticeKind.CHECK_ORDERED, CheckOrdered():
            area, due = speaker.area(fact.area), speaker.moment(fact.due_at)
            return speaker.tell(kind, service=service, report=report, area=area, due=due)
        case NoticeKind.SUPPORT_ORDERED, SupportAsked():
            return speaker.tell(kind, report=report, unit=speaker.unit(fact.by))
        case NoticeKind.SUPPORT_ORDERED, CaseDispatched():
            return speaker.tell(kind, report=report, unit=speaker.unit(fact.unit))
        case NoticeKind.VERIFY_ORDERED, WorkResolved(verify_by=datetime() as by):
            unit, due = speaker.unit(fact.unit), speaker.moment(by)
            return speaker.tell(kind, report=report, unit=unit, due=due)
        case NoticeKind.REPORT_JOINED, CaseJoined():
            return speaker.tell(kind, service=service, report=report, original=fact.into)
        case NoticeKind.CLOSING_CONTESTED, ClosingContested():
            return speaker.tell(kind, report=report)
        case NoticeKind.CONTEST_DISMISSED, ContestDismissed():
            return speaker.tell(kind, report=report, unit=speaker.unit(fact.by))
        case NoticeKind.CASE_REOPENED, CaseReopened():
            return speaker.tell(kind, report=report, unit=speaker.unit(fact.by))
        case NoticeKind.APPEAL_DECIDED, TimeoutExcused():
            return speaker.tell(f"{kind}.excused", report=report)
        case NoticeKind.APPEAL_DECIDED, TimeoutUpheld():
            return speaker.tell(f"{kind}.upheld", report=report, unit=speaker.unit(fact.reviewer))
        case _:
            return _of_time(kind, fact, report, speaker)


def _of_time(kind: NoticeKind, fact: Fact, report: str, speaker: Speaker) -> Phrase:
    """What is told about clocks."""
    match kind, fact:
        case NoticeKind.REQUEST_ASKED, ExtensionAsked() | SuspensionAsked():
            asked = "extension" if isinstance(fact, ExtensionAsked) else "suspension"
            unit, until = speaker.unit(fact.unit), speaker.moment(fact.until)
            return speaker.tell(f"{kind}.{asked}", report=report, unit=unit, until=until)
        case NoticeKind.REQUEST_GRANTED, ExtensionGranted():
            until = speaker.moment(fact.due_at)
            return speaker.tell(f"{kind}.extension", report=report, until=until)
        case NoticeKind.REQUEST_GRANTED, CaseSuspended():
            until = speaker.moment(fact.until)
            return speaker.tell(f"{kind}.suspension", report=report, until=until)
        case NoticeKind.REQUEST_REFUSED, RequestRefused():
            unit = speaker.unit(fact.by)
            return speaker.tell(f"{kind}.{fact.request}", report=report, unit=unit)
        case NoticeKind.WORK_RESUMED, SuspensionEnded():
            return speaker.tell(kind, report=report)
        case NoticeKind.DEADLINE_NEAR, DeadlineNear():
            return speaker.tell(kind, report=report, due=speaker.moment(fact.due_at))
        case NoticeKind.DEADLINE_PASSED, DeadlinePassed():
            due = speaker.moment(fact.due_at)
            return speaker.tell(f"{kind}.{fact.clock}", report=report, due=due)
        case NoticeKind.CASE_ESCALATED, CaseEscalated():
            because = speaker.say(f"because.{fact.because}")
            return speaker.tell(kind, report=report, level=fact.level, because=because)
        case _:
            return _of_store(kind, fact, speaker)


def _of_store(kind: NoticeKind, fact: Fact, speaker: Speaker) -> Phrase:
    """What is told about wishes and redemptions.

    Raises `TypeError` where the kind does not fit the fact.
    """
    said: Words | None = getattr(fact, "name", None)
    name = said.read_in(speaker.catalogue.language) if said else speaker.say("name.no_wish")
    match kind, fact:
        case NoticeKind.WISH_LISTED, WishListed():
            return speaker.tell(kind, name=name)
        case NoticeKind.WISH_MERGED, WishMerged():
            return speaker.tell(kind, name=name)
        case NoticeKind.WISH_APPROVED, WishApproved():
            return speaker.tell(kind, name=name)
        case NoticeKind.WISH_DECLINED, WishDeclined():
            reason = speaker.say(f"declined.{fact.reason}")
            note = fact.note.read_in(speaker.catalogue.language)
            return speaker.tell(kind, name=name, reason=reason, note=note)
        case NoticeKind.WISH_FULFILLED, WishFulfilled():
            return speaker.tell(kind, name=name, price=fact.price)
        case NoticeKind.REDEMPTION_HELD, RedemptionHeld():
            return speaker.tell(kind, name=name, price=fact.price)
        case NoticeKind.CODE_ISSUED, CodeIssued():
            return speaker.tell(kind, name=name, due=speaker.moment(fact.use_by))
        case NoticeKind.REDEMPTION_USED, RedemptionUsed():
            return speaker.tell(kind, name=name, price=fact.price)
        case NoticeKind.REDEMPTION_CANCELLED, RedemptionCancelled():
            return speaker.tell(kind, name=name)
        case NoticeKind.REDEMPTION_EXPIRED, RedemptionExpired():
            return speaker.tell(f"{kind}.{fact.ended_by}", name=name)
    raise TypeError(f"a notice of kind {kind} does not tell about a {type(fact).__name__}")


def _case_dispatched(fact: CaseDispatched, service: str, speaker: Speaker) -> Phrase:
    """To the rider: who has the case now; a case that was given back has nobody who handles it."""
    station = "returned" if fact.why is Why.RETURNED else _STATION.get(fact.unit_kind, "department")
    return speaker.tell(
        f"{NoticeKind.CASE_DISPATCHED}.{station}",
        service=service,
        report=fact.case_id,
        unit=speaker.unit(fact.unit),
        due=speaker.moment(fact.due_at),
    )


def _work_ordered(fact: CaseDispatched, service: str, speaker: Speaker) -> Phrase:
    """To the unit: what, where, until when, why; to a dispatcher also whom the rules suggest."""
    station = _STATION.get(fact.unit_kind, "department")
    title, text = speaker.tell(
        f"{NoticeKind.WORK_ORDERED}.{station}",
        service=service,
        report=fact.case_id,
        area=speaker.area(fact.area),
        due=speaker.moment(fact.due_at),
        why=speaker.say(f"why.{fact.why}"),
    )
    if fact.suggested and station != "department" and fact.suggested != fact.unit:
        text = speaker.say("work_ordered.suggestion", text=text, unit=speaker.unit(fact.suggested))
    return title, text


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo | None:
    """The time zone, or None where this machine does not know it: then the time is told in UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    """How moments are written in a language; looking it up takes longer than writing one."""
    return Locale.parse(language)
