"""The life of a case, decided. Pure.

One unit is accountable at any time. The unit that handled never says itself that it is done.
Before anything else is decided the clock is heard: what ran out in the meantime is a fact of its
own, however late the loop is that looks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from contracts import case as c
from contracts.case import Step
from contracts.envelope import Command, Fact, Issued
from eventlog.decider import Decider
from services.router.decider.case import after, asking, moving, opening, ringing, working
from services.router.decider.case.checks import insist
from services.router.decider.case.state import NO_CASE, Case, evolve
from services.router.lifecycle import MOVES
from services.router.rules import Rules

Decide: TypeAlias = Callable[[Issued[Any], Case, Rules], Sequence[Fact]]

DECIDES: Final[Mapping[type[Command], Decide]] = {
    c.OpenCase: opening.open_case,
    c.CheckReport: opening.check,
    c.CorrectCase: opening.correct,
    c.JoinCase: opening.join,
    c.SeparateCase: opening.separate,
    c.GatherReport: opening.gather,
    c.DropReport: opening.drop,
    c.AcceptWork: moving.accept,
    c.ClaimWork: moving.claim,
    c.ReleaseWork: moving.release,
    c.DispatchCase: moving.dispatch,
    c.ReturnWork: moving.give_back,
    c.TransferWork: moving.transfer,
    c.AskSupport: moving.ask_support,
    c.GiveSupport: moving.give_support,
    c.AskExtension: asking.ask_extension,
    c.AskSuspension: asking.ask_suspension,
    c.DecideRequest: asking.answer,
    c.ResumeWork: asking.resume,
    c.ResolveWork: working.resolve,
    c.VerifyWork: working.verify,
    c.CloseCase: working.close,
    c.CancelCase: working.cancel,
    c.RecordHandling: working.record,
    c.ContestClosing: after.contest,
    c.DismissContest: after.dismiss,
    c.ReopenCase: after.reopen,
    c.AppealTimeout: after.appeal,
    c.ReviewAppeal: after.review,
}
"""Each command and the rule that carries it out."""


def decide(issued: Issued[Any], case: Case, rules: Rules) -> Sequence[Fact]:
    """What follows from a command on a case."""
    command = issued.command
    move = MOVES.get(type(command))
    if move is None:
        raise TypeError(f"{type(command).__name__} is not a command on a case")
    if isinstance(command, c.OpenCase):
        return opening.open_case(issued, case, rules) if case.step is c.Step.NONE else []
    heard = [] if issued.history else ringing.ring(case, command.case_id, issued.at, rules)
    if isinstance(command, c.RingClock):
        return heard
    for fact in heard:
        case = evolve(case, fact)
    insist(move, issued, case, rules)
    follows = DECIDES[type(command)](issued, case, rules)
    return [*heard, *follows] if follows else []


CASE: Final[Decider[Case, Rules]] = Decider("case", NO_CASE, decide, evolve)

__all__ = ["CASE", "DECIDES", "NO_CASE", "Case", "Step", "decide", "evolve"]
