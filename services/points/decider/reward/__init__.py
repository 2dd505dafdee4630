"""The store, decided: wishes, items, stations, sponsors, redemptions. Pure.

Each command has one function. It is given everything it concerns by id (`state.about` names the
ids), and for redemptions also the rider's account, whose facts it writes in the same batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from contracts import reward as r
from contracts.envelope import Command, Fact, Issued
from eventlog.decider import Decider
from services.points.account import NO_ACCOUNT, Account
from services.points.decider.reward import items, stations, takes, wishes
from services.points.decider.reward.counter import Counter
from services.points.decider.reward.state import NOTHING, Take, Thing, Things, about, evolve

Serve: TypeAlias = Callable[[Issued[Any], Things, Counter], Sequence[Fact]]
Settle: TypeAlias = Callable[[Issued[Any], Things, Account, Counter], Sequence[Fact]]

SERVES: Final[Mapping[type[Command], Serve]] = {
    r.SuggestWish: wishes.suggest,
    r.ListWish: wishes.put_on_list,
    r.SupportWish: wishes.support,
    r.MergeWish: wishes.merge,
    r.ApproveWish: wishes.approve,
    r.DeclineWish: wishes.decline,
    r.OfferItem: items.offer,
    r.ChangeItem: items.change,
    r.WithdrawItem: items.withdraw,
    r.AddStock: items.add_stock,
    r.RemoveStock: items.remove_stock,
    r.FundSponsor: items.fund,
    r.OpenStation: stations.open_one,
    r.ChangeStation: stations.change,
    r.CloseStation: stations.close,
}
"""Commands that move no points, each with the rule that carries it out."""

SETTLES: Final[Mapping[type[Command], Settle]] = {
    r.RedeemItem: takes.redeem,
    r.ApproveRedemption: takes.approve,
    r.ReissueCode: takes.reissue,
    r.UseRedemption: takes.use,
    r.CancelRedemption: takes.cancel,
    r.ExpireRedemption: takes.expire,
}
"""Commands on a redemption: the rider's account is part of the decision."""


def serve(
    issued: Issued[Any], things: Things, counter: Counter, account: Account = NO_ACCOUNT
) -> Sequence[Fact]:
    """What follows from a command on the store."""
    kind = type(issued.command)
    if rule := SERVES.get(kind):
        return rule(issued, things, counter)
    if settle := SETTLES.get(kind):
        return settle(issued, things, account, counter)
    raise TypeError(f"{kind.__name__} is not a command on the store")


def _alone(issued: Issued[Any], thing: Thing | None, counter: Counter) -> Sequence[Fact]:
    """A command that concerns one id alone."""
    return serve(issued, Things({issued.command.reward_id: thing}), counter)


REWARD: Final[Decider[Thing | None, Counter]] = Decider("reward", NOTHING, _alone, evolve)

__all__ = ["REWARD", "SERVES", "SETTLES", "Counter", "Take", "Thing", "Things", "about", "serve"]
