"""Every row of the table: allowed where it says so, refused with the way out everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from contracts import case as c
from contracts.case import CaseRefusal, Step
from contracts.envelope import COMMANDS, Command, Fact
from contracts.evaluation import PublishMonth
from contracts.rulebook import PublishRulebook
from services.router.decider.case import CASE, DECIDES
from services.router.lifecycle import MOVES, TABLE, Move, Who, possible, possible_in_words
from tests.district import EAST, FIRE, IN_WEST, INSPECTION, KITE, REPORT, RIDER, SANITATION, TRIAGE
from tests.router.lives import (
    ACCEPT,
    AT,
    FAIL,
    GRANT,
    HOUR,
    JOIN,
    OPEN,
    PASS,
    REFUSE,
    RESOLVE,
    RETURN,
    Life,
    at_the_street,
    closed,
    closed_late,
    dispatch,
    extension,
    handling,
    kinds,
    suspension,
)

LATER = AT[Step.HANDLING].at + 9 * HOUR
CLAIM = c.ClaimWork(case_id=REPORT, clerk="li-01")
CONTEST = c.ContestClosing(case_id=REPORT, rider_id=RIDER, note="还在")
APPEAL = c.AppealTimeout(case_id=REPORT, reason="道路封闭")

COMMAND: Final[dict[type[Command], tuple[Command, str]]] = {
    c.OpenCase: (OPEN, "router"),
    c.CheckReport: (c.CheckReport(case_id=REPORT, found=True), INSPECTION),
    c.AcceptWork: (ACCEPT, SANITATION),
    c.ClaimWork: (CLAIM, SANITATION),
    c.ReleaseWork: (c.ReleaseWork(case_id=REPORT, clerk="li-01"), SANITATION),
    c.DispatchCase: (dispatch(FIRE), EAST),
    c.CorrectCase: (c.CorrectCase(case_id=REPORT, position=IN_WEST), TRIAGE),
    c.ReturnWork: (RETURN, SANITATION),
    c.TransferWork: (c.TransferWork(case_id=REPORT, unit=FIRE), SANITATION),
    c.AskSupport: (c.AskSupport(case_id=REPORT, unit=FIRE), SANITATION),
    c.GiveSupport: (c.GiveSupport(case_id=REPORT, result="已围挡"), EAST),
    c.AskExtension: (extension(LATER), SANITATION),
    c.AskSuspension: (suspension(LATER), SANITATION),
    c.DecideRequest: (GRANT, EAST),
    c.ResumeWork: (c.ResumeWork(case_id=REPORT), SANITATION),
    c.ResolveWork: (RESOLVE, SANITATION),
    c.VerifyWork: (PASS, INSPECTION),
    c.CloseCase: (c.CloseCase(case_id=REPORT, note="现场无此情况"), EAST),
    c.CancelCase: (
        c.CancelCase(case_id=REPORT, reason=c.CancelReason.FALSE_REPORT),
        INSPECTION,
    ),
    c.JoinCase: (JOIN, TRIAGE),
    c.SeparateCase: (c.SeparateCase(case_id=REPORT), TRIAGE),
    c.GatherReport: (
        c.GatherReport(case_id=REPORT, report_id="r-2", rider_id="rider-02", platform=KITE),
        "router",
    ),
    c.DropReport: (c.DropReport(case_id=REPORT, report_id="r-2"), "router"),
    c.ContestClosing: (CONTEST, KITE),
    c.DismissContest: (c.DismissContest(case_id=REPORT, note="已复查"), INSPECTION),
    c.ReopenCase: (c.ReopenCase(case_id=REPORT, note="没有办好"), INSPECTION),
    c.AppealTimeout: (APPEAL, SANITATION),
    c.ReviewAppeal: (c.ReviewAppeal(case_id=REPORT, granted=True), INSPECTION),
    c.RecordHandling: (c.RecordHandling(case_id=REPORT, result="已答复"), "archive"),
    c.RingClock: (c.RingClock(case_id=REPORT, moment=LATER), "router"),
}
"""One of each command, and who gives it."""

BEFORE: Final[dict[type[Command], Callable[[Life], Life]]] = {
    c.ReleaseWork: lambda life: life.after(CLAIM, SANITATION),
    c.DecideRequest: lambda life: life.after(extension(LATER), SANITATION),
    c.DismissContest: lambda life: life.after(CONTEST, KITE),
    c.AppealTimeout: lambda life: closed_late(),
    c.ReviewAppeal: lambda life: closed_late().after(APPEAL, SANITATION),
    c.DropReport: lambda life: life.after(COMMAND[c.GatherReport][0], "router"),
}
"""What must have happened besides."""
AT_THE_STREET: Final = (c.DispatchCase, c.CloseCase)
"""Given by a dispatcher who holds the case."""


def life_for(move: Move, step: Step) -> Life:
    """A life at this step in which the command is possible, if it is possible at the step."""
    if move.command in AT_THE_STREET and step in (Step.DISPATCHED, Step.HANDLING):
        life = at_the_street()
        return life if step is Step.DISPATCHED else life.after(ACCEPT, EAST)
    life = AT[step]
    if move.command is c.DropReport and step in (Step.CHECKING, Step.CLOSED):
        gather = COMMAND[c.GatherReport][0]
        return life.after(gather, "router") if step is Step.CHECKING else _closed_with_another()
    if step in move.steps and move.command in BEFORE:
        return BEFORE[move.command](life)
    return life


def _closed_with_another() -> Life:
    gathered = handling().after(COMMAND[c.GatherReport][0], "router")
    return gathered.after(RESOLVE, SANITATION).after(PASS, INSPECTION)


def decision_of(move: Move, step: Step) -> tuple[Life, tuple[type[Fact], ...], list[str]]:
    command, by = COMMAND[move.command]
    life = life_for(move, step)
    if move.command is c.RingClock:
        life = life.later(400 * 24 * HOUR)
    decided = life.when(command, by, history=move.who is Who.ARCHIVE)
    assert all(reason.detail for reason in decided.reasons)
    after = Life(CASE.fold(decided.facts, life.state), life.at, life.rules)
    return after, kinds(decided.facts), [reason.code for reason in decided.reasons]


ALLOWED = [(move, step) for move in TABLE for step in move.steps]
FORBIDDEN = [
    (move, step)
    for move in TABLE
    for step in Step
    if step not in move.steps and move.command is not c.OpenCase
]


def name(value: object) -> str:
    return value.command.token if isinstance(value, Move) else str(value)


@pytest.mark.parametrize(("move", "step"), ALLOWED, ids=name)
def test_a_move_is_possible_where_the_table_says_so(move: Move, step: Step) -> None:
    after, facts, reasons = decision_of(move, step)
    assert reasons == []
    if move.command is c.RingClock:
        assert facts
        assert set(facts) <= {kind for row in move.facts for kind in row}
        return
    beside = (c.ClockPaused, c.ClockResumed, c.CaseEscalated)
    plain = {tuple(kind for kind in row if kind not in beside) for row in move.facts}
    assert tuple(kind for kind in facts if kind not in beside) in plain
    assert after.state.step in (move.leads_to or (step,))


@pytest.mark.parametrize(("move", "step"), FORBIDDEN, ids=name)
def test_a_move_is_refused_everywhere_else_and_the_way_out_is_said(move: Move, step: Step) -> None:
    command, by = COMMAND[move.command]
    life = AT[step]
    if move.command in AT_THE_STREET:
        by = life.state.unit or by
    if move.command is c.RingClock:
        assert life.later(HOUR * 9000).when(command, by).facts == ()
        return
    decision = life.when(command, by, history=move.who is Who.ARCHIVE)
    expected = {
        Step.NONE: CaseRefusal.NO_SUCH_CASE,
        Step.REJECTED: CaseRefusal.NO_SUCH_CASE,
        Step.JOINED: CaseRefusal.ALREADY_JOINED,
        Step.CLOSED: CaseRefusal.ALREADY_CLOSED,
    }.get(step, move.otherwise)
    [reason] = decision.reasons
    if reason.code == CaseRefusal.NOT_YOURS:
        assert by != life.state.unit
        return
    assert reason.code == expected
    if step not in (Step.NONE, Step.REJECTED, Step.JOINED):
        assert possible_in_words(step) in reason.detail


SENT = [row for row in ALLOWED if row[0].command not in (c.OpenCase, c.RingClock)]
"""What the house gives to itself without looking at who gives it cannot be sent at all."""


@pytest.mark.parametrize(("move", "step"), SENT, ids=name)
def test_a_stranger_may_nothing(move: Move, step: Step) -> None:
    command, _ = COMMAND[move.command]
    decision = life_for(move, step).when(command, "stranger")
    assert decision.facts == ()
    [reason] = decision.reasons
    assert reason.code in {
        CaseRefusal.NOT_YOURS,
        CaseRefusal.NOT_A_DISPATCHER,
        CaseRefusal.NOT_A_VERIFIER,
        CaseRefusal.NOT_SUPPORTING,
        CaseRefusal.NOT_LATE,
        CaseRefusal.REVIEWER_MAY_NOT,
        CaseRefusal.ONLY_HISTORY,
    }


def test_the_table_speaks_of_every_command_once() -> None:
    of_the_room = {kind for kind in COMMANDS.values() if kind.room == "router"}
    assert [move.command for move in TABLE] == list(dict.fromkeys(m.command for m in TABLE))
    assert set(MOVES) == of_the_room - {PublishRulebook, PublishMonth, c.ReadCase}
    assert set(DECIDES) == set(MOVES) - {c.RingClock}


@pytest.mark.parametrize("step", Step)
def test_the_lives_stand_where_they_are_said_to(step: Step) -> None:
    assert AT[step].state.step is step


def test_every_step_but_the_last_leads_on() -> None:
    for step in Step:
        if step not in (Step.NONE, Step.REJECTED):
            assert list(possible(step))


def test_every_refusal_is_said_somewhere() -> None:
    said: set[str] = set()
    for step in Step:
        for move in TABLE:
            command, by = COMMAND[move.command]
            for life in (AT[step], life_for(move, step)):
                for party in (by, life.state.unit, SANITATION, EAST, KITE, TRIAGE, "stranger"):
                    if party and move.command not in (c.OpenCase, c.RingClock):
                        said |= {reason.code for reason in life.when(command, party).reasons}
    assert {CaseRefusal.NOT_NOW, CaseRefusal.NOT_YOURS, CaseRefusal.NO_SUCH_CASE} <= said
    assert {CaseRefusal.ALREADY_CLOSED, CaseRefusal.ALREADY_JOINED} <= said


@pytest.mark.parametrize("answer", [GRANT, REFUSE], ids=["granted", "refused"])
def test_nobody_answers_what_nobody_asked(answer: c.DecideRequest) -> None:
    handling().when(answer, EAST).then_refused(CaseRefusal.NO_REQUEST)


def test_a_failed_verification_goes_back_to_the_same_unit() -> None:
    after = AT[Step.RESOLVED].after(FAIL, INSPECTION).state
    assert (after.step, after.unit, after.reworks) == (Step.HANDLING, SANITATION, 1)


def test_a_closed_case_is_not_opened_again_by_its_report() -> None:
    closed().when(OPEN, "router").then_nothing()
