"""How the day must end, worked out from the story and the rulebook alone. Pure.

It asks no room: what the rooms decide is compared with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cli.story.holders import first_holder, handler, helpers
from cli.story.story import Fate, Story, StoryReport
from contracts.case import AcceptWork, DispatchCase, ResolveWork, ReturnWork, VerifyWork
from contracts.notice import Channel, NoticeKind
from contracts.rulebook import Rulebook

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class CaseEnd:
    """Where a case stands when the day is over."""

    step: str
    unit: str
    """Who is accountable."""
    service: str | None
    outcome: str | None = None
    dispatches: int = 1
    returns: int = 0
    reworks: int = 0

    def __str__(self) -> str:
        return (
            f"{self.step} ({self.outcome or 'open'}) at {self.unit} as {self.service}, dispatches"
            f" {self.dispatches}, returns {self.returns}, reworks {self.reworks}"
        )


Told = tuple[str, str, str]
"""Channel, receiver, kind of notice."""


@dataclass(frozen=True, slots=True)
class Ending:
    """All that can be compared at the end of the day."""

    reports: Mapping[str, str]
    """By report: accepted, or refused and why."""
    cases: Mapping[str, CaseEnd]
    """By case."""
    points: Mapping[str, int]
    """By rider; who has none is left out."""
    notices: Mapping[Told, int]
    """How many of each kind, for each receiver and channel."""
    orders: Mapping[str, int]
    """Orders that still wait, by unit; a unit without any is left out."""

    def by_channel(self) -> Counter[str]:
        """How many notices, by channel."""
        channels: Counter[str] = Counter()
        for (channel, _, _), n in self.notices.items():
            channels[channel] += n
        return channels


def ending(story: Story, book: Rulebook, hooked: str) -> Ending:
    """How the story ends where the platform `hooked` has a webhook for its riders."""
    accepted = [report for report in story.reports if report.fate is not Fate.REFUSED]
    cases = {report.report_id: _case(report, book) for report in accepted}
    waiting = Counter(unit for r in accepted for unit in _waiting(r, cases[r.report_id], book))
    return Ending(
        reports={report.report_id: decision(report) for report in story.reports},
        cases=cases,
        points=_points(accepted, cases, book),
        notices=Counter(
            told for report in story.reports for told in _notices(report, book, hooked)
        ),
        orders=waiting,
    )


def decision(report: StoryReport) -> str:
    """What intake must say to a report."""
    return f"{REFUSED}: {report.refusal}" if report.fate is Fate.REFUSED else ACCEPTED


def _case(report: StoryReport, book: Rulebook) -> CaseEnd:
    desk = first_holder(book, report.submit.service_code, report.area)
    case = CaseEnd("dispatched", desk, report.submit.service_code)
    for step in report.steps:
        match step.command:
            case AcceptWork():
                case = replace(case, step="handling")
            case DispatchCase(unit=unit, service_code=corrected):
                service = corrected or case.service
                case = replace(case, step="dispatched", unit=unit, service=service)
                case = replace(case, dispatches=case.dispatches + 1)
            case ReturnWork():
                case = replace(case, step="dispatched", unit=desk, returns=case.returns + 1)
                case = replace(case, dispatches=case.dispatches + 1)
            case ResolveWork():
                case = replace(case, step="resolved")
            case VerifyWork(passed=True):
                case = replace(case, step="closed", outcome="fixed")
            case VerifyWork():
                case = replace(case, step="handling", reworks=case.reworks + 1)
    return case


def _waiting(report: StoryReport, case: CaseEnd, book: Rulebook) -> Iterator[str]:
    """The unit that has not acted on its last order when the day ends."""
    last = report.steps[-1].command if report.steps else None
    match last:
        case None | DispatchCase() | ReturnWork() | VerifyWork(passed=False):
            yield case.unit
        case ResolveWork():
            yield book.routing.verification.by


def _points(
    accepted: list[StoryReport], cases: Mapping[str, CaseEnd], book: Rulebook
) -> Mapping[str, int]:
    """A case that was fixed earns its reporter the points of the kind of hazard it really was."""
    worth = {service.code: service.default.points for service in book.services}
    points: Counter[str] = Counter()
    for report in accepted:
        case = cases[report.report_id]
        if case.outcome == "fixed" and case.service in worth:
            points[report.rider.id] += worth[case.service]
    return points


def _notices(report: StoryReport, book: Rulebook, hooked: str) -> Iterator[Told]:
    """All are told in the outbox; riders also by their platform's webhook, where it has one."""
    for receiver, kind in _tellings(report, book):
        yield (Channel.OUTBOX, receiver, kind)
        if receiver == report.rider.id and report.rider.platform == hooked:
            yield (Channel.WEBHOOK, receiver, kind)


def _tellings(report: StoryReport, book: Rulebook) -> Iterator[tuple[str, NoticeKind]]:
    rider = report.rider.id
    if report.fate is Fate.REFUSED:
        yield rider, NoticeKind.REPORT_REFUSED
        return
    desk = holder = first_holder(book, report.submit.service_code, report.area)
    service = report.submit.service_code
    yield rider, NoticeKind.REPORT_RECEIVED
    yield rider, NoticeKind.CASE_DISPATCHED
    yield desk, NoticeKind.WORK_ORDERED
    if service and book.service(service) and desk == handler(book, service, report.area):
        for unit in helpers(book, service, report.area, holder):
            yield unit, NoticeKind.SUPPORT_ORDERED
    for step in report.steps:
        match step.command:
            case DispatchCase() | ReturnWork() as command:
                holder = command.unit if isinstance(command, DispatchCase) else desk
                yield rider, NoticeKind.CASE_DISPATCHED
                yield holder, NoticeKind.WORK_ORDERED
                if isinstance(command, DispatchCase):
                    service = command.service_code or service
                    for unit in helpers(book, service, report.area, holder):
                        yield unit, NoticeKind.SUPPORT_ORDERED
            case ResolveWork():
                yield rider, NoticeKind.WORK_RESOLVED
                yield book.routing.verification.by, NoticeKind.VERIFY_ORDERED
            case VerifyWork(passed=True):
                yield rider, NoticeKind.POINTS_AWARDED
            case VerifyWork():
                yield holder, NoticeKind.REWORK_ORDERED
