"""Whether a notice was delivered: stream `notice.<id>`. Pure.

Delivered is delivered: once for each channel, and what is parked after it changes nothing. What
was parked can still be delivered, when an operator has it sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from contracts.envelope import Fact, Issued
from contracts.notice import Channel, NoticeDelivered, NoticeParked, RecordDelivery, RecordParking
from eventlog.decider import Decider


@dataclass(frozen=True, slots=True)
class State:
    """The channels on which the receiver was told, and those that were given up."""

    delivered: frozenset[Channel] = frozenset()
    parked: frozenset[Channel] = frozenset()


INITIAL: Final = State()


def decide(issued: Issued[Any], state: State, _rules: None) -> Sequence[Fact]:
    """What a delivery or a parking means; nothing, where it has happened already."""
    match issued.command:
        case RecordDelivery(channel=channel) as command if channel not in state.delivered:
            return [NoticeDelivered(**command.model_dump())]
        case RecordParking(channel=channel) as command if (
            channel not in state.delivered | state.parked
        ):
            return [NoticeParked(**command.model_dump())]
        case RecordDelivery() | RecordParking():
            return []
        case unknown:
            raise TypeError(f"notify does not decide on a {type(unknown).__name__}")


def evolve(state: State, fact: Fact) -> State:
    """The state after a fact."""
    match fact:
        case NoticeDelivered(channel=channel):
            return replace(state, delivered=state.delivered | {channel})
        case NoticeParked(channel=channel):
            return replace(state, parked=state.parked | {channel})
        case _:
            return state


NOTICE: Final = Decider[State, None](
    stream="notice", initial_state=INITIAL, decide=decide, evolve=evolve
)
