"""Every decision in the log, made again by the pure deciders: it must say the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

from contracts.account import AwardPoints
from contracts.case import CaseJoined, CaseOpened, CaseSeparated, Nearby, ReportJoined
from contracts.envelope import Command, Fact, Issued, Recorded, Refused, log_subject
from contracts.notice import NoticeDelivered, RecordDelivery
from contracts.report import Position
from contracts.rulebook import in_force
from eventlog.decider import Decider
from services.intake.decider.party import PARTY
from services.intake.decider.report import REPORT
from services.notify.decider import NOTICE
from services.points import reactions as points_reactions
from services.points.account import Account
from services.points.awards import shared_caps
from services.points.caps import CAP
from services.points.decider import ACCOUNT
from services.points.decider.account import awarding, decide_with
from services.points.parties import Parties
from services.points.rules import Rules as PointsRules
from services.router import reactions
from services.router.decider.case import CASE
from services.router.rules import Rules
from tests.journey.evidence import Entry, Evidence

DECIDERS: Mapping[str, Decider[Any, Any]] = {
    decider.stream: decider for decider in (REPORT, PARTY, CASE, ACCOUNT, CAP, NOTICE)
}


def the_log_is_what_the_deciders_say(evidence: Evidence) -> Iterator[str]:
    """Fact for fact and word for word, by the rules in force, at the moment it happened."""
    by_id = {entry.fact.fact_id: entry.fact for entry in evidence.log}
    states: dict[str, Any] = {}
    for (subject, command_id), entries in evidence.decisions.items():
        first = entries[0]
        decider = DECIDERS.get(first.fact.body.stream)
        if decider is None:
            continue
        state = states.get(subject, decider.initial_state)
        facts = [entry.opened for entry in entries]
        states[subject] = decider.fold(facts, state)
        command = _command(evidence, first, by_id)
        if command is None:
            continue  # furnishing, or a ghost: there is a law on those
        issued, rules = _issued(command, first.fact), _rules(evidence, first)
        try:
            if isinstance(command, AwardPoints):
                facts = _jointly(evidence, entries)
                decided = _within_limits(issued, state, rules, states)
            else:
                decided = list(decider.decide(issued, state, rules))
        except Refused as refusal:
            yield f"{subject}: {command_id} is in the log, though it is refused: {refusal}"
            continue
        except ValueError as error:
            yield f"{subject}: {command_id} cannot be decided on what stands before it: {error}"
            continue
        if decided != facts:
            yield f"{subject}: {command_id} should give {decided}, the log has {facts}"


def _command(evidence: Evidence, entry: Entry, by_id: Mapping[str, Recorded]) -> Command | None:
    """What was decided here: the command that was sent, or the one that its cause asks for."""
    fact, body = entry.fact, entry.opened
    cause = by_id.get(fact.cause or "")
    match body.stream:
        case "notice" if isinstance(body, NoticeDelivered):
            return RecordDelivery(**body.model_dump())
        case "account" if cause is not None:
            return _award(evidence, cause, fact)
        case "case" if cause is not None:
            return _on_case(evidence, cause, body)
        case _:
            op = evidence.sent.get(fact.command_id)
            return op.command if op else None


def _award(evidence: Evidence, cause: Recorded, fact: Recorded) -> AwardPoints | None:
    """The award that a closed case causes for one of its reports."""
    for award in points_reactions.awards(cause):
        if fact.command_id.startswith(f"award-{award.report_id}-"):
            (report, *_) = evidence.streams[log_subject("report", award.report_id)]
            return award.model_copy(update={"reported_at": report.fact.happened_at})
    return None


def _within_limits(
    issued: Issued[Any], account: Account, rules: PointsRules, states: Mapping[str, Any]
) -> list[Fact]:
    """An award within the limits that riders share, each as it stands by then."""
    shared = shared_caps(issued.command, issued.at, rules)
    totals = {cap: states.get(log_subject("cap", cap.cap_id), CAP.initial_state) for cap in shared}
    return decide_with(
        issued, account, rules, lambda i, a, r: awarding.award_within(i, a, totals, r)
    )


def _jointly(evidence: Evidence, entries: Sequence[Entry]) -> list[Fact]:
    """The facts of a decision that goes over several stream ids, in their order."""
    command_id = entries[0].fact.command_id
    return [entry.opened for entry in evidence.log if entry.fact.command_id == command_id]


def _on_case(evidence: Evidence, cause: Recorded, fact: Fact) -> Command | None:
    """What router asks of a case because of a fact: to open, to gather a report, to let it go."""
    match cause.body, fact:
        case CaseJoined() as joined, CaseSeparated():
            return reactions.apart(joined)
        case CaseJoined(), ReportJoined(report_id=report_id):
            return next((g for g in reactions.gather(cause) if g.report_id == report_id), None)
        case CaseSeparated(), _:
            return reactions.drop(cause)
    command = reactions.open_case(cause)
    if command is None or not isinstance(fact, CaseJoined):
        return command
    return command.model_copy(update={"nearby": tuple(_as_seen(evidence, fact.into))})


def _as_seen(evidence: Evidence, case_id: str) -> Iterator[Nearby]:
    """The open case that a report joined, as it was found on the map."""
    for entry in evidence.facts(CaseOpened):
        match entry.fact.body:
            case CaseOpened(case_id=found, condition=str(code), position=Position() as at):
                if found == case_id:
                    opened = entry.fact.happened_at
                    yield Nearby(case_id=found, condition=code, position=at, opened_at=opened)


def _issued(command: Command, fact: Recorded) -> Issued[Command]:
    return Issued(
        command=command, command_id=fact.command_id, actor=fact.actor, at=fact.happened_at
    )


def _rules(evidence: Evidence, entry: Entry) -> Any:
    """As the stream's decider wants them."""
    body: Fact = entry.fact.body
    book = in_force(evidence.rulebooks, entry.fact.happened_at)
    if book is None or body.stream in ("party", "notice"):
        return None
    if body.stream == "account":
        return PointsRules(book, _parties(evidence))
    return Rules(book) if body.stream == "case" else book


def _parties(evidence: Evidence) -> Parties:
    """Who is who, as the log says."""
    return reduce(Parties.heard, (entry.fact for entry in evidence.log), Parties())
