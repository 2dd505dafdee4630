"""What the senders of a journey know: what they sent, when, and what they were told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from contracts.envelope import Answer, Command, Outcome

DEFINITE = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.INVALID)


@dataclass(frozen=True)
class Try:
    """One sending of a command. `answer` is None where nobody said anything definite."""

    began: float
    ended: float
    answer: Answer | None
    known: bool | None = None
    """Whether the house said that it had decided before; None where that way does not tell."""


@dataclass
class Operation:
    """One thing that one party wanted, however often it was sent."""

    party: str
    command: Command
    command_id: str
    tries: list[Try] = field(default_factory=list)
    number: int = field(default=0, compare=False)
    """Its place in the history."""

    def answers(self) -> Iterator[Answer]:
        """The definite ones."""
        return (t.answer for t in self.tries if t.answer is not None)

    @property
    def recorded(self) -> Answer | None:
        """The answer that says where in the log it stands; a recorded refusal has a place too."""
        return next((a for a in self.answers() if a.sequence is not None), None)

    @property
    def declined(self) -> bool:
        """Refused without a trace: it must never show in the log."""
        return self.recorded is None and any(True for _ in self.answers())

    @property
    def began(self) -> float:
        """When it was first sent."""
        return min(t.began for t in self.tries)

    @property
    def recorded_by(self) -> float:
        """When the first answer with its place had come."""
        return min(t.ended for t in self.tries if t.answer and t.answer.sequence is not None)

    @property
    def said_new(self) -> int:
        """How many answers claimed that it had not been decided before."""
        return sum(
            t.known is False for t in self.tries if t.answer and t.answer.sequence is not None
        )


def definite(answer: Answer) -> Answer | None:
    """The answer, unless it leaves open what happened."""
    return answer if answer.outcome in DEFINITE else None


def unknown_tries(history: Sequence[Operation]) -> int:
    """How often nobody could say what had become of a command."""
    return sum(t.answer is None for operation in history for t in operation.tries)


def outcome(tried: Try) -> str:
    """How a try ended: `ok`, with its place in the log; a definite `failure`; or `unknown`."""
    if tried.answer is None:
        return "unknown"
    return "failure" if tried.answer.sequence is None else "ok"
