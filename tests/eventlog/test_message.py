"""What is written: nothing personal in clear, and every fact chained onto the one before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.case import AcceptWork, WorkAccepted
from contracts.envelope import Command, Issued, Sealed
from contracts.report import ReportAccepted, SubmitReport
from eventlog.message import NO_HASH, encode

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def issued(command: Command) -> Issued[Command]:
    return Issued(
        command=command, command_id="c-1", actor="platform-kite", at=NOON, correlation="r-1"
    )


@pytest.mark.parametrize(("field", "words"), [("text", "桶满了"), ("title", "桃园路")])
def test_a_personal_field_that_is_not_sealed_is_never_written(field: str, words: str) -> None:
    sealed = Sealed(key="rider-01", box="AAAA")
    said = SubmitReport(report_id="r-1", rider_id="rider-01", seen_at=NOON)
    fact = ReportAccepted(
        report_id="r-1", rider_id="rider-01", platform="platform-kite", seen_at=NOON, text=sealed
    )
    clear = fact.model_copy(update={field: words})
    with pytest.raises(ValueError, match=f"ReportAccepted.{field} is personal and must be sealed"):
        encode([clear], issued(said), source="intake", fingerprint="f", last_hash={})
    [message] = encode([fact], issued(said), source="intake", fingerprint="f", last_hash={})
    assert words.encode() not in message.body


def test_facts_of_one_decision_are_chained_in_their_order() -> None:
    fact = WorkAccepted(case_id="r-1", unit="sanitation")
    first, second = encode(
        [fact, fact],
        issued(AcceptWork(case_id="r-1")),
        source="router",
        fingerprint="f",
        last_hash={},
    )
    assert first.headers["ce-prevhash"] == NO_HASH
    assert second.headers["ce-prevhash"] == first.hash != second.hash
