"""What becomes of a notice after a try: delivered, tried again later, or parked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.notice import Channel, Notice, RecordDelivery, RecordParking

RETRY_DELAYS: Final[tuple[float, ...]] = (1, 5, 30, 120, 600, 3600, 3 * 3600, 12 * 3600)
"""Seconds to wait after the first try, the second, and so on: sixteen and three quarter hours."""
JITTER: Final = 0.2
"""By which share a delay may be shorter or longer, so that what failed together comes apart."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel has taken the notice."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The channel has not taken it."""

    reason: str
    final: bool = False
    """Trying again will not help."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again in `seconds`."""

    seconds: float


Outcome = Delivered | Failed


def next_delay(attempt: int, delays: Sequence[float], jitter: float) -> float | None:
    """Seconds to wait after try number `attempt`, counted from 1; None when it was the last.

    `jitter` is what the caller has drawn, from 0 to 1: 0.5 changes nothing.
    """
    if attempt > len(delays):
        return None
    return delays[attempt - 1] * (1 + JITTER * (2 * jitter - 1))


def settled(
    notice: Notice,
    channel: Channel,
    outcome: Outcome,
    *,
    attempt: int,
    jitter: float,
    delays: Sequence[float] = RETRY_DELAYS,
) -> RecordDelivery | RecordParking | Again:
    """What is to be recorded after try number `attempt`, or when to try again."""
    if isinstance(outcome, Delivered):
        return RecordDelivery(**_about(notice, channel, attempt))
    delay = None if outcome.final else next_delay(attempt, delays, jitter)
    if delay is None:
        return RecordParking(**_about(notice, channel, attempt), reason=outcome.reason)
    return Again(delay)


def _about(notice: Notice, channel: Channel, attempt: int) -> dict[str, Any]:
    return {
        "notice_id": notice.notice_id,
        "channel": channel,
        "receiver": notice.receiver,
        "kind": notice.kind,
        "language": notice.language,
        "report_id": notice.report_id,
        "attempts": attempt,
    }
