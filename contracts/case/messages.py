"""What leaves the log about a case: orders for units, and the file for who may read it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from contracts.case.words import Step, Why
from contracts.envelope import CaseId, Id, ServiceCode, Time, UnitCode, Words
from contracts.report import Position, QuestionAnswers


class WorkOrder(BaseModel):
    """What stands on `work.<unit>`: one case for one unit. Derived from the log; safe to get twice.

    It names nobody: the holder asks for the words of the report with `ReadCase`.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    """`<case id>.<dispatch>`; or `.r<rework>`, `.check` to look before opening, `.v<sequence>` to
    verify, `.s<sequence>.<unit>` to help."""
    case_id: CaseId
    unit: UnitCode
    kind: str
    """`dispatch`, `handle`, `rework`, `support`, `check` or `verify`."""
    service_code: ServiceCode | None
    condition: Id | None = None
    position: Position | None
    area: Id | None
    due_at: Time
    why: Why | None
    explanation: Words
    suggested: UnitCode | None
    supporting: tuple[UnitCode, ...] = ()
    sequence: int
    """The fact in the log that this order follows from."""


class CaseFile(BaseModel):
    """The answer to `ReadCase`."""

    model_config = ConfigDict(frozen=True)

    case_id: CaseId
    state: Step
    unit: UnitCode | None
    service_code: ServiceCode | None
    condition: Id | None = None
    position: Position | None
    asset: Id | None = None
    due_at: Time | None
    possible: tuple[str, ...] = ()
    """The commands that are possible at this step, by their subject tokens."""
    seen_at: Time | None
    title: str | None
    text: str | None
    """None once the reporter is erased."""
    answers: QuestionAnswers = Field(default_factory=dict)
    """To the questions of the condition."""
    photo: str | None
