"""The life of a case: every command at every step, whoever holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import pytest

from contracts.case import (
    AcceptWork,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseRefusal,
    CloseCase,
    DispatchCase,
    OpenCase,
    ReadCase,
    RecordHandling,
    ResolveWork,
    ReturnReason,
    ReturnWork,
    ReworkOrdered,
    UnitKind,
    VerifyWork,
    WorkAccepted,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import COMMANDS, Command, Fact
from contracts.rulebook import PublishRulebook
from services.router.decider.case import CASE, Step
from tests.district import (
    EAST,
    FIRE,
    IN_WEST,
    INSPECTION,
    KITE,
    OPENED,
    REJECTED,
    REPORT,
    RIDER,
    RULES,
    SANITATION,
    SWIFT,
    TRIAGE,
    WEST,
    accepted,
    closed,
    dispatched,
    resolved,
)
from tests.given import Decision, Setting

given = Setting(CASE, RULES)

OPEN = OpenCase(
    report_id=REPORT, rider_id=RIDER, platform=KITE, service_code="garbage", position=IN_WEST
)
ACCEPT = AcceptWork(case_id=REPORT)
DISPATCH = DispatchCase(case_id=REPORT, unit=FIRE)
RETURN = ReturnWork(case_id=REPORT, reason=ReturnReason.WRONG_DEPARTMENT)
RESOLVE = ResolveWork(case_id=REPORT, result="清运完毕")
PASS = VerifyWork(case_id=REPORT, passed=True)
FAIL = VerifyWork(case_id=REPORT, passed=False)
CLOSE = CloseCase(case_id=REPORT, note="现场无此情况")
RECORD = RecordHandling(case_id=REPORT, result="已答复")

HOLDERS: Final = {
    UnitKind.STREET: WEST,
    UnitKind.DEPARTMENT: SANITATION,
    UnitKind.TRIAGE: TRIAGE,
}
"""One of each kind of unit that can hold a case."""
STREET, DEPARTMENT, DESK = HOLDERS

BY_THE_HOLDER: Final = (ACCEPT, DISPATCH, RETURN, RESOLVE, CLOSE)
BY_OTHERS: Final = {OPEN: "router", PASS: INSPECTION, FAIL: INSPECTION, RECORD: "archive"}
ALL: Final = (*BY_THE_HOLDER, *BY_OTHERS)
ALL_BUT_OPEN: Final = tuple(command for command in ALL if command is not OPEN)

NO_CASE: Final = (Step.NONE, Step.REJECTED)
HELD: Final = (Step.DISPATCHED, Step.HANDLING)
OPEN_STEPS: Final = (*HELD, Step.RESOLVED)

NOTHING: Final[tuple[type[Fact], ...]] = ()


@dataclass(frozen=True)
class Row:
    """These commands, at these steps, held by a unit of these kinds, come to this."""

    commands: Sequence[Command]
    steps: Sequence[Step]
    comes_to: Sequence[type[Fact]] | CaseRefusal
    holders: Iterable[UnitKind] = tuple(HOLDERS)


TABLE: Final = (
    Row([OPEN], [Step.NONE], [CaseOpened, CaseDispatched]),
    Row([OPEN], [Step.REJECTED, *OPEN_STEPS, Step.CLOSED], NOTHING),
    Row(ALL_BUT_OPEN, NO_CASE, CaseRefusal.NO_SUCH_CASE),
    Row(ALL_BUT_OPEN, [Step.CLOSED], CaseRefusal.ALREADY_CLOSED),
    # Taking it on.
    Row([ACCEPT], [Step.DISPATCHED], [WorkAccepted]),
    Row([ACCEPT], [Step.HANDLING, Step.RESOLVED], CaseRefusal.NOT_WAITING_FOR_ACCEPTANCE),
    # Handing it on, or ending it.
    Row([DISPATCH], HELD, [CaseDispatched], [STREET, DESK]),
    Row([CLOSE], HELD, [CaseClosed], [STREET, DESK]),
    Row([DISPATCH, CLOSE], [Step.RESOLVED], CaseRefusal.NOT_A_DISPATCHER, [STREET, DESK]),
    Row([DISPATCH, CLOSE], OPEN_STEPS, CaseRefusal.NOT_A_DISPATCHER, [DEPARTMENT]),
    # Giving it back.
    Row([RETURN], HELD, [WorkReturned, CaseDispatched], [STREET, DEPARTMENT]),
    Row([RETURN], HELD, CaseRefusal.NOT_A_HANDLING_UNIT, [DESK]),
    Row([RETURN], [Step.RESOLVED], CaseRefusal.NOT_IN_HANDLING),
    # Reporting it done.
    Row([RESOLVE], [Step.HANDLING], [WorkResolved], [STREET, DEPARTMENT]),
    Row([RESOLVE], [Step.HANDLING], CaseRefusal.NOT_A_HANDLING_UNIT, [DESK]),
    Row([RESOLVE], [Step.DISPATCHED, Step.RESOLVED], CaseRefusal.NOT_IN_HANDLING),
    # Looking whether it is.
    Row([PASS], [Step.RESOLVED], [WorkVerified, CaseClosed]),
    Row([FAIL], [Step.RESOLVED], [ReworkOrdered]),
    Row([PASS, FAIL], HELD, CaseRefusal.NOT_WAITING_FOR_VERIFICATION),
    # History.
    Row([RECORD], OPEN_STEPS, [WorkResolved, CaseClosed]),
)


def case_at(step: Step, holder: str) -> tuple[Fact, ...]:
    """How a case comes to a step in one unit's hands."""
    held = (OPENED, dispatched(holder))
    match step:
        case Step.NONE:
            return ()
        case Step.REJECTED:
            return (REJECTED,)
        case Step.DISPATCHED:
            return held
        case Step.HANDLING:
            return (*held, accepted(holder))
        case Step.RESOLVED:
            return (*held, accepted(holder), resolved(holder))
        case Step.CLOSED:
            return (*held, accepted(holder), resolved(holder), closed(holder))


def decided(command: Command, step: Step, holder: str, by: str) -> Decision:
    return given(*case_at(step, holder)).when(command, by=by, history=command is RECORD)


def comes_to(decision: Decision, expected: Sequence[type[Fact]] | CaseRefusal) -> None:
    """Tell facts from a refusal from nothing."""
    match expected:
        case CaseRefusal():
            decision.then_refused(expected)
        case ():
            decision.then_nothing()
        case _:
            decision.then(*expected)


def in_words(value: object) -> str:
    """A test's name from a command, step or unit."""
    match value:
        case VerifyWork(passed=passed):
            return "pass" if passed else "fail"
        case Command():
            return type(value).__name__
        case Sequence() if not isinstance(value, str):
            return "+".join(kind.__name__ for kind in value) or "nothing"
        case _:
            return str(value)


@pytest.mark.parametrize(
    ("command", "step", "kind", "expected"),
    [
        (command, step, kind, row.comes_to)
        for row in TABLE
        for command, step, kind in product(row.commands, row.steps, row.holders)
    ],
    ids=in_words,
)
def test_a_command_at_a_step(
    command: Command,
    step: Step,
    kind: UnitKind,
    expected: Sequence[type[Fact]] | CaseRefusal,
) -> None:
    holder = HOLDERS[kind]
    comes_to(decided(command, step, holder, BY_OTHERS.get(command, holder)), expected)


@pytest.mark.parametrize(
    ("command", "step", "kind"), list(product(ALL, Step, HOLDERS)), ids=in_words
)
def test_the_table_says_one_thing_of(command: Command, step: Step, kind: UnitKind) -> None:
    rows = [r for r in TABLE if command in r.commands and step in r.steps and kind in r.holders]
    assert len(rows) == 1


def test_the_table_speaks_of_every_command_on_a_case() -> None:
    of_the_room = {command for command in COMMANDS.values() if command.room == "router"}
    assert {type(command) for command in ALL} == of_the_room - {PublishRulebook, ReadCase}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("holder", HOLDERS.values())
def test_a_history_ends_at_the_step_it_is_named_for(step: Step, holder: str) -> None:
    state = CASE.fold(case_at(step, holder))
    assert state.step is step
    assert state.unit == ("" if step in NO_CASE else holder)


@pytest.mark.parametrize("command", BY_THE_HOLDER, ids=in_words)
@pytest.mark.parametrize("step", OPEN_STEPS)
@pytest.mark.parametrize("by", [SANITATION, EAST, TRIAGE, INSPECTION, KITE, RIDER, "stranger"])
def test_nobody_but_the_holder_may(command: Command, step: Step, by: str) -> None:
    decided(command, step, WEST, by).then_refused(CaseRefusal.NOT_YOURS)


@pytest.mark.parametrize("step", Step)
def test_an_office_reply_is_recorded_from_history_only(step: Step) -> None:
    today = given(*case_at(step, WEST)).when(RECORD, by="archive", history=False)
    today.then_refused(CaseRefusal.ONLY_HISTORY)


VERIFIERS: Final[dict[tuple[str, str], CaseRefusal | None]] = {
    (SANITATION, INSPECTION): None,
    (SANITATION, WEST): None,
    (SANITATION, EAST): None,
    (WEST, INSPECTION): None,
    (WEST, EAST): None,
    (SANITATION, SANITATION): CaseRefusal.HANDLER_MAY_NOT_VERIFY,
    (WEST, WEST): CaseRefusal.HANDLER_MAY_NOT_VERIFY,
    (SANITATION, KITE): CaseRefusal.REPORTER_MAY_NOT_VERIFY,
    (SANITATION, RIDER): CaseRefusal.REPORTER_MAY_NOT_VERIFY,
    (SANITATION, FIRE): CaseRefusal.NOT_A_VERIFIER,
    (SANITATION, TRIAGE): CaseRefusal.NOT_A_VERIFIER,
    (SANITATION, SWIFT): CaseRefusal.NOT_A_VERIFIER,
    (SANITATION, "stranger"): CaseRefusal.NOT_A_VERIFIER,
}
"""By handler and verifier: what stands in the way."""


@pytest.mark.parametrize(("handler", "by", "refusal"), [(*k, v) for k, v in VERIFIERS.items()])
@pytest.mark.parametrize("command", [PASS, FAIL], ids=in_words)
def test_somebody_else_says_whether_it_is_done(
    handler: str, by: str, refusal: CaseRefusal | None, command: VerifyWork
) -> None:
    facts: list[type[Fact]] = [WorkVerified, CaseClosed] if command.passed else [ReworkOrdered]
    comes_to(decided(command, Step.RESOLVED, handler, by), refusal or facts)


RECEIVERS: Final[dict[str, CaseRefusal | None]] = {
    SANITATION: None,
    FIRE: None,
    EAST: None,
    WEST: CaseRefusal.NOT_A_HANDLING_UNIT,
    TRIAGE: CaseRefusal.NOT_A_HANDLING_UNIT,
    INSPECTION: CaseRefusal.NOT_A_HANDLING_UNIT,
    KITE: CaseRefusal.NO_SUCH_UNIT,
    "nobody": CaseRefusal.NO_SUCH_UNIT,
}
"""By unit: what keeps the western street office from dispatching to it."""


@pytest.mark.parametrize(("unit", "refusal"), RECEIVERS.items())
def test_a_street_dispatches_to_another_unit_that_handles(
    unit: str, refusal: CaseRefusal | None
) -> None:
    dispatch = DISPATCH.model_copy(update={"unit": unit})
    comes_to(decided(dispatch, Step.HANDLING, WEST, WEST), refusal or [CaseDispatched])


def test_every_refusal_is_said_somewhere() -> None:
    parties = [*RULES.units, KITE, RIDER, "stranger"]
    dispatches = [DISPATCH.model_copy(update={"unit": unit}) for unit in RECEIVERS]
    said = {
        reason.code
        for command, step, holder, by, history in product(
            [*ALL, *dispatches], Step, HOLDERS.values(), parties, [False, True]
        )
        for reason in given(*case_at(step, holder)).when(command, by=by, history=history).reasons
    }
    assert said == set(CaseRefusal)


def test_a_question_is_no_command() -> None:
    with pytest.raises(TypeError, match="ReadCase"):
        given().when(ReadCase(case_id=REPORT), by=WEST)
