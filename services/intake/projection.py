"""Rows that follow from intake's facts: reports and parties. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.envelope import Erased, Reason, Recorded, Sealed
from contracts.party import PartyKind, PartyRegistered, RiderErased
from contracts.report import ReportAccepted, ReportRefused
from eventlog.projection import Projection, Table

DEFAULT_LANGUAGE: Final = "zh"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report. What is personal stays sealed; `fact_id` is needed to open it."""

    report_id: str
    rider_id: str
    platform: str
    state: str
    """`accepted` or `refused`."""
    service_code: str | None
    condition: str | None
    asset: str | None
    lat: float | None
    lng: float | None
    seen_at: datetime
    happened_at: datetime
    title: str | None
    text: str | None
    photo: str | None
    reasons: tuple[Reason, ...]
    fact_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class PartyRow:
    """What is known of a party; of a rider who is erased, only that."""

    party_id: str
    kind: str
    language: str
    platform: str | None
    erased_at: datetime | None
    erased_because: str | None
    sequence: int


def report(row: ReportRow | None, fact: Recorded) -> ReportRow | None:
    """A report is decided once."""
    match fact.body:
        case ReportAccepted() | ReportRefused() as said:
            return ReportRow(
                report_id=said.report_id,
                rider_id=said.rider_id,
                platform=said.platform,
                state="accepted" if isinstance(said, ReportAccepted) else "refused",
                service_code=said.service_code,
                condition=said.condition,
                asset=said.asset,
                lat=said.position.lat if said.position else None,
                lng=said.position.lng if said.position else None,
                seen_at=said.seen_at,
                happened_at=fact.happened_at,
                title=_box(said.title),
                text=_box(said.text),
                photo=_box(said.photo),
                reasons=said.reasons if isinstance(said, ReportRefused) else (),
                fact_id=fact.fact_id,
                sequence=fact.sequence,
            )
        case _:
            return row


def party(row: PartyRow | None, fact: Recorded) -> PartyRow | None:
    """The last registration counts, until the tombstone."""
    match fact.body:
        case PartyRegistered() as known:
            return PartyRow(
                party_id=known.party_id,
                kind=known.kind,
                language=known.language,
                platform=known.platform,
                erased_at=None,
                erased_because=None,
                sequence=fact.sequence,
            )
        case RiderErased() as gone:
            return PartyRow(
                party_id=gone.party_id,
                kind=PartyKind.RIDER,
                language=row.language if row else DEFAULT_LANGUAGE,
                platform=row.platform if row else None,
                erased_at=fact.happened_at,
                erased_because=gone.reason,
                sequence=fact.sequence,
            )
        case _:
            return row


def _box(value: str | Sealed | Erased | None) -> str | None:
    return value.box if isinstance(value, Sealed) else None


def _report_keys(fact: Recorded) -> Iterator[tuple[str]]:
    if fact.body.stream == "report":
        yield (fact.body.stream_id,)


def _party_keys(fact: Recorded) -> Iterator[tuple[str]]:
    if fact.body.stream == "party":
        yield (fact.body.stream_id,)


INTAKE: Final = Projection(
    name="intake",
    version=3,
    subjects=("log.report.>", "log.party.>"),
    tables=(
        Table(
            name="report",
            row=ReportRow,
            key=("report_id",),
            keys=_report_keys,
            fold=report,
            stream="report",
            indexes=("rider_id", "happened_at"),
        ),
        Table(
            name="party",
            row=PartyRow,
            key=("party_id",),
            keys=_party_keys,
            fold=party,
            stream="party",
        ),
    ),
)
