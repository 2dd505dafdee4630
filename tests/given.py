"""Given what has happened, when a command comes, then this follows: decisions told as sentences.

given = Setting(CASE, RULES)
given(OPENED, HELD).when(RETURN, by="sanitation").then(WorkReturned, a(CaseDispatched, unit="west"))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Generic, TypeVar

from contracts.envelope import (
    Command,
    Fact,
    Issued,
    Reason,
    Recorded,
    Refused,
    fact_id,
    log_subject,
)
from eventlog.decider import Decider
from eventlog.message import NO_HASH

S = TypeVar("S")
R = TypeVar("R")

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 5, 3, 12, tzinfo=CHINA)


@dataclass(frozen=True)
class Setting(Generic[S, R]):
    """What all sentences of a file share: who decides, and by which rules."""

    decider: Decider[S, R]
    rules: R

    def __call__(self, *facts: Fact, rules: R | None = None) -> Given[S, R]:
        """The facts of the stream id so far; `rules` stands in for the shared ones."""
        state = self.decider.fold(facts)
        return Given(self.decider, state, self.rules if rules is None else rules)


@dataclass(frozen=True)
class Given(Generic[S, R]):
    """What has happened."""

    decider: Decider[S, R]
    state: S
    rules: R

    def when(
        self, command: Command, *, by: str, at: datetime = NOON, history: bool = False
    ) -> Decision:
        """The command comes from this party at that moment."""
        issued = Issued(command=command, command_id="c-1", actor=by, at=at, history=history)
        try:
            return Decision(tuple(self.decider.decide(issued, self.state, self.rules)))
        except Refused as refusal:
            return Decision((), refusal.reasons)


@dataclass(frozen=True)
class Decision:
    """What the command came to."""

    facts: tuple[Fact, ...]
    reasons: tuple[Reason, ...] = ()

    def then(self, *expected: type[Fact] | Fact | Like) -> None:
        """These facts follow, in this order: any of the class, one like it, or exactly this one."""
        assert self.reasons == ()
        shown = [_as(expect, fact) for expect, fact in zip(expected, self.facts, strict=False)]
        shown += [type(fact) for fact in self.facts[len(expected) :]]
        assert shown == list(expected)

    def then_nothing(self) -> None:
        """It has happened already: no fact, no refusal."""
        assert self == Decision(())

    def then_refused(self, *codes: str) -> None:
        """Refused for exactly these reasons, each said in words."""
        assert self.facts == ()
        assert [reason.code for reason in self.reasons] == list(codes)
        assert all(reason.detail for reason in self.reasons)


@dataclass(frozen=True)
class Like:
    """A fact of a class with these fields, whatever the others are."""

    kind: type[Fact]
    fields: Mapping[str, Any]


def a(kind: type[Fact], /, **fields: Any) -> Like:
    """A fact of this class with these fields."""
    return Like(kind, fields)


def _as(expected: type[Fact] | Fact | Like, fact: Fact) -> type[Fact] | Fact | Like:
    """As much of the fact as was asked for, so that a failure shows the difference alone."""
    match expected:
        case Like(kind, fields) if isinstance(fact, kind):
            return Like(kind, {name: getattr(fact, name) for name in fields})
        case Fact():
            return fact
        case _:
            return type(fact)


def recorded(
    fact: Fact, sequence: int = 7, *, at: datetime = NOON, history: bool = False
) -> Recorded:
    """The fact at its place in the log."""
    return Recorded(
        sequence=sequence,
        recorded_at=at,
        subject=log_subject(fact.stream, fact.stream_id),
        fact_id=fact_id(fact.stream, fact.stream_id, f"c-{sequence}", 0),
        command_id=f"c-{sequence}",
        fingerprint="",
        happened_at=at,
        actor="somebody",
        source="/waggle/tests",
        cause=None,
        correlation=fact.stream_id,
        history=history,
        previous_hash=NO_HASH,
        hash=NO_HASH,
        trace=None,
        body=fact,
    )
