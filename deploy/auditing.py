"""The check of the ledger as a job of the house: a process of its own, now and then, counted."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import structlog

log = structlog.get_logger()

CHECK: Final = ("nice", sys.executable, "-m", "deploy.ledger_check")
"""What does one check: beside the projector, not in its way."""
INVARIANTS: Final = tuple(f"L{number}" for number in range(1, 25))


class Auditing:
    """Runs the check every `every` seconds, and knows what the last one found."""

    def __init__(self, every: float, check: Sequence[str] = CHECK) -> None:
        self.every = every
        self._check = tuple(check)
        self.violations: Counter[str] = Counter()
        """Since this process began, by invariant."""
        self.last: dict[str, Any] = {}
        """What the last check that came to an end has found."""
        self.failures = 0
        """Checks that came to no end."""
        self.ended_at = 0.0
        """When the last check came to an end, in seconds since 1970."""

    async def keep(self) -> None:
        """Check again and again, until cancelled."""
        while True:
            await asyncio.sleep(self.every)
            await self.once()

    async def once(self) -> None:
        """Check once. What keeps it from its end is said, counted, and tried again later."""
        process = await asyncio.create_subprocess_exec(
            *self._check, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            said, complained = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        try:
            found = json.loads(said)
        except ValueError:
            self.failures += 1
            why = complained.decode(errors="replace").strip().rpartition("\n")[2]
            log.error("ledger_not_checked", code=process.returncode, why=why)
            return
        self.last, self.ended_at = found, time.time()
        self.violations.update(violation["invariant"] for violation in found["violations"])
        if found["count"]:
            first = found["violations"][0]
            log.error("ledger_violated", violations=found["count"], first=first)
        else:
            log.info("ledger_checked", facts=found["facts"], seconds=round(found["seconds"], 3))

    def metrics(self) -> str:
        """What Prometheus reads; every invariant is there from the start, at 0."""
        lines = ["# TYPE invariant_violations_total counter"]
        lines += [
            f'invariant_violations_total{{name="{name}"}} {self.violations[name]}'
            for name in INVARIANTS
        ]
        for name, kind, value in (
            ("ledger_check_failures_total", "counter", self.failures),
            ("ledger_check_violations", "gauge", self.last.get("count", 0)),
            ("ledger_check_facts", "gauge", self.last.get("facts", 0)),
            ("ledger_check_seconds", "gauge", self.last.get("seconds", 0)),
            ("ledger_check_timestamp_seconds", "gauge", self.ended_at),
        ):
            lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"
