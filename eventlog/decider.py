"""The three functions of a room's decision, and folding with them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from contracts.envelope import Command, Fact, Issued, Recorded

S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True)
class Decider(Generic[S, R]):
    """How one stream of a room decides.

    `decide` answers with facts, with nothing when it has happened already, or raises `Refused`.
    `evolve` never refuses: it has happened.
    `refusal`, where given, is the fact that records a refusal somebody must be able to count.
    """

    stream: str
    initial_state: S
    decide: Callable[[Issued[Any], S, R], Sequence[Fact]]
    evolve: Callable[[S, Fact], S]

    def fold(self, facts: Iterable[Fact], state: S | None = None) -> S:
        """The state after `facts`."""
        folded = self.initial_state if state is None else state
        for fact in facts:
            folded = self.evolve(folded, fact)
        return folded

    def state_of(self, recorded: Iterable[Recorded]) -> S:
        """The state after facts of the log."""
        return self.fold(r.body for r in recorded)


AnyCommand = Issued[Command]
