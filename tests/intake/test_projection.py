"""Rows that follow from intake's facts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.envelope import ERASED, Fact, Sealed
from contracts.party import ErasureReason, PartyKind, PartyRegistered, RiderErased
from contracts.report import ReportAccepted, ReportRefused
from services.intake.projection import INTAKE, PartyRow, ReportRow, party, report
from tests.contracts.examples import EXAMPLES
from tests.district import IN_WEST, KITE, RIDER
from tests.folding import never_raises, rows_of
from tests.given import NOON, recorded

SEEN = NOON - timedelta(minutes=3)
BOX = Sealed(key=RIDER, box="c2VhbGVk")


def accepted(**changes: object) -> ReportAccepted:
    said = {
        "report_id": "r-1",
        "rider_id": RIDER,
        "platform": KITE,
        "seen_at": SEEN,
        "service_code": "garbage",
        "position": IN_WEST,
        "text": BOX,
    }
    return ReportAccepted.model_validate(said | changes)


def row_of(fact: Fact) -> ReportRow:
    row = report(None, recorded(fact))
    assert row is not None
    return row


def test_an_accepted_report_is_a_row_with_both_its_times() -> None:
    assert report(None, recorded(accepted(), 7)) == ReportRow(
        report_id="r-1",
        rider_id=RIDER,
        platform=KITE,
        state="accepted",
        service_code="garbage",
        condition=None,
        asset=None,
        lat=IN_WEST.lat,
        lng=IN_WEST.lng,
        seen_at=SEEN,
        happened_at=NOON,
        title=None,
        text=BOX.box,
        photo=None,
        reasons=(),
        fact_id="report.r-1.c-7.0",
        sequence=7,
    )


def test_a_refused_report_is_a_row_with_every_reason() -> None:
    [refused] = [fact for fact in EXAMPLES if isinstance(fact, ReportRefused)]
    row = row_of(refused)
    assert row.state == "refused"
    assert row.reasons == refused.reasons


def test_a_report_without_a_place_has_none() -> None:
    row = row_of(accepted(position=None))
    assert (row.lat, row.lng) == (None, None)


@pytest.mark.parametrize("field", ["title", "text", "photo"])
def test_what_is_personal_stands_in_the_row_only_sealed(field: str) -> None:
    assert getattr(row_of(accepted(**{field: BOX})), field) == BOX.box
    assert getattr(row_of(accepted(**{field: "陶小满的话"})), field) is None
    assert getattr(row_of(accepted(**{field: ERASED})), field) is None


def test_of_a_party_the_last_registration_counts() -> None:
    first = PartyRegistered(party_id=RIDER, kind=PartyKind.RIDER, platform=KITE)
    last = first.model_copy(update={"language": "en"})
    row = party(party(None, recorded(first, 3)), recorded(last, 8))
    assert row == PartyRow(
        party_id=RIDER,
        kind="rider",
        language="en",
        platform=KITE,
        erased_at=None,
        erased_because=None,
        sequence=8,
    )


@pytest.mark.parametrize("platform", [KITE, None])
def test_of_who_is_erased_the_tombstone_is_left(platform: str | None) -> None:
    known = PartyRegistered(party_id=RIDER, kind=PartyKind.RIDER, platform=KITE)
    before = party(None, recorded(known, 3)) if platform else None
    gone = RiderErased(party_id=RIDER, reason=ErasureReason.ASKED, by="officer")
    assert party(before, recorded(gone, 8)) == PartyRow(
        party_id=RIDER,
        kind="rider",
        language="zh",
        platform=platform,
        erased_at=NOON,
        erased_because="asked",
        sequence=8,
    )


def test_each_fact_touches_only_the_row_it_is_about() -> None:
    assert rows_of(INTAKE, accepted()) == [("report", ("r-1",))]
    assert rows_of(INTAKE, PartyRegistered(party_id="p", kind=PartyKind.UNIT)) == [
        ("party", ("p",))
    ]


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_any_fact_is_folded_whatever_stands_there(fact: Fact) -> None:
    never_raises(INTAKE, fact)
