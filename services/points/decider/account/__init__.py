"""A rider's account, decided. Pure.

Before anything else is decided the clock is heard: what became active or expired in the meantime
is an entry of its own, however late the loop is that looks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from contracts import account as a
from contracts.envelope import Command, Fact, Issued
from eventlog.decider import Decider
from services.points.account import NO_ACCOUNT, Account, entered, evolve
from services.points.decider.account import adjusting, awarding, reversing
from services.points.holds import hear
from services.points.rules import Rules

Decide: TypeAlias = Callable[[Issued[Any], Account, Rules], Sequence[Fact]]

DECIDES: Final[Mapping[type[Command], Decide]] = {
    a.AwardPoints: awarding.award,
    a.GrantPoints: awarding.grant,
    a.ReversePoints: reversing.reverse,
    a.AppealReversal: reversing.appeal,
    a.DecideReversalAppeal: reversing.decide_appeal,
    a.ProposeAdjustment: adjusting.propose,
    a.DecideAdjustment: adjusting.decide,
}
"""Each command and the rule that carries it out. Those of the clock just hear it."""
CLOCK: Final = (a.ActivateLot, a.ExpireLot)


def decide(issued: Issued[Any], account: Account, rules: Rules) -> list[Fact]:
    """What follows from a command on an account."""
    return decide_with(issued, account, rules, DECIDES.get(type(issued.command)))


def decide_with(
    issued: Issued[Any], account: Account, rules: Rules, rule: Decide | None
) -> list[Fact]:
    """What follows by this rule, behind what the clock says; by none, what the clock says."""
    if rule is None and not isinstance(issued.command, CLOCK):
        raise TypeError(f"{type(issued.command).__name__} is not a command on an account")
    heard = list(hear(account, issued.at))
    if rule is None:
        return entered(account, heard)
    now = account
    for fact in heard:
        now = evolve(now, fact)
    follows = rule(issued, now, rules)
    for fact in follows:
        now = evolve(now, fact)
    return entered(account, [*heard, *follows, *hear(now, issued.at)]) if follows else []


ACCOUNT: Final[Decider[Account, Rules]] = Decider("account", NO_ACCOUNT, decide, evolve)

__all__ = ["ACCOUNT", "CLOCK", "DECIDES", "Account", "Rules", "decide", "decide_with", "evolve"]
