"""The store for tests: given what has happened to everything in it, when a command comes.

given(SHELF, EARNED).when(REDEEM, by=KITE).then(RedemptionHeld, StockHeld, CodeIssued, PointsHeld)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from contracts import reward as r
from contracts.account import PointsAwarded
from contracts.envelope import Command, Fact, Issued, Refused, Words
from contracts.report import Position
from contracts.rulebook import Rulebook
from services.points.account import NO_ACCOUNT, Account
from services.points.account import evolve as account_after
from services.points.codes import code_of, hash_of, pseudonym_of
from services.points.decider.reward import Counter, Things, about, serve
from services.points.decider.reward.state import evolve
from tests.district import BOOK, KITE, SWIFT, WEST
from tests.given import CHINA, NOON, Decision

OFFICER = "officer"
ANN, BO, CAI = "rider-01", "rider-02", "rider-03"
RIDERS = {ANN: KITE, BO: SWIFT, CAI: KITE}
SECRET = b"a secret of the tests"
KETTLE, CHECKUP, FUND, STOP = "item-kettle", "item-checkup", "fund-union", "stop-west"
TAKE, OTHER_TAKE = "take-1", "take-2"
SHADE = "wish-shade"


def words(text: str) -> Words:
    return Words(zh=text, en=text)


def terms(**changes: Any) -> r.Terms:
    given: dict[str, Any] = {"name": words("保温壶"), "kind": r.RewardKind.GOODS, "price": 20}
    return r.Terms.model_validate(given | changes)


PLACE = r.Place(
    name=words("西街驿站"),
    station_class=r.StationClass.SECOND,
    position=Position(lat=29.005, lng=121.005),
    always_open=True,
    keeper=WEST,
)
OPENED = r.StationOpened(reward_id=STOP, place=PLACE, by=OFFICER)


def offered(item: str = KETTLE, stock: int | None = 1, **changes: Any) -> r.ItemOffered:
    return r.ItemOffered(reward_id=item, terms=terms(**changes), stock=stock, by=OFFICER)


def earned(rider: str = ANN, points: int = 25, report: str = "r-1") -> PointsAwarded:
    """Points that can be spent at once and never expire."""
    return PointsAwarded(
        rider_id=rider,
        platform=RIDERS[rider],
        report_id=report,
        case_id=report,
        service_code="garbage",
        points=points,
        rule="condition:garbage-plain",
        rulebook=BOOK.label,
    )


def redeem(rider: str = ANN, take: str = TAKE, item: str = KETTLE, **more: Any) -> r.RedeemItem:
    return r.RedeemItem(reward_id=take, rider_id=rider, item_id=item, **more)


def code(take: str = TAKE, issue: int = 1) -> str:
    return code_of(SECRET, take, issue)


@dataclass(frozen=True)
class World:
    """Everything that has happened, folded."""

    things: Mapping[str, Any]
    accounts: Mapping[str, Account]
    rules: Rulebook = BOOK

    def after(self, facts: Iterable[Fact]) -> World:
        """The world after more facts."""
        things, accounts = dict(self.things), dict(self.accounts)
        for fact in facts:
            if fact.stream == "account":
                before = accounts.get(fact.stream_id, NO_ACCOUNT)
                accounts[fact.stream_id] = account_after(before, fact)
            else:
                things[fact.stream_id] = evolve(things.get(fact.stream_id), fact)
        return replace(self, things=things, accounts=accounts)

    def account(self, rider: str = ANN) -> Account:
        return self.accounts.get(rider, NO_ACCOUNT)

    def thing(self, reward_id: str) -> Any:
        return self.things[reward_id]

    def decide(
        self, command: Command, *, by: str, at: datetime = NOON, command_id: str = "c-1"
    ) -> list[Fact]:
        """What the rooms would do: look up what the command concerns, decide."""
        every = Things(self.things)
        held = every.take(getattr(command, "reward_id", "")).held
        names = list(about(command, every))
        rider = getattr(command, "rider_id", None) or (held.rider_id if held else None)
        counter = Counter(
            book=self.rules,
            zone=CHINA,
            is_officer=by == OFFICER,
            platform=RIDERS.get(rider or ""),
            code_hash=lambda take, issue: hash_of(take, code_of(SECRET, take, issue)),
            pseudonym=lambda of, month: pseudonym_of(SECRET, of, month),
        )
        seen = Things({name: self.things.get(name) for name in names})
        issued = Issued(command=command, command_id=command_id, actor=by, at=at)
        return list(serve(issued, seen, counter, self.account(rider or "")))

    def when(self, command: Command, *, by: str, at: datetime = NOON) -> Decision:
        """The command comes from this party at that moment."""
        try:
            return Decision(tuple(self.decide(command, by=by, at=at)))
        except Refused as refusal:
            return Decision((), refusal.reasons)

    def doing(self, command: Command, *, by: str, at: datetime = NOON) -> World:
        """The world after a command that is carried out."""
        return self.after(self.decide(command, by=by, at=at))


def given(*facts: Fact) -> World:
    """What has happened so far."""
    return World({}, {}).after(facts)


def later(**by: float) -> datetime:
    return NOON + timedelta(**by)
