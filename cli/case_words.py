"""What each fact of a case says, as one plain sentence. Pure data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from contracts import case as c
from contracts.case import CloseOutcome
from contracts.envelope import Fact
from contracts.evaluation import MonthPublished

_MOMENT: Final = "%Y-%m-%d %H:%M %Z"

ENDED: Final[Mapping[CloseOutcome, str]] = {
    CloseOutcome.FIXED: "closed as fixed",
    CloseOutcome.ANSWERED: "closed with an answer",
    CloseOutcome.UNFOUNDED: "closed: nothing to handle",
    CloseOutcome.NOT_OURS: "closed: nobody here answers for it",
    CloseOutcome.CANCELLED: "cancelled",
}

TEMPLATES: Final[Mapping[type[Fact], str]] = {
    c.CheckOrdered: f"{{f.unit}} looks before a case is opened, by {{f.due_at:{_MOMENT}}}",
    c.CaseJoined: "it gathers under case {f.into}. {f.explanation.en}",
    c.CaseSeparated: "it leaves case {f.origin}: {f.because}",
    c.ReportJoined: "report {f.report_id} of {f.rider_id} joins: {f.reports} reports now",
    c.ReportSeparated: "report {f.report_id} leaves: {f.reports} left",
    c.CaseCorrected: "{f.by} puts it right: {f.condition} in area {f.area}",
    c.CaseDispatched: "{f.unit} holds it now (handover {f.dispatch}), to {f.task} it by"
    f" {{f.due_at:{_MOMENT}}} ({{f.limit}}). {{f.explanation.en}}",
    c.WorkAccepted: "{f.unit} takes it on",
    c.WorkClaimed: "clerk {f.clerk} of {f.unit} has it",
    c.WorkReleased: "clerk {f.clerk} hands it back to {f.unit}",
    c.WorkReturned: "{f.unit} gives it back: {f.reason} (return {f.returns})",
    c.WorkTransferred: "{f.unit} hands it on to {f.to} (transfer {f.transfers})",
    c.SupportAsked: "{f.by} asks {f.unit} to help",
    c.SupportGiven: "{f.unit} says how it has helped",
    c.WorkResolved: "{f.unit} reports its result",
    c.WorkVerified: "{f.verifier} finds the work of {f.unit} done",
    c.ReworkOrdered: "{f.verifier} finds it not done: back to {f.unit} (rework {f.reworks})",
    c.ExtensionAsked: f"{{f.unit}} asks {{f.decider}} for time until {{f.until:{_MOMENT}}}",
    c.SuspensionAsked: f"{{f.unit}} asks {{f.decider}} to suspend it until {{f.until:{_MOMENT}}}",
    c.RequestRefused: "{f.by} refuses the {f.request}",
    c.ExtensionGranted: f"{{f.by}} grants more time: due {{f.due_at:{_MOMENT}}}",
    c.CaseSuspended: f"{{f.by}} suspends it until {{f.until:{_MOMENT}}}",
    c.SuspensionEnded: "the suspension is over",
    c.ClockPaused: "the clock of {f.unit} stands still: {f.because}, {f.left_seconds} s left",
    c.ClockResumed: f"the clock of {{f.unit}} runs again: due {{f.due_at:{_MOMENT}}}",
    c.DeadlineNear: f"{{f.unit}} is warned: due {{f.due_at:{_MOMENT}}}",
    c.DeadlinePassed: f"{{f.unit}} is late to {{f.clock}}: was due {{f.due_at:{_MOMENT}}}",
    c.CaseEscalated: "escalated to level {f.level} because of {f.because}"
    " ({f.returns} returns, {f.reworks} reworks, {f.transfers} transfers)",
    c.ClosingContested: "{f.rider_id} of {f.platform} says that it is not done",
    c.ContestDismissed: "{f.by} has looked again: it is done",
    c.CaseReopened: "{f.by} opens it again (reopened {f.reopens} times)",
    c.TimeoutAppealed: "{f.unit} appeals against its lateness",
    c.AppealReviewed: "{f.reviewer} has reviewed the appeal: granted {f.granted}",
    c.TimeoutExcused: "the lateness of {f.unit} leaves the statistic; that it was late stands",
    c.TimeoutUpheld: "the lateness of {f.unit} stays in the statistic, says {f.reviewer}",
    MonthPublished: "the figures of {f.month} are published as of {f.as_of} by {f.by}",
}
"""By class; `f` is the fact."""


def beside(fact: Fact) -> Iterator[str]:
    """What a clerk may want to know besides: the rule, what was not taken, who was told."""
    match fact:
        case c.CaseDispatched():
            yield f"{fact.explanation.zh}"
            for words in fact.considered:
                yield f"considered: {words.zh} {words.en}"
            if fact.supporting:
                yield f"helps: {', '.join(fact.supporting)}"
            yield f"rule {fact.rule or '-'} of {fact.rulebook}"
        case c.CaseEscalated(told=told):
            yield f"told: {', '.join(told) or 'nobody'}"


def told(fact: Fact) -> str:
    """The sentence of a fact that needs no more than its fields."""
    template = TEMPLATES.get(type(fact))
    return template.format(f=fact) if template else type(fact).__name__
