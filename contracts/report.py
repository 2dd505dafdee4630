"""Stream `report.<id>`: one person's statement about one hazard. Written by intake."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.envelope import (
    Command,
    Datum,
    Fact,
    Id,
    PartyId,
    Personal,
    Reason,
    ReportId,
    RiderId,
    ServiceCode,
    Time,
)


class Position(BaseModel):
    """A point on the ground with the datum it was measured in. Degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lng: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    datum: Datum = Datum.WGS84


Answer = Annotated[str, StringConstraints(max_length=4_000)]
QuestionAnswers = Annotated[
    dict[Id, Answer | Annotated[tuple[Answer, ...], Field(max_length=50)]], Field(max_length=50)
]
"""Questions of the condition by their code, each with its answer: a text, the key of a choice, or
the keys of several."""


class RefusalCode(StrEnum):
    """Why intake refuses a report."""

    NO_CONTENT = "no_content"
    TEXT_TOO_LONG = "text_too_long"
    NO_POSITION = "no_position"
    FROM_THE_FUTURE = "from_the_future"
    TOO_OLD = "too_old"
    ANSWER_MISSING = "answer_missing"
    """A question of the condition that must be answered was not."""
    ANSWER_UNKNOWN = "answer_unknown"
    """Nobody asked that."""
    ANSWER_WRONG = "answer_wrong"
    """Not of the kind that was asked for, or none of the choices."""


class SubmitReport(Command, room="intake"):
    """A rider's report, handed in by the platform that the rider works for.

    `report_id` is made by the client before it sends (ULID or UUIDv7) and is the idempotency
    key: sent again unchanged it gets the same answer.
    """

    report_id: ReportId
    rider_id: RiderId
    seen_at: Time
    """When the rider saw it, by the rider's clock."""
    service_code: ServiceCode | None = None
    """What kind of hazard; None or an unknown one goes to the triage desk."""
    condition: Id | None = None
    """Its exact state, where the rider can tell; else the default one of the service."""
    position: Position | None = None
    asset: Id | None = None
    """The number on the thing, such as a manhole cover's: whose it is follows from it."""
    answers: QuestionAnswers = Field(default_factory=dict)
    """To the questions of the condition."""
    title: str | None = None
    text: str = ""
    photo: str | None = Field(default=None, max_length=500)
    """A reference to the photo, such as an object name or address."""


class SubmitReports(Command, room="intake"):
    """Many reports in one request, each decided by itself and answered by itself."""

    reports: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]
    """Each in the shape of SubmitReport; one that cannot be read spoils no other."""


class ReportAccepted(Fact, stream="report"):
    """The report is taken on: intake vouches that it is kept and will be looked at."""

    introduces: ClassVar[bool] = True

    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    seen_at: Time
    service_code: ServiceCode | None = None
    condition: Id | None = None
    position: Position | None = None
    """WGS-84."""
    given_position: Position | None = None
    """As it came, where that was in another datum."""
    asset: Id | None = None
    answers: Personal[str] | None = None
    """JSON, as they were given; None where nothing was asked or answered."""
    title: Personal[str] | None = None
    text: Personal[str]
    photo: Personal[str] | None = None


class ReportRefused(Fact, stream="report"):
    """The report is not taken on, with every reason. What was said is kept all the same."""

    introduces: ClassVar[bool] = True

    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    seen_at: Time
    service_code: ServiceCode | None = None
    condition: Id | None = None
    position: Position | None = None
    asset: Id | None = None
    answers: Personal[str] | None = None
    title: Personal[str] | None = None
    text: Personal[str]
    photo: Personal[str] | None = None
    reasons: tuple[Reason, ...]
