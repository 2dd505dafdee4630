"""Double entry: what each fact of an account moves, from which account to which. Pure.

A transfer takes from one account what it gives to another, so all accounts together are always
nothing (ledger invariant L1). Balances are the fold of these transfers and of nothing else.

| step | from | to |
|---|---|---|
| earn | `issue:<rule>` | `rider:<ref>:pending` |
| activate | `pending` | `debt` up to what is owed, the rest `available` |
| hold, release | `available`, `held` | `held`, `available` |
| redeem | `held` | `redeemed:<item>` |
| expire | `available` | `expired` |
| repay | `available` | `debt` |
| reverse | `pending`, `available`, then `debt` | `reversed` |
| restore, adjust | `adjust:<officer>` or `available` | the other |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts import account as a
from contracts.envelope import Fact

EXPIRED: Final = "expired"
REVERSED: Final = "reversed"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Whole points from one account to another (ledger invariant L2)."""

    source: str
    target: str
    points: int

    def __post_init__(self) -> None:
        if self.points <= 0 or self.source == self.target:
            raise ValueError(f"{self}: more than no points, between two accounts")


def pending(rider: str) -> str:
    """Earned, waiting for the end of the pending window."""
    return f"rider:{rider}:pending"


def available(rider: str) -> str:
    """What can be spent."""
    return f"rider:{rider}:available"


def held(rider: str) -> str:
    """Reserved by redemptions."""
    return f"rider:{rider}:held"


def debt(rider: str) -> str:
    """What is owed, as a balance below nothing."""
    return f"rider:{rider}:debt"


def issue(rule: str) -> str:
    """Where the points of an earning rule come from."""
    return f"issue:{rule}"


def redeemed(item: str) -> str:
    """Where the points spent on an item go."""
    return f"redeemed:{item}"


def adjust(officer: str) -> str:
    """Where the points come from, or go, that an officer gives or takes."""
    return f"adjust:{officer}"


def may_be_negative(account: str) -> bool:
    """Whether an account may stand below nothing; the list is closed (ledger invariant L3)."""
    return account.startswith(("issue:", "adjust:")) or account.endswith(":debt")


def transfers(fact: Fact) -> tuple[Transfer, ...]:
    """What the fact moves; nothing where it moves no points."""
    moves = _MOVES.get(type(fact))
    return tuple(moves(fact)) if moves else ()


def points_of(parts: Iterable[a.LotPart]) -> int:
    """The points of several parts together."""
    return sum(part.points for part in parts)


def _some(source: str, target: str, points: int) -> Iterator[Transfer]:
    """A transfer, or none for no points."""
    if points:
        yield Transfer(source, target, points)


def _earned(fact: a.PointsAwarded | a.PointsGranted) -> Iterator[Transfer]:
    waits = fact.activates_at is not None
    rider = fact.rider_id
    yield Transfer(issue(fact.rule), pending(rider) if waits else available(rider), fact.points)


def _activated(fact: a.PointsActivated) -> Iterator[Transfer]:
    rider = fact.rider_id
    yield from _some(pending(rider), debt(rider), fact.repaid)
    yield from _some(pending(rider), available(rider), fact.points - fact.repaid)


def _expired(fact: a.PointsExpired) -> Iterator[Transfer]:
    yield Transfer(available(fact.rider_id), EXPIRED, fact.points)


def _held(fact: a.PointsHeld) -> Iterator[Transfer]:
    yield Transfer(available(fact.rider_id), held(fact.rider_id), fact.points)


def _released(fact: a.PointsReleased) -> Iterator[Transfer]:
    yield Transfer(held(fact.rider_id), available(fact.rider_id), fact.points)


def _redeemed(fact: a.PointsRedeemed) -> Iterator[Transfer]:
    yield Transfer(held(fact.rider_id), redeemed(fact.item), fact.points)


def _repaid(fact: a.DebtRepaid) -> Iterator[Transfer]:
    yield Transfer(available(fact.rider_id), debt(fact.rider_id), fact.points)


def _reversed(fact: a.PointsReversed) -> Iterator[Transfer]:
    rider = fact.rider_id
    yield from _some(pending(rider), REVERSED, points_of(fact.pending))
    yield from _some(available(rider), REVERSED, points_of(fact.available))
    yield from _some(debt(rider), REVERSED, fact.debt)


def _given(rider: str, officer: str, points: int, repaid: int) -> Iterator[Transfer]:
    yield from _some(adjust(officer), debt(rider), repaid)
    yield from _some(adjust(officer), available(rider), points - repaid)


def _restored(fact: a.PointsRestored) -> Iterator[Transfer]:
    yield from _given(fact.rider_id, fact.by, fact.points, fact.repaid)


def _adjusted(fact: a.PointsAdjusted) -> Iterator[Transfer]:
    if fact.points < 0:
        yield Transfer(available(fact.rider_id), adjust(fact.by), -fact.points)
    else:
        yield from _given(fact.rider_id, fact.by, fact.points, fact.repaid)


_MOVES: Final[Mapping[type[Fact], Callable[[Any], Iterator[Transfer]]]] = {
    a.PointsAwarded: _earned,
    a.PointsGranted: _earned,
    a.PointsActivated: _activated,
    a.PointsExpired: _expired,
    a.PointsHeld: _held,
    a.PointsReleased: _released,
    a.PointsRedeemed: _redeemed,
    a.DebtRepaid: _repaid,
    a.PointsReversed: _reversed,
    a.PointsRestored: _restored,
    a.PointsAdjusted: _adjusted,
}

ENTRIES: Final = tuple(_MOVES)
"""Every fact that moves points."""
