"""A figure, its reference from the same run, and how they are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of output: a median beside what it is measured against."""

    name: str
    value: float
    unit: str
    reference: str | None = None
    reference_value: float | None = None
    runs: int = 1
    aim: str | None = None

    @property
    def ratio(self) -> float | None:
        """Value over reference."""
        return self.value / self.reference_value if self.reference_value else None

    def line(self) -> str:
        """As JSON."""
        return json.dumps(
            {
                "name": self.name,
                "value": _short(self.value),
                "unit": self.unit,
                "reference": self.reference,
                "reference_value": _short(self.reference_value),
                "ratio": _short(self.ratio),
                "runs": self.runs,
                "aim": self.aim,
            }
        )


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
