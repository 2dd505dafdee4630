"""A fact in the words of its reader: title and text of a notice, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime

from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseRejected,
    ReworkOrdered,
    UnitKind,
    Why,
    WorkResolved,
)
from contracts.envelope import Fact, Reason
from contracts.notice import NoticeKind
from contracts.report import ReportAccepted, ReportRefused
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
        moment = format_datetime(at, pattern, tzinfo=zone or UTC, locale=self.catalogue.language)
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
