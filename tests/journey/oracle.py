"""What must hold of a house, whatever it went through. Pure.

A law looks at the evidence and yields what breaks it. The laws ask no room what should have
happened: they know the words of the log and what the senders were told. `replay` adds the law
that the pure decisions, made again, say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby

from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseJoined,
    CaseOpened,
    CaseRejected,
    CheckOrdered,
    CloseOutcome,
    ReworkOrdered,
    SupportAsked,
    Task,
    WorkResolved,
)
from contracts.envelope import Command, Sealed, log_subject
from contracts.party import RegisterParty
from contracts.report import ReportAccepted, ReportRefused, SubmitReport
from contracts.rulebook import Catalogue, Earning, Split
from eventlog.message import NO_HASH
from tests.journey.evidence import Entry, Evidence

Law = Callable[[Evidence], Iterator[str]]

ROOMS = ("router", "points", "notify")
"""Who acts because of a fact rather than a command."""
PROVISIONER = "provisioner"
"""Who furnishes the house and sets barriers; its commands are in no journey's history."""


def the_log_is_dense(evidence: Evidence) -> Iterator[str]:
    """It begins at 1, nothing is missing, nothing was deleted, the numbers rise."""
    found = [entry.stored.sequence for entry in evidence.log]
    last = len(found) + len(evidence.planted)
    due = [sequence for sequence in range(1, last + 1) if sequence not in evidence.planted]
    if found != due:
        wrong, should = next(both for both in zip(found, due, strict=True) if both[0] != both[1])
        yield f"in the place of sequence {should} stands {wrong}"


def every_chain_is_whole(evidence: Evidence) -> Iterator[str]:
    """Each fact names the hash before it, and its own hash covers what is stored."""
    for subject, entries in evidence.streams.items():
        before = NO_HASH
        for entry in entries:
            if entry.fact.previous_hash != before:
                yield f"{subject}: {entry.fact.fact_id} does not follow the fact before it"
            if not entry.is_intact:
                yield f"{subject}: {entry.fact.fact_id} is not what was hashed"
            before = entry.fact.hash


def every_decision_is_whole(evidence: Evidence) -> Iterator[str]:
    """Its facts stand side by side, from the first to the last, by one hand, each once.

    Also where it goes over several stream ids.
    """
    before: Entry | None = None
    for entry in evidence.log:
        is_next = before is not None and (
            before.stored.sequence == entry.stored.sequence - 1
            and before.fact.command_id == entry.fact.command_id
            and before.index == entry.index - 1
        )
        if entry.index and not is_next:
            yield f"{entry.fact.fact_id} does not stand behind what was decided before it"
        before = entry
    for (subject, command_id), entries in evidence.decisions.items():
        hands = {(e.fact.actor, e.fact.fingerprint, e.fact.cause) for e in entries}
        if len(hands) > 1:
            yield f"{subject}: {command_id} was decided by {hands}"


def everything_happens_once(evidence: Evidence) -> Iterator[str]:
    """Ids are unique, a command is decided once, and what can happen once happened once."""
    ids = Counter(entry.fact.fact_id for entry in evidence.log)
    yield from (f"{fact_id} {n} times" for fact_id, n in ids.items() if n > 1)
    decided = Counter(
        command_id
        for (_, command_id), entries in evidence.decisions.items()
        if entries[0].fact.actor not in ROOMS  # a room may tell several people about one fact
    )
    yield from (f"{command_id} decided {n} times" for command_id, n in decided.items() if n > 1)
    once = Counter(what for entry in evidence.log if (what := _only_once(entry)))
    yield from (f"{what} {n} times" for what, n in once.items() if n > 1)


def _only_once(entry: Entry) -> str | None:
    match entry.fact.body:
        case ReportAccepted(report_id=report_id) | ReportRefused(report_id=report_id):
            return f"decision on report {report_id}"
        case CaseOpened(report_id=report_id) | CaseRejected(report_id=report_id):
            return f"case for report {report_id}"
        case CaseClosed(case_id=case_id):
            return f"closing of case {case_id}"
        case PointsAwarded(report_id=report_id):
            return f"award for report {report_id}"
        case _:
            return None


def personal_words_are_sealed(evidence: Evidence) -> Iterator[str]:
    """Nothing personal stands in clear."""
    for entry in evidence.log:
        body = entry.fact.body
        for name in body.personal:
            if not isinstance(getattr(body, name), Sealed | None):
                yield f"{entry.fact.fact_id}: {name} can be read"


def answers_agree(evidence: Evidence) -> Iterator[str]:
    """However often and by whatever way a command is sent, its answer is one and the same."""
    for op in evidence.history:
        said = {
            (answer.outcome, answer.sequence, tuple(reason.code for reason in answer.reasons))
            for answer in op.answers()
        }
        if len(said) > 1:
            yield f"{op.party} was told of {op.command_id}: {said}"
        if op.said_new > 1:
            yield f"{op.party} was told {op.said_new} times that {op.command_id} is new"


def nothing_is_lost(evidence: Evidence) -> Iterator[str]:
    """What was acknowledged stands in the log, where it was said to stand."""
    for op in evidence.history:
        if op.recorded is None:
            continue
        decision = evidence.decisions.get((target(op.command), op.command_id))
        if decision is None:
            yield f"{op.command_id} was acknowledged at {op.recorded.sequence} and is not there"
        elif decision[-1].stored.sequence != op.recorded.sequence:
            at = decision[-1].stored.sequence
            yield f"{op.command_id} was acknowledged at {op.recorded.sequence} and stands at {at}"


def there_are_no_ghosts(evidence: Evidence) -> Iterator[str]:
    """Every fact follows from a command that was sent and not refused, or from an earlier fact."""
    seen: set[str] = set()
    for entry in evidence.log:
        fact = entry.fact
        if fact.actor in ROOMS:
            if fact.cause not in seen:
                yield f"{fact.fact_id} by {fact.actor} has no cause before it: {fact.cause}"
        elif fact.actor != PROVISIONER:
            op = evidence.sent.get(fact.command_id)
            if op is None or (op.party, target(op.command)) != (fact.actor, fact.subject):
                yield f"{fact.fact_id} by {fact.actor}: nobody sent that, or it was refused"
        seen.add(fact.fact_id)


def the_order_is_that_of_the_world(evidence: Evidence) -> Iterator[str]:
    """What was acknowledged before something else was sent stands before it."""
    done = [op for op in evidence.history if op.recorded is not None]
    ended = iter(sorted(done, key=lambda op: op.recorded_by))
    before = next(ended, None)
    latest = 0
    for op in sorted(done, key=lambda op: op.began):
        while before is not None and before.recorded_by < op.began:
            assert before.recorded is not None
            latest = max(latest, before.recorded.sequence or 0)
            before = next(ended, None)
        assert op.recorded is not None
        if (op.recorded.sequence or 0) < latest:
            yield f"{op.command_id} at {op.recorded.sequence} was sent after {latest} was known"


def every_report_has_its_case(evidence: Evidence) -> Iterator[str]:
    """An accepted report has a case, or joins one, or knows why not; a refused one has none."""
    accepted = {entry.fact.body.stream_id for entry in evidence.facts(ReportAccepted)}
    begun = evidence.facts(CaseOpened, CaseRejected, CaseJoined)
    with_case = {entry.fact.body.stream_id for entry in begun}
    yield from (f"{report_id} was accepted and forgotten" for report_id in accepted - with_case)
    yield from (f"{report_id} has a case from nowhere" for report_id in with_case - accepted)


def every_fixed_case_earns_its_points(evidence: Evidence) -> Iterator[str]:
    """Its reporter the points of its kind of hazard, the confirmers a share; nobody else anything.

    The limits are far above what a journey earns.
    """
    split = next(d.split for d in evidence.rulebooks.documents if isinstance(d, Earning))
    worth = {
        condition.code: condition.points
        for document in evidence.rulebooks.documents
        if isinstance(document, Catalogue)
        for service in document.services
        for condition in service.conditions
    }
    due, paid = Counter[tuple[str, str, int]](), Counter[tuple[str, str, int]]()
    for entry in evidence.log:
        match entry.fact.body:
            case CaseClosed(outcome=CloseOutcome.FIXED, condition=str(code)) as closed:
                if code in worth:
                    due[closed.rider_id, closed.report_id, worth[code]] += 1
                    due.update(_shares(closed, worth[code], split))
            case PointsAwarded() as award:
                paid[award.rider_id, award.report_id, award.points] += 1
    yield from (f"not paid: {what}" for what in (due - paid).elements())
    yield from (f"not due: {what}" for what in (paid - due).elements())


def _shares(closed: CaseClosed, worth: int, split: Split) -> Iterator[tuple[str, str, int]]:
    """What those earn who reported it after the first one: each rider once."""
    places = {closed.rider_id}
    for other in closed.gathered:
        if other.rider_id not in places and len(places) <= split.confirmers:
            yield other.rider_id, other.report_id, max(1, worth * split.percent // 100)
        places.add(other.rider_id)


def every_order_reaches_its_unit(evidence: Evidence) -> Iterator[str]:
    """At least once, always with the same content, and none that the log does not know."""
    due = {
        (entry.stored.sequence, unit, entry.fact.body.stream_id)
        for entry in evidence.log
        for unit in _ordered(entry)
    }
    came = {(order.sequence, order.unit, order.case_id) for order in evidence.orders}
    yield from (f"never came: {what}" for what in sorted(due - came))
    yield from (f"came from nowhere: {what}" for what in sorted(came - due))
    by_id = sorted(evidence.orders, key=lambda order: order.order_id)
    for order_id, same in groupby(by_id, key=lambda order: order.order_id):
        if len({order.model_dump_json() for order in same}) > 1:
            yield f"{order_id} came with different content"


def _ordered(entry: Entry) -> Iterator[str]:
    """The units that a fact sends out."""
    match entry.fact.body:
        case CaseDispatched(unit=unit, task=task, supporting=supporting):
            yield unit
            yield from supporting if task is Task.HANDLE else ()
        case ReworkOrdered(unit=unit) | CheckOrdered(unit=unit) | SupportAsked(unit=unit):
            yield unit
        case WorkResolved(verifier=str(verifier)):
            yield verifier


def nothing_is_parked(evidence: Evidence) -> Iterator[str]:
    """Nothing in a journey is more than a house can handle, but for what is no fact at all."""
    yield from evidence.parked
    for sequence, by in evidence.planted.items():
        if not by:
            yield f"what is no fact, at {sequence}, was passed over in silence"


def target(command: Command) -> str:
    """The subject that a command is about."""
    match command:
        case SubmitReport(report_id=report_id):
            return log_subject("report", report_id)
        case RegisterParty(party_id=party_id):
            return log_subject("party", party_id)
        case _:
            return log_subject("case", str(getattr(command, "case_id", "")))
