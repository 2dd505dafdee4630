"""What riders share: limits that many accounts count towards, each a stream id of its own. Pure.

Ledger invariant L23: what counts is written in the same batch as the award that it limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeAlias

from contracts.account import AwardCounted, CapName
from contracts.envelope import Fact
from eventlog.decider import Decider


@dataclass(frozen=True, slots=True)
class Shared:
    """A limit that several riders share."""

    cap: CapName
    of: str
    """The case, or the area and the day."""

    @property
    def cap_id(self) -> str:
        """Its stream id."""
        digest = blake2b(self.of.encode(), digest_size=16).hexdigest()
        return f"{self.cap.replace('_', '-')}-{digest}"


Totals: TypeAlias = Mapping[Shared, int]
"""What each shared limit has counted so far."""


def evolve(total: int, fact: Fact) -> int:
    """So many points were awarded so far."""
    return total + fact.points if isinstance(fact, AwardCounted) else total


CAP: Final[Decider[int, None]] = Decider("cap", 0, lambda *_: (), evolve)
"""Nothing is decided on a limit alone: an award is what counts towards it."""
