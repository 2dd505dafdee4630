"""Bugs planted into the evidence of a journey: what a house that goes wrong would leave. Pure.

Where facts are taken away, added or moved, the log is numbered and chained anew, and everybody
who was told a place is told the new one: so each bug shows by what it means, not by its scars.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    WorkAccepted,
    WorkClaimed,
    WorkVerified,
)
from contracts.envelope import Answer, Fact, Header, Outcome
from contracts.notice import NoticeDelivered
from contracts.report import ReportAccepted
from eventlog.message import NO_HASH, chain_hash
from tests.journey import holding, oracle, proving, replay, tellings
from tests.journey.evidence import Entry, Evidence
from tests.journey.history import Operation, Try
from tests.journey.oracle import Law

Bug = Callable[[Evidence], Evidence]


def a_fact_is_missing(evidence: Evidence) -> Evidence:
    """A hole in the log."""
    victim = _last(evidence, WorkAccepted)
    return replace(evidence, log=tuple(e for e in evidence.log if e is not victim))


def the_end_is_cut_off(evidence: Evidence) -> Evidence:
    """Acknowledged, and gone; the next to come would get the same numbers."""
    return replace(evidence, log=evidence.log[: len(evidence.log) // 2])


def a_bit_flips(evidence: Evidence) -> Evidence:
    """In what is stored."""
    victim = _last(evidence, CaseDispatched)
    data = bytearray(victim.stored.data)
    data[len(data) // 2] ^= 1
    return _replaced(evidence, victim, _with(victim, data=bytes(data)))


def an_acknowledged_command_is_lost(evidence: Evidence) -> Evidence:
    """Its facts were never written."""
    victim = _last(evidence, WorkAccepted)
    return _rewritten(evidence, [e for e in evidence.log if e is not victim])


def half_a_decision_is_lost(evidence: Evidence) -> Evidence:
    """The case was opened and given to nobody."""
    victim = _decision(evidence, _last(evidence, CaseOpened))[-1]
    return _rewritten(evidence, [e for e in evidence.log if e is not victim])


def a_report_is_forgotten(evidence: Evidence) -> Evidence:
    """Accepted, and never a case."""
    subject = _last(evidence, CaseOpened).fact.subject
    return _rewritten(evidence, [e for e in evidence.log if e.fact.subject != subject])


def a_fact_is_applied_twice(evidence: Evidence) -> Evidence:
    """The very same, behind itself."""
    twice = _last(evidence, NoticeDelivered)
    return _rewritten(evidence, [*evidence.log, twice])


def points_are_paid_twice(evidence: Evidence) -> Evidence:
    """By another command, so that the ids differ."""
    again = _headed(_last(evidence, PointsAwarded), command="award-again")
    return _rewritten(evidence, [*evidence.log, again])


def points_are_too_many(evidence: Evidence) -> Evidence:
    """One more than the rules give."""
    victim = _last(evidence, PointsAwarded)
    assert isinstance(victim.fact.body, PointsAwarded)
    more = _bodied(victim, points=victim.fact.body.points + 1)
    return _rewritten(evidence, _swapped(evidence.log, victim, more))


def points_are_never_paid(evidence: Evidence) -> Evidence:
    """The case was fixed, and nobody told the account."""
    victim = _last(evidence, PointsAwarded)
    return _rewritten(evidence, [e for e in evidence.log if e is not victim])


def facts_of_a_decision_change_places(evidence: Evidence) -> Evidence:
    """Closed first, verified then."""
    verified, closed = _decision(evidence, _last(evidence, CaseClosed))
    moved = _swapped(evidence.log, verified, closed)
    moved[evidence.log.index(closed)] = verified
    return _rewritten(evidence, moved)


def the_later_stands_before_the_earlier(evidence: Evidence) -> Evidence:
    """Two reports, one sent when the other was long acknowledged."""
    reports = evidence.facts(ReportAccepted)
    first, last = reports[0], reports[-1]
    moved = _swapped(evidence.log, first, last)
    moved[evidence.log.index(last)] = first
    return _rewritten(evidence, moved)


def a_refused_command_takes_effect(evidence: Evidence) -> Evidence:
    """Somebody who does not hold the case was told no, and it was done."""
    denied = next(op for op in evidence.history if op.declined and "-probe-" in op.command_id)
    model = _last(evidence, WorkAccepted)
    subject = oracle.target(denied.command)
    ghost = _headed(
        model,
        command=denied.command_id,
        subject=subject,
        actor=denied.party,
        case_id=subject.rpartition(".")[2],
    )
    return _rewritten(evidence, [*evidence.log, ghost])


def a_handler_verifies_itself(evidence: Evidence) -> Evidence:
    """A refusal was skipped."""
    victim = _last(evidence, WorkVerified)
    assert isinstance(victim.fact.body, WorkVerified)
    unit = victim.fact.body.unit
    closed = _decision(evidence, victim)[-1]
    log = _swapped(evidence.log, victim, _headed(_bodied(victim, verifier=unit), actor=unit))
    log = _swapped(log, closed, _headed(closed, actor=unit))
    history = [
        replace(op, party=unit) if op.command_id == victim.fact.command_id else op
        for op in evidence.history
    ]
    return _rewritten(replace(evidence, history=tuple(history)), log)


def two_clerks_have_it(evidence: Evidence) -> Evidence:
    """The second to reach for a case was not refused."""
    claimed = _last(evidence, WorkClaimed)
    assert isinstance(claimed.fact.body, WorkClaimed)
    other = _headed(_bodied(claimed, clerk="clerk-z"), command="claim-too")
    return _rewritten(evidence, [*evidence.log, other])


def a_stranger_acts(evidence: Evidence) -> Evidence:
    """A unit takes on what another holds."""
    victim = _last(evidence, WorkAccepted)
    return _rewritten(
        evidence,
        _swapped(evidence.log, victim, _headed(_bodied(victim, unit="fire-2"), actor="fire-2")),
    )


def the_words_are_changed(evidence: Evidence) -> Evidence:
    """What the rider wrote is not what can be read."""
    victim = _last(evidence, ReportAccepted)
    assert isinstance(victim.opened, ReportAccepted)
    other = victim.opened.model_copy(update={"text": str(victim.opened.text).strip("。")})
    return _replaced(evidence, victim, replace(victim, opened=other))


def words_are_not_sealed(evidence: Evidence) -> Evidence:
    """Everybody who reads the log reads what the rider wrote."""
    victim = _last(evidence, ReportAccepted)
    return _rewritten(
        evidence, _swapped(evidence.log, victim, _bodied(victim, text="路口有一堆垃圾"))
    )


def an_acknowledgement_names_another_place(evidence: Evidence) -> Evidence:
    """Off by one."""
    return _answered(evidence, lambda a: a.model_copy(update={"sequence": (a.sequence or 0) + 1}))


def two_answers_differ(evidence: Evidence) -> Evidence:
    """Accepted, and when asked again, refused."""
    refused = Answer(outcome=Outcome.REFUSED, id="x")
    return _told_more(evidence, Try(0, 1, refused))


def two_answers_say_that_it_is_new(evidence: Evidence) -> Evidence:
    """It was decided twice, or somebody forgot."""
    victim = _recorded(evidence)
    return _told_more(evidence, Try(0, 1, victim.recorded, known=False), twice=True)


def a_notice_is_not_told(evidence: Evidence) -> Evidence:
    """Nobody finds it in the outbox."""
    return replace(evidence, outbox=evidence.outbox[:-1])


def a_notice_is_told_twice(evidence: Evidence) -> Evidence:
    """It stands in the outbox two times."""
    return replace(evidence, outbox=(*evidence.outbox, evidence.outbox[-1]))


def a_notice_goes_to_another(evidence: Evidence) -> Evidence:
    """A rider reads what was meant for somebody else."""
    wrong = evidence.outbox[-1].model_copy(update={"receiver": "rider-00"})
    return replace(evidence, outbox=(*evidence.outbox[:-1], wrong))


def a_webhook_is_never_called(evidence: Evidence) -> Evidence:
    """The platform waits in vain."""
    missed = evidence.posted[-1]
    return replace(evidence, posted=tuple(n for n in evidence.posted if n != missed))


def an_order_never_comes(evidence: Evidence) -> Evidence:
    """The unit does not know that it is accountable."""
    missed = evidence.orders[-1].order_id
    return replace(evidence, orders=tuple(o for o in evidence.orders if o.order_id != missed))


def an_order_comes_from_nowhere(evidence: Evidence) -> Evidence:
    """A unit is sent out for nothing."""
    wrong = evidence.orders[-1].model_copy(update={"unit": "fire", "sequence": 1})
    return replace(evidence, orders=(*evidence.orders, wrong))


def history_is_written_anew(evidence: Evidence) -> Evidence:
    """Another word in an early fact, and every hash made again: nothing inside the log shows it."""
    victim = evidence.facts(CaseDispatched)[0]
    return _rewritten(evidence, _swapped(evidence.log, victim, _bodied(victim, rule="another")))


def poison_is_passed_over(evidence: Evidence) -> Evidence:
    """What is no fact, and nobody has said so."""
    first, *log = evidence.log
    return replace(
        evidence, log=tuple(log), poison=(first.stored,), planted={first.stored.sequence: ()}
    )


def something_is_parked(evidence: Evidence) -> Evidence:
    """A room could not handle a fact."""
    return replace(evidence, parked=("parked.points-on-case: KeyError",))


PLANTED: Final[tuple[tuple[Bug, Law], ...]] = (
    (a_fact_is_missing, oracle.the_log_is_dense),
    (the_end_is_cut_off, oracle.nothing_is_lost),
    (a_bit_flips, oracle.every_chain_is_whole),
    (an_acknowledged_command_is_lost, oracle.nothing_is_lost),
    (half_a_decision_is_lost, replay.the_log_is_what_the_deciders_say),
    (a_report_is_forgotten, oracle.every_report_has_its_case),
    (a_fact_is_applied_twice, oracle.everything_happens_once),
    (points_are_paid_twice, oracle.everything_happens_once),
    (points_are_paid_twice, oracle.every_fixed_case_earns_its_points),
    (points_are_too_many, oracle.every_fixed_case_earns_its_points),
    (points_are_never_paid, oracle.every_fixed_case_earns_its_points),
    (facts_of_a_decision_change_places, oracle.every_decision_is_whole),
    (facts_of_a_decision_change_places, replay.the_log_is_what_the_deciders_say),
    (the_later_stands_before_the_earlier, oracle.the_order_is_that_of_the_world),
    (a_refused_command_takes_effect, oracle.there_are_no_ghosts),
    (a_handler_verifies_itself, replay.the_log_is_what_the_deciders_say),
    (two_clerks_have_it, holding.a_case_has_one_holder),
    (a_stranger_acts, holding.a_case_has_one_holder),
    (the_words_are_changed, replay.the_log_is_what_the_deciders_say),
    (words_are_not_sealed, oracle.personal_words_are_sealed),
    (an_acknowledgement_names_another_place, oracle.nothing_is_lost),
    (two_answers_differ, oracle.answers_agree),
    (two_answers_say_that_it_is_new, oracle.answers_agree),
    (a_notice_is_not_told, tellings.every_notice_is_told_once),
    (a_notice_is_told_twice, tellings.every_notice_is_told_once),
    (a_notice_goes_to_another, tellings.every_notice_is_told_once),
    (a_webhook_is_never_called, tellings.every_webhook_is_called),
    (an_order_never_comes, oracle.every_order_reaches_its_unit),
    (an_order_comes_from_nowhere, oracle.every_order_reaches_its_unit),
    (history_is_written_anew, proving.the_log_only_grew),
    (the_end_is_cut_off, proving.the_log_only_grew),
    (poison_is_passed_over, oracle.nothing_is_parked),
    (something_is_parked, oracle.nothing_is_parked),
)
"""Each bug, and a law that must catch it."""


def _last(evidence: Evidence, kind: type[Fact]) -> Entry:
    return evidence.facts(kind)[-1]


def _decision(evidence: Evidence, entry: Entry) -> Sequence[Entry]:
    return evidence.decisions[entry.fact.subject, entry.fact.command_id]


def _recorded(evidence: Evidence) -> Operation:
    return next(op for op in reversed(evidence.history) if op.recorded is not None)


def _told_more(evidence: Evidence, *tries: Try, twice: bool = False) -> Evidence:
    """The last to have been acknowledged was also told this."""
    victim = _recorded(evidence)
    other = replace(victim, tries=[*victim.tries, *tries, *(tries if twice else ())])
    return replace(
        evidence, history=tuple(other if op is victim else op for op in evidence.history)
    )


def _answered(evidence: Evidence, change: Callable[[Answer], Answer]) -> Evidence:
    """The last to have been acknowledged was told something else, each time."""
    victim = _recorded(evidence)
    tries = [replace(t, answer=change(t.answer)) if t.answer else t for t in victim.tries]
    other = replace(victim, tries=tries)
    return replace(
        evidence, history=tuple(other if op is victim else op for op in evidence.history)
    )


def _swapped(log: Iterable[Entry], old: Entry, new: Entry) -> list[Entry]:
    return [new if entry is old else entry for entry in log]


def _replaced(evidence: Evidence, old: Entry, new: Entry) -> Evidence:
    return replace(evidence, log=tuple(_swapped(evidence.log, old, new)))


def _with(entry: Entry, **changes: Any) -> Entry:
    """The entry with something else in store; what was read and opened stays."""
    return replace(entry, stored=replace(entry.stored, **changes))


def _bodied(entry: Entry, **fields: Any) -> Entry:
    """The entry with other words in its body."""
    data = json.dumps(json.loads(entry.stored.data) | fields).encode()
    stored = replace(entry.stored, data=data)
    return Entry(stored, stored.fact(), entry.opened.model_copy(update=fields))


def _headed(
    entry: Entry, *, command: str = "", subject: str = "", actor: str = "", **fields: Any
) -> Entry:
    """The entry as if another command, on another stream id, by somebody else had caused it."""
    stored, fact = entry.stored, entry.fact
    subject, command = subject or stored.subject, command or fact.command_id
    stream_id = subject.partition(".")[2]
    headers = {
        **stored.headers,
        Header.COMMAND: command,
        Header.ACTOR: actor or fact.actor,
        Header.ID: f"{stream_id}.{command}.{entry.index}",
    }
    data = json.dumps(json.loads(stored.data) | fields).encode()
    stored = replace(stored, headers=headers, subject=subject, data=data)
    return Entry(stored, stored.fact(), entry.opened.model_copy(update=fields))


def _rewritten(evidence: Evidence, log: Iterable[Entry]) -> Evidence:
    """The log made of these facts as if it had always been so, and everybody told so."""
    heads: dict[str, str] = {}
    places: dict[int, int] = {}
    entries = []
    for sequence, entry in enumerate(log, start=1):
        subject, data = entry.stored.subject, entry.stored.data
        headers = {**entry.stored.headers, Header.PREVIOUS: heads.get(subject, NO_HASH)}
        headers[Header.HASH] = heads[subject] = chain_hash(subject, headers, data)
        stored = replace(entry.stored, sequence=sequence, headers=headers)
        entries.append(Entry(stored, stored.fact(), entry.opened))
        places.setdefault(entry.stored.sequence, sequence)
    return replace(
        evidence,
        log=tuple(entries),
        history=tuple(_moved(op, places) for op in evidence.history),
        outbox=tuple(_at(notice, places) for notice in evidence.outbox),
        orders=tuple(_at(order, places) for order in evidence.orders),
    )


def _moved(op: Operation, places: dict[int, int]) -> Operation:
    tries = [replace(t, answer=_at(t.answer, places)) if t.answer else t for t in op.tries]
    return replace(op, tries=tries)


def _at(told: Any, places: dict[int, int]) -> Any:
    """What names a place in the log names where that fact stands now; what is gone stays gone."""
    if told.sequence is None:
        return told
    return told.model_copy(update={"sequence": places.get(told.sequence, 10**9)})
