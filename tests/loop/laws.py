"""What holds in a house at any moment, whatever was said by whom in which order.

A law looks at the whole log and yields what breaks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseOpened,
    CloseOutcome,
    ReworkOrdered,
    UnitKind,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Fact, Recorded, Sealed
from contracts.report import ReportAccepted, ReportRefused
from contracts.rulebook import Routing
from eventlog.message import NO_HASH, is_intact
from eventlog.receiving import ARCHIVE
from eventlog.sealing import BadKey, open_value
from services.intake.projection import INTAKE
from services.points.projection import POINTS
from services.router.decider.case import Step
from services.router.projection import ROUTER
from tests.folding import folded
from tests.loop.miniature import KEY, House

Law = Callable[[House], Iterator[str]]

MARK: Final = "私"
"""Stands in every personal text that the tests say."""
VERIFIERS: Final = (UnitKind.INSPECTION, UnitKind.STREET)
OPEN: Final = (Step.DISPATCHED, Step.HANDLING, Step.RESOLVED)


class Broken(AssertionError):
    """A law does not hold."""

    def __init__(self, law: str, how: str) -> None:
        super().__init__(f"{law.replace('_', ' ')}: {how}")
        self.law = law


def all_hold(house: House) -> None:
    """Raise `Broken` for the first law that does not."""
    for law in LAWS:
        for how in law(house):
            raise Broken(law.__name__, how)


def a_report_is_decided_once(house: House) -> Iterator[str]:
    """Accepted or refused, and never again."""
    for report_id, facts in _streams(house, "report"):
        if [isinstance(f.body, ReportAccepted | ReportRefused) for f in facts] != [True]:
            yield f"{report_id} has {[f.type for f in facts]}"


def nothing_follows_a_closing(house: House) -> Iterator[str]:
    """A case is closed at most once, and then it is over."""
    for case_id, facts in _streams(house, "case"):
        types = [fact.type for fact in facts]
        if "CaseClosed" in types[:-1]:
            yield f"{case_id} has {types}"


def the_handler_never_verifies(house: House) -> Iterator[str]:
    """Whoever says whether it is done did not do it and did not report it, and may say so."""
    units = house.rules().units
    for case_id, facts in _streams(house, "case"):
        handler, opened = "", None
        for fact in facts:
            match fact.body:
                case CaseOpened():
                    opened = fact.body
                case WorkResolved(unit=unit):
                    handler = unit
                case WorkVerified(verifier=verifier) | ReworkOrdered(verifier=verifier):
                    assert opened is not None
                    barred = {handler, opened.platform, opened.rider_id}
                    wrong = verifier in barred or units[verifier].kind not in VERIFIERS
                    if wrong or verifier != fact.actor:
                        yield f"{case_id}: {fact.actor} verified as {verifier} what {handler} did"


def fixed_means_verified(house: House) -> Iterator[str]:
    """A case is closed as fixed by the decision that verified it, and by no other."""
    for case_id, facts in _streams(house, "case"):
        verified = {f.command_id for f in facts if isinstance(f.body, WorkVerified)}
        for fact in facts:
            match fact.body:
                case CaseClosed(outcome=outcome):
                    if (outcome is CloseOutcome.FIXED) is not (fact.command_id in verified):
                        yield f"{case_id} closed as {outcome}"


def one_unit_holds_an_open_case(house: House) -> Iterator[str]:
    """The one it was dispatched to last; it alone accepts, returns and resolves."""
    units = house.rules().units
    for case_id, facts in _streams(house, "case"):
        holder = ""
        for fact in facts:
            match fact.body:
                case CaseDispatched(unit=unit):
                    holder = unit
                case WorkAccepted(unit=unit) | WorkReturned(unit=unit) | WorkResolved(unit=unit):
                    if unit != holder or fact.actor not in (holder, ARCHIVE):
                        yield f"{case_id}: {fact.actor} acted for {unit}; {holder} holds it"
        state = house.case(case_id)
        if state.step is Step.REJECTED:
            continue
        if holder not in units or (state.unit, state.unit_kind) != (holder, units[holder].kind):
            yield f"{case_id} is held by {state.unit!r}, dispatched to {holder!r}"
        if state.step is Step.NONE:
            yield f"{case_id} was opened and is nowhere"


def the_state_counts_what_the_facts_say(house: House) -> Iterator[str]:
    """So many dispatches, returns and reworks, each numbered in its fact."""
    for case_id, facts in _streams(house, "case"):
        state = house.case(case_id)
        counted: dict[type[Fact], tuple[int, str]] = {
            CaseDispatched: (state.dispatch, "dispatch"),
            WorkReturned: (state.returns, "returns"),
            ReworkOrdered: (state.reworks, "reworks"),
        }
        for kind, (count, number) in counted.items():
            numbers = [getattr(f.body, number) for f in facts if isinstance(f.body, kind)]
            if numbers != list(range(1, count + 1)):
                yield f"{case_id}: {kind.__name__} numbered {numbers}, counted {count}"


def too_many_returns_escalate(house: House) -> Iterator[str]:
    """By the rulebook that the return was decided by: the one that reaches its number, always."""
    limits = {
        str(document.version): document.escalation[0].returns or 0
        for document in house.published.documents
        if isinstance(document, Routing)
    }
    for case_id, facts in _streams(house, "case"):
        for fact in facts:
            match fact.body:
                case WorkReturned(returns=returns):
                    decided = [f.body for f in facts if f.command_id == fact.command_id]
                    [label] = [b.rulebook for b in decided if isinstance(b, CaseDispatched)]
                    limit = limits[label.split(".")[2]]
                    escalated = any(isinstance(body, CaseEscalated) for body in decided)
                    already = any(
                        isinstance(f.body, CaseEscalated) and f.sequence < fact.sequence
                        for f in facts
                    )
                    due = returns == limit or (returns > limit and not already)
                    if escalated is not due:
                        yield f"{case_id}: return {returns} of {limit}, escalated: {escalated}"


def a_report_earns_once(house: House) -> Iterator[str]:
    """Whatever is heard again, by whomever."""
    earned = Counter(award.report_id for award in _awards(house))
    yield from (f"{report_id} {times} times" for report_id, times in earned.items() if times > 1)


def only_what_was_closed_as_fixed_earns(house: House) -> Iterator[str]:
    """For its own reporter, and not in history."""
    fixed = {
        (fact.body.report_id, fact.body.rider_id)
        for fact in _facts(house)
        if isinstance(fact.body, CaseClosed)
        and fact.body.outcome is CloseOutcome.FIXED
        and not fact.history
    }
    for award in _awards(house):
        if (award.report_id, award.rider_id) not in fixed:
            yield f"{award.report_id} earned {award.points} for {award.rider_id}"


def every_fact_has_an_id_of_its_own(house: House) -> Iterator[str]:
    """And its place in the log."""
    times = Counter(fact.fact_id for fact in _facts(house))
    yield from (fact_id for fact_id, count in times.items() if count > 1)


def the_chain_is_whole(house: House) -> Iterator[str]:
    """Each fact names the hash before it, and its own hash covers what is stored."""
    for stream in house.streams():
        before = NO_HASH
        for stored in stream:
            fact, message = stored.fact, stored.message
            if fact.previous_hash != before:
                yield f"{fact.fact_id} does not follow the fact before it"
            if not is_intact(fact, message.headers, message.body):
                yield f"{fact.fact_id} is not what was hashed"
            before = fact.hash


def personal_words_are_sealed(house: House) -> Iterator[str]:
    """Nothing personal stands in clear; each sealed value opens at its own place."""
    for stream in house.streams():
        for stored in stream:
            if MARK in stored.message.body.decode() or MARK in str(stored.message.headers):
                yield f"{stored.fact.fact_id} says it aloud"
            yield from _unopened(stored.fact)


def rows_say_what_the_states_say(house: House) -> Iterator[str]:
    """The projections, folded over the log, agree with what decisions are made on."""
    rows = folded(ROUTER, _facts(house))
    for case_id, _ in _streams(house, "case"):
        state, row = house.case(case_id), rows.get(("case", (case_id,)))
        if state.step is Step.REJECTED:
            if row is not None:
                yield f"{case_id} was rejected and has a row"
            continue
        due_at = None if state.step is Step.CLOSED else state.due_at
        held = (state.step, state.unit, state.dispatch, state.returns, state.reworks, due_at)
        shown = row and (
            row.step, row.unit, row.dispatches, row.returns, row.reworks, row.due_at
        )  # fmt: skip
        if held != shown:
            yield f"{case_id}: {held} is shown as {shown}"
    decided = {key for _, key in folded(INTAKE, _facts(house))}
    if decided != {(report_id,) for report_id, _ in _streams(house, "report")}:
        yield f"reports shown: {sorted(decided)}"
    earned = sum(award.points for award in _awards(house))
    books = folded(POINTS, _facts(house))
    if earned != sum(row.lifetime for (table, _), row in books.items() if table == "passbook"):
        yield f"{earned} points were awarded"


def any_fact_folds_after_any_other(house: House) -> Iterator[str]:
    """What has happened is taken in whatever is known: also backwards, and from the middle on."""
    try:
        for decider in house.rooms.deciders:
            for stream in house.streams():
                if stream[0].fact.body.stream == decider.stream:
                    facts = [stored.fact for stored in stream]
                    decider.state_of(reversed(facts))
                    decider.state_of(facts[len(facts) // 2 :])
        for projection in (INTAKE, ROUTER, POINTS):
            folded(projection, reversed(list(_facts(house))))
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as e:
        yield repr(e)


LAWS: Final[tuple[Law, ...]] = (
    a_report_is_decided_once,
    nothing_follows_a_closing,
    the_handler_never_verifies,
    fixed_means_verified,
    one_unit_holds_an_open_case,
    the_state_counts_what_the_facts_say,
    too_many_returns_escalate,
    a_report_earns_once,
    only_what_was_closed_as_fixed_earns,
    every_fact_has_an_id_of_its_own,
    the_chain_is_whole,
    personal_words_are_sealed,
    rows_say_what_the_states_say,
    any_fact_folds_after_any_other,
)


def everything_heard_has_had_its_effect(house: House) -> Iterator[str]:
    """What was accepted has its case or was told why not, and what was fixed has earned."""
    services = house.rules().services
    awarded = {award.report_id for award in _awards(house)}
    for fact in _facts(house):
        match fact.body:
            case ReportAccepted(report_id=report_id):
                if not house.stream("case", report_id):
                    yield f"{report_id} was accepted and forgotten"
            case CaseClosed(outcome=CloseOutcome.FIXED) as closed:
                earns = closed.service_code in services and not fact.history
                if earns and closed.report_id not in awarded:
                    yield f"{closed.report_id} was fixed and has not earned"


def _facts(house: House) -> Iterator[Recorded]:
    return (stored.fact for stored in house.log)


def _streams(house: House, name: str) -> Iterator[tuple[str, list[Recorded]]]:
    for stream in house.streams():
        if stream[0].fact.body.stream == name:
            yield stream[0].fact.body.stream_id, [stored.fact for stored in stream]


def _awards(house: House) -> Iterator[PointsAwarded]:
    return (fact.body for fact in _facts(house) if isinstance(fact.body, PointsAwarded))


def _unopened(fact: Recorded) -> Iterator[str]:
    body: Fact = fact.body
    for name in body.personal:
        match getattr(body, name):
            case None:
                continue
            case Sealed() as box:
                try:
                    open_value(KEY, f"{fact.fact_id}/{name}", box)
                except BadKey as error:
                    yield str(error)
            case readable:
                yield f"{fact.fact_id}/{name} reads {readable!r}"
