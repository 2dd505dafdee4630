"""How long to wait before starting again what has ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits, short again after something ran well for a while. It never gives up."""

    first: float = 0.2
    longest: float = 5.0
    well_after: float = 10.0
    """Seconds up that count as having run well."""

    def wait(self, last: float | None, ran: float) -> float:
        """Seconds to wait now, after the `last` wait and a run of `ran` seconds."""
        if last is None or ran >= self.well_after:
            return self.first
        return min(last * 2, self.longest)
