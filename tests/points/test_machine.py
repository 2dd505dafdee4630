"""Whatever is done to an account, in whatever order: a plain model agrees, every invariant holds.

The model knows nothing of lots, transfers or facts. It keeps a list of heaps of points, each with
what is waiting, free, held and gone, and does by hand what the rules say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from contracts import account as a
from contracts.envelope import Command, Fact, Issued, Refused
from contracts.party import PartyKind, PartyRegistered
from contracts.rulebook import Rulebook
from services.points.account import NO_ACCOUNT, Account, evolve
from services.points.decider.account import decide
from services.points.holds import hold, post, release
from services.points.invariants import Step, broken, unsound
from services.points.rules import Rules
from tests.district import KITE, document
from tests.given import NOON
from tests.points.test_awards import people

RIDER = "ann"
OFFICERS = ("officer", "second-officer")
WINDOW, LIFE = 7, 30
RULES = Rules(
    Rulebook.model_validate(
        document(
            earning={
                "pending_days": WINDOW,
                "lifetime_days": LIFE,
                "caps": {"rider_day": 40},
                "split": {"confirmers": 3, "percent": 50},
            }
        )
    ),
    people(
        *(PartyRegistered(party_id=o, kind=PartyKind.OFFICER) for o in OFFICERS),
        PartyRegistered(party_id=RIDER, kind=PartyKind.RIDER, platform=KITE),
    ),
)
WORTH = {"garbage": 5, "bare-wires": 8, "cover": 6}


@dataclass
class Heap:
    """Points that came together."""

    points: int
    waits_until: datetime | None = None
    ends: datetime | None = None
    free: int = 0
    held: int = 0
    expired: int = 0
    report: str | None = None
    taken_back: bool = False


@dataclass
class Model:
    """A rider's points, kept by hand."""

    heaps: list[Heap] = field(default_factory=list)
    debt: int = 0
    spent: int = 0
    holds: dict[str, list[tuple[Heap, int]]] = field(default_factory=dict)
    by_day: dict[str, int] = field(default_factory=dict)
    reports: set[str] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=dict)
    """By report: what a reversal took, until an appeal is decided."""
    last: dict[str, int] = field(default_factory=dict)
    proposed: dict[str, int] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        return sum(h.free for h in self.heaps if h.waits_until is not None)

    @property
    def available(self) -> int:
        return sum(h.free for h in self.heaps if h.waits_until is None)

    @property
    def held(self) -> int:
        return sum(h.held for h in self.heaps)

    def pass_time(self, now: datetime) -> None:
        """Windows end and heaps pass, in the order of the moments."""
        while True:
            due = [(h.waits_until or h.ends, n) for n, h in enumerate(self.heaps) if h.free]
            coming = sorted((at, n) for at, n in due if at is not None and at <= now)
            if not coming:
                return
            heap = self.heaps[coming[0][1]]
            if heap.waits_until is not None:
                heap.ends = heap.waits_until + timedelta(days=LIFE)
                heap.waits_until = None
                self.repay(heap)
            else:
                heap.expired += heap.free
                heap.free = 0

    def repay(self, heap: Heap) -> None:
        paid = min(self.debt, heap.free)
        heap.free -= paid
        self.debt -= paid

    def in_order(self) -> list[Heap]:
        """As they are spent."""
        never = datetime.max.replace(tzinfo=NOON.tzinfo)
        spendable = [h for h in self.heaps if h.waits_until is None]
        return sorted(spendable, key=lambda h: h.ends or never)

    def take(self, heaps: Sequence[Heap], points: int) -> list[tuple[Heap, int]]:
        parts = []
        for heap in heaps:
            if taken := min(heap.free, points):
                heap.free -= taken
                points -= taken
                parts.append((heap, taken))
        return parts


class AccountMachine(RuleBasedStateMachine):
    """Everything that can be asked, by anybody, at any time."""

    @initialize()
    def begin(self) -> None:
        self.account: Account = NO_ACCOUNT
        self.model = Model()
        self.now = NOON
        self.commands = 0

    # What is asked.

    @rule(
        report=st.integers(0, 6),
        kind=st.sampled_from(sorted(WORTH)),
        confirms=st.booleans(),
        days_ago=st.integers(0, 2),
    )
    def award(self, report: int, kind: str, confirms: bool, days_ago: int) -> None:
        seen = self.now - timedelta(days=days_ago)
        command = a.AwardPoints(
            rider_id=RIDER,
            platform=KITE,
            report_id=f"r-{report}",
            case_id=f"c-{report}",
            service_code=kind,
            standing=a.Standing.CONFIRMER if confirms else a.Standing.FIRST,
            place=int(confirms),
            reported_at=seen,
        )
        model, day = self.model, RULES.day(seen)
        self.do(command, "points")
        if command.report_id in model.reports:
            return
        model.pass_time(self.now)
        model.reports.add(command.report_id)
        full = max(1, WORTH[kind] * 50 // 100) if confirms else WORTH[kind]
        earned = min(full, 40 - model.by_day.get(day, 0))
        if earned > 0:
            model.by_day[day] = model.by_day.get(day, 0) + earned
            until = self.now + timedelta(days=WINDOW)
            model.heaps.append(Heap(earned, until, free=earned, report=command.report_id))

    @rule(days=st.integers(0, 12), hours=st.integers(0, 23), told=st.booleans())
    def time_passes(self, days: int, hours: int, told: bool) -> None:
        """Perhaps the clock looks, perhaps it is late."""
        self.now += timedelta(days=days, hours=hours)
        if told and self.account.lots:
            lot = next(iter(self.account.lots))
            self.do(a.ActivateLot(rider_id=RIDER, lot=lot), "points")
            self.model.pass_time(self.now)

    @rule(name=st.integers(0, 4), points=st.integers(-1, 25))
    def hold(self, name: int, points: int) -> None:
        model, hold_id = self.model, f"h-{name}"
        facts = self.attempt(
            lambda: hold(
                self.account, RIDER, hold_id=hold_id, item="hat", points=points, at=self.now
            )
        )
        if hold_id in model.holds or points <= 0:
            assert facts is None
            return
        probe = Model([Heap(**vars(h)) for h in model.heaps], debt=model.debt)
        probe.pass_time(self.now)
        if probe.available < points:
            assert facts is None
            return
        assert facts
        model.pass_time(self.now)
        parts = model.take(model.in_order(), points)
        for heap, taken in parts:
            heap.held += taken
        model.holds[hold_id] = parts

    @rule(name=st.integers(0, 4), used=st.one_of(st.none(), st.integers(-1, 26)))
    def resolve(self, name: int, used: int | None) -> None:
        """Given back, or spent, all of it or a part."""
        model, hold_id = self.model, f"h-{name}"
        if used is None:
            reason = a.ReleaseReason.CANCELLED
            facts = self.attempt(
                lambda: release(self.account, hold_id=hold_id, because=reason, at=self.now)
            )
        else:
            facts = self.attempt(
                lambda: post(self.account, hold_id=hold_id, points=used, at=self.now)
            )
        parts = model.holds.get(hold_id) or []
        had = sum(points for _, points in parts)
        if not parts or (used is not None and not 0 < used <= had):
            assert facts is None
            return
        assert facts
        left = used or 0
        for heap, points in parts:
            spent = min(points, left)
            left -= spent
            heap.held -= points
            heap.free += points - spent
            model.spent += spent
        model.holds[hold_id] = []
        if used != had:
            model.pass_time(self.now)
            for heap in model.in_order():
                model.repay(heap)

    @rule(report=st.integers(0, 6), by=st.sampled_from((*OFFICERS, KITE)))
    def reverse(self, report: int, by: str) -> None:
        model, name = self.model, f"r-{report}"
        command = a.ReversePoints(
            rider_id=RIDER, report_id=name, reason=a.ReversalReason.FRAUD, note="false"
        )
        facts = self.do(command, by)
        heap = next((h for h in model.heaps if h.report == name), None)
        if heap is None or heap.taken_back or by == KITE:
            assert not facts
            return
        probe = Model([Heap(**vars(h)) for h in model.heaps], debt=model.debt)
        probe.pass_time(self.now)
        if probe.heaps[model.heaps.index(heap)].expired == heap.points:
            assert facts is None
            return
        assert facts
        model.pass_time(self.now)
        owed = heap.points - heap.expired
        waiting = [h for h in model.heaps if h.waits_until is not None]
        waiting.sort(key=lambda h: (h is not heap, -(h.waits_until or self.now).timestamp()))
        spendable = sorted(model.in_order(), key=lambda h: h is not heap)
        taken = sum(points for _, points in model.take([*waiting, *spendable], owed))
        model.debt += owed - taken
        heap.taken_back = True
        model.last[name] = owed

    @rule(report=st.integers(0, 6), granted=st.booleans(), by=st.sampled_from(OFFICERS))
    def appeal(self, report: int, granted: bool, by: str) -> None:
        """Contested, and decided on at once: by the same officer perhaps, who must not."""
        lot = next((t.lot for t in self.account.lots.values() if t.report_id == f"r-{report}"), "x")
        self.do(a.AppealReversal(rider_id=RIDER, reversal_id=lot, note="no"), KITE)
        command = a.DecideReversalAppeal(
            rider_id=RIDER, reversal_id=lot, granted=granted, note="seen"
        )
        facts = self.do(command, by)
        if facts and granted:
            self.model.pass_time(self.now)
            points = self.model.last[f"r-{report}"]
            self.give(points)
        elif facts:
            self.model.pass_time(self.now)

    @rule(name=st.integers(0, 3), points=st.integers(-12, 12), by=st.sampled_from(OFFICERS))
    def propose(self, name: int, points: int, by: str) -> None:
        command = a.ProposeAdjustment(
            rider_id=RIDER,
            adjustment_id=f"a-{name}",
            points=points,
            reason=a.AdjustmentReason.CORRECTION,
            note="why",
        )
        if self.do(command, by):
            self.model.proposed[command.adjustment_id] = points
            self.model.pass_time(self.now)

    @rule(name=st.integers(0, 3), yes=st.booleans(), by=st.sampled_from(OFFICERS))
    def decide_adjustment(self, name: int, yes: bool, by: str) -> None:
        command = a.DecideAdjustment(rider_id=RIDER, adjustment_id=f"a-{name}", approve=yes)
        facts = self.do(command, by)
        if not facts:
            return
        self.model.pass_time(self.now)
        points = self.model.proposed.pop(command.adjustment_id)
        if yes and points > 0:
            self.give(points)
        elif yes:
            taken = self.model.take(self.model.in_order(), -points)
            assert sum(points for _, points in taken) == -points

    def give(self, points: int) -> None:
        heap = Heap(points, None, self.now + timedelta(days=LIFE), free=points)
        self.model.heaps.append(heap)
        self.model.repay(heap)

    # How it is carried out: each step judged, each refusal without effect, each command twice.

    def do(self, command: Command, by: str) -> list[Fact] | None:
        self.commands += 1
        issued: Issued[Any] = Issued(command, f"c-{self.commands}", by, self.now)
        facts = self.attempt(lambda: decide(issued, self.account, RULES))
        if facts:
            try:  # the same once more, under another id: never a second effect
                again = decide(issued, self.account, RULES)
            except Refused:
                again = []
            moved = [f for f in again if isinstance(f, a.Entry)]
            assert not moved, f"{type(command).__name__} moved points twice: {moved}"
        return facts

    def attempt(self, ask: Any) -> list[Fact] | None:
        """The facts that follow, taken in; None where it was refused, and nothing has changed."""
        before, digest = self.account, repr(self.account)
        try:
            facts: list[Fact] = ask()
        except Refused as refusal:
            silent = [reason for reason in refusal.reasons if not reason.detail]
            facts, refused = [], True
        else:
            silent, refused = [], False
        assert not silent
        assert repr(before) == digest
        if refused:
            return None
        for fact in facts:
            after = evolve(self.account, fact)
            assert not list(broken(Step.of(self.account, fact, after, self.now)))
            self.account = after
        return facts

    # What is true after every step.

    @invariant()
    def every_invariant_holds(self) -> None:
        if hasattr(self, "account"):
            assert not list(unsound(self.account))

    @invariant()
    def the_model_agrees(self) -> None:
        if hasattr(self, "account"):
            model = self.model
            stands = (model.pending, model.available, model.held, model.debt, model.spent)
            found = self.account
            assert stands == (
                found.pending,
                found.available,
                found.held,
                found.debt,
                found.balances.get("redeemed:hat", 0),
            )

    @precondition(lambda self: bool(self.account.lots))
    @invariant()
    def nothing_went_anywhere_else(self) -> None:
        earned = sum(lot.points for lot in self.account.lots.values() if not lot.by_hand)
        issued = -sum(
            balance for name, balance in self.account.balances.items() if name.startswith("issue:")
        )
        assert earned == issued


TestAccount = AccountMachine.TestCase
TestAccount.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
)
"""At least 2,000 steps."""
