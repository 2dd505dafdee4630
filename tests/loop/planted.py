"""Bugs to be found: rooms in which one part is broken, and the law that must notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from contracts.account import AwardPoints
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CloseOutcome,
    ResolveWork,
    VerifyWork,
    WorkResolved,
    WorkReturned,
)
from contracts.envelope import Command, Fact, Issued, Recorded, Refused, Sealed
from contracts.report import ReportAccepted
from eventlog.decider import Decider
from eventlog.message import Message, encode
from services.intake.decider.report import REPORT
from services.intake.decider.report import State as Report
from services.points.decider import ACCOUNT, Account
from services.points.reactions import award
from services.router.decider.case import CASE, Case, Step
from services.router.reactions import open_case
from services.router.rules import Rules
from tests.district import INSPECTION
from tests.loop.miniature import Rooms, seal_at

CaseDecision = Callable[[Issued[Any], Case, Rules], Sequence[Fact]]


def forgetting(decider: Decider[Any, Any], kind: type[Fact]) -> Decider[Any, Any]:
    """Its states do not change by this kind of fact."""
    evolve = decider.evolve
    return replace(decider, evolve=lambda s, fact: s if isinstance(fact, kind) else evolve(s, fact))


def without(kind: type[Fact]) -> Decider[Case, Rules]:
    """Decisions on cases lack this kind of fact."""

    def decide(issued: Issued[Any], case: Case, rules: Rules) -> list[Fact]:
        return [fact for fact in CASE.decide(issued, case, rules) if not isinstance(fact, kind)]

    return replace(CASE, decide=decide)


def the_handler_verifies(issued: Issued[Any], case: Case, rules: Rules) -> Sequence[Fact]:
    """As if inspection had looked."""
    if not isinstance(issued.command, VerifyWork) or issued.actor != case.unit:
        return CASE.decide(issued, case, rules)
    facts = CASE.decide(replace(issued, actor=INSPECTION), case, rules)
    return [
        fact.model_copy(update={"verifier": issued.actor}) if hasattr(fact, "verifier") else fact
        for fact in facts
    ]


def done_is_fixed(issued: Issued[Any], case: Case, rules: Rules) -> Sequence[Fact]:
    """What the handler reports as done is closed at once."""
    facts = list(CASE.decide(issued, case, rules))
    if isinstance(issued.command, ResolveWork):
        facts.append(
            CaseClosed(
                case_id=case.report_id,
                report_id=case.report_id,
                rider_id=case.rider_id,
                platform=case.platform,
                outcome=CloseOutcome.FIXED,
                closed_at=issued.at,
            )
        )
    return facts


def anybody_acts(issued: Issued[Any], case: Case, rules: Rules) -> Sequence[Fact]:
    """Whoever speaks is taken for the holder."""
    try:
        return CASE.decide(issued, case, rules)
    except Refused:
        return CASE.decide(replace(issued, actor=case.unit), case, rules)


def the_first_holder_keeps_it(case: Case, fact: Fact) -> Case:
    """A dispatch does not change who holds the case."""
    after = CASE.evolve(case, fact)
    moved = isinstance(fact, CaseDispatched) and case.unit
    return replace(after, unit=case.unit, unit_kind=case.unit_kind) if moved else after


def insisting(case: Case, fact: Fact) -> Case:
    """Work can only have been resolved after it was accepted."""
    if isinstance(fact, WorkResolved) and case.step is not Step.HANDLING:
        raise ValueError(f"resolved in step {case.step}")
    return CASE.evolve(case, fact)


def award_again(issued: Issued[AwardPoints], _: Account, rules: Any) -> Sequence[Fact]:
    """As if the rider had never earned anything."""
    return ACCOUNT.decide(issued, Account(), rules)


def award_any_closing(fact: Recorded) -> Command | None:
    """Closed is taken for fixed."""
    match fact.body:
        case CaseClosed() as closed:
            fixed = closed.model_copy(update={"outcome": CloseOutcome.FIXED})
            return award(replace(fact, body=fixed))
        case _:
            return None


def award_history(fact: Recorded) -> Command | None:
    """History is taken for today."""
    return award_any_closing(replace(fact, history=False))


def open_known_kinds(fact: Recorded) -> Command | None:
    """A report of no kind is let fall."""
    match fact.body:
        case ReportAccepted(service_code=None):
            return None
        case _:
            return open_case(fact)


def decide_twice(issued: Issued[Any], state: Report, rules: Any) -> Sequence[Fact]:
    """Two rules look at a report, and each says its word."""
    return [*REPORT.decide(issued, state, rules)] * 2


def closed_is_resolved(issued: Issued[Any], case: Case, rules: Rules) -> Sequence[Fact]:
    """A closed case is taken for one that waits to be verified."""
    step = Step.RESOLVED if case.step is Step.CLOSED else case.step
    return CASE.decide(issued, replace(case, step=step), rules)


def encode_unchained(facts: Sequence[Fact], issued: Issued[Any], **rest: Any) -> Sequence[Message]:
    """Every decision starts a chain of its own."""
    return encode(facts, issued, **rest | {"last_hash": {}})


def encode_one_by_one(facts: Sequence[Fact], issued: Issued[Any], **rest: Any) -> Sequence[Message]:
    """Every fact is the first of its decision."""
    heads = dict(rest.pop("last_hash"))
    messages: list[Message] = []
    for fact in facts:
        messages += encode([fact], issued, last_hash=heads, **rest)
        heads[messages[-1].subject] = messages[-1].hash
    return messages


def seal_elsewhere(person: str, _: str, value: str) -> Sealed:
    """A sealed value could be moved from one fact to another."""
    return seal_at(person, "anywhere", value)


PLANTED: Final[dict[str, tuple[Rooms, str]]] = {
    "a report is decided twice": (
        Rooms(report=replace(REPORT, decide=decide_twice)),
        "a_report_is_decided_once",
    ),
    "a closed case is verified again": (
        Rooms(case=replace(CASE, decide=closed_is_resolved)),
        "nothing_follows_a_closing",
    ),
    "the state forgets that a case was closed": (
        Rooms(case=forgetting(CASE, CaseClosed)),
        "rows_say_what_the_states_say",
    ),
    "the handler verifies its own work": (
        Rooms(case=replace(CASE, decide=the_handler_verifies)),
        "the_handler_never_verifies",
    ),
    "what is reported as done is closed as fixed": (
        Rooms(case=replace(CASE, decide=done_is_fixed)),
        "fixed_means_verified",
    ),
    "anybody acts for the holder": (
        Rooms(case=replace(CASE, decide=anybody_acts)),
        "one_unit_holds_an_open_case",
    ),
    "a dispatch does not change the holder": (
        Rooms(case=replace(CASE, evolve=the_first_holder_keeps_it)),
        "one_unit_holds_an_open_case",
    ),
    "a new case is given to nobody": (
        Rooms(case=without(CaseDispatched)),
        "one_unit_holds_an_open_case",
    ),
    "a fact is refused that has happened": (
        Rooms(case=replace(CASE, evolve=insisting)),
        "any_fact_folds_after_any_other",
    ),
    "returns are not counted": (
        Rooms(case=forgetting(CASE, WorkReturned)),
        "the_state_counts_what_the_facts_say",
    ),
    "nothing is escalated": (Rooms(case=without(CaseEscalated)), "too_many_returns_escalate"),
    "points are awarded whenever they are asked for": (
        Rooms(account=replace(ACCOUNT, decide=award_again)),
        "a_report_earns_once",
    ),
    "closed is taken for fixed": (
        Rooms(award=award_any_closing),
        "only_what_was_closed_as_fixed_earns",
    ),
    "history earns points": (
        Rooms(award=award_history),
        "only_what_was_closed_as_fixed_earns",
    ),
    "a report of no kind is let fall": (
        Rooms(open_case=open_known_kinds),
        "everything_heard_has_had_its_effect",
    ),
    "commands are not remembered": (
        Rooms(remembers_commands=False),
        "the_same_command_twice_changes_nothing",
    ),
    "a decision forgets the hash before it": (
        Rooms(encode=encode_unchained),
        "the_chain_is_whole",
    ),
    "facts of one decision are not numbered": (
        Rooms(encode=encode_one_by_one),
        "every_fact_has_an_id_of_its_own",
    ),
    "sealed values fit everywhere": (Rooms(seal=seal_elsewhere), "personal_words_are_sealed"),
}
"""By what is wrong: the broken rooms, and the law that tells."""
