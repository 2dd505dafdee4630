"""The check of the ledger as a job: what it finds is counted, and what keeps it from it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from deploy.auditing import Auditing


def saying(document: object) -> Auditing:
    """A job whose check says this."""
    return Auditing(0.01, (sys.executable, "-c", f"print({json.dumps(document)!r})"))


def found(*invariants: str) -> dict[str, Any]:
    violations = [{"invariant": name, "sequence": 7} for name in invariants]
    return {"facts": 12, "seconds": 0.5, "count": len(invariants), "violations": violations}


async def test_a_clean_ledger_leaves_every_counter_at_nothing() -> None:
    job = saying(found())
    await job.once()
    lines = job.metrics().splitlines()
    assert 'invariant_violations_total{name="L1"} 0' in lines
    assert 'invariant_violations_total{name="L24"} 0' in lines
    assert "ledger_check_facts 12" in lines
    assert job.ended_at > 0


async def test_violations_are_counted_by_invariant_from_check_to_check() -> None:
    job = saying(found("L15", "L15", "L4"))
    await job.once()
    await job.once()
    lines = job.metrics().splitlines()
    assert 'invariant_violations_total{name="L15"} 4' in lines
    assert 'invariant_violations_total{name="L4"} 2' in lines
    assert "ledger_check_violations 3" in lines


async def test_a_check_that_comes_to_no_end_is_counted_and_tried_again() -> None:
    job = Auditing(0.01, (sys.executable, "-c", "raise SystemExit('no log')"))
    await job.once()
    assert (job.failures, job.last) == (1, {})
    assert "ledger_check_failures_total 1" in job.metrics()


async def test_a_check_under_way_ends_with_the_house() -> None:
    job = Auditing(0.0, (sys.executable, "-c", "import time; time.sleep(60)"))
    keeping = asyncio.create_task(job.keep())
    await asyncio.sleep(0.3)
    keeping.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await keeping
