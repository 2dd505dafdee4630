"""The clocks of a case: more time, standing still, running again; lateness appealed.

Each verb sends one command as the unit that does it, and prints the answer.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cli.case import AsOption, CaseArgument, NoteOption, Step, decider, verifier
from cli.moments import local_moment
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from contracts.case import (
    AppealTimeout,
    AskExtension,
    AskSuspension,
    DecideRequest,
    ResumeWork,
    ReviewAppeal,
)

UntilOption = Annotated[
    str,
    typer.Option("--until", metavar="TIME", help="ISO 8601; without a zone, the district's time."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; for who decides.")]
GrantedOption = Annotated[
    bool, typer.Option("--grant/--refuse", help="Yes or no.", show_default=False)
]


def extend(
    case: CaseArgument,
    until: UntilOption,
    reason: ReasonOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Ask for more time, before it is due; a dispatcher answers.

    Examples:
      waggle extend 01JD2Q8Z7N4X0V5M3K9R6T1W8C --until 2026-11-25T18:00 --reason 配件未到
    """
    moment = local_moment(until, "--until", data, as_json=as_json)
    Step(case, unit, command_id, data, as_json).take(
        build(AskExtension, case_id=case, until=moment, reason=reason)
    )


def suspend(
    case: CaseArgument,
    until: UntilOption,
    reason: ReasonOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Ask for the clock to stand still until a day; a dispatcher answers. It ends by itself.

    Examples:
      waggle suspend 01JD2Q8Z7N4X0V5M3K9R6T1W8C --until 2027-03-01T08:00 --reason 冬季不能铺装
    """
    moment = local_moment(until, "--until", data, as_json=as_json)
    Step(case, unit, command_id, data, as_json).take(
        build(AskSuspension, case_id=case, until=moment, reason=reason)
    )


def answer(
    case: CaseArgument,
    granted: GrantedOption,
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """As the dispatcher: grant or refuse what the handling unit has asked for.

    Examples:
      waggle answer 01JD2Q8Z7N4X0V5M3K9R6T1W8C --grant
      waggle answer 01JD2Q8Z7N4X0V5M3K9R6T1W8C --refuse --note 请先围挡
    """
    Step(case, unit, command_id, data, as_json).take(
        build(DecideRequest, case_id=case, granted=granted, note=text), decider
    )


def resume(
    case: CaseArgument,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Let the clock of a suspended case run again before its day.

    Examples:
      waggle resume 01JD2Q8Z7N4X0V5M3K9R6T1W8C
    """
    Step(case, unit, command_id, data, as_json).take(build(ResumeWork, case_id=case))


def appeal(
    case: CaseArgument,
    reason: ReasonOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """As the unit that was late: ask for a closed case to leave the statistic. Once.

    Examples:
      waggle appeal 01JD2Q8Z7N4X0V5M3K9R6T1W8C --reason 道路管制三日
    """
    Step(case, unit, command_id, data, as_json).take(
        build(AppealTimeout, case_id=case, reason=reason)
    )


def review(
    case: CaseArgument,
    granted: GrantedOption,
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """As one of the reviewers: say whether lateness is excused. That it was late stands.

    Examples:
      waggle review 01JD2Q8Z7N4X0V5M3K9R6T1W8C --grant --as inspection
      waggle review 01JD2Q8Z7N4X0V5M3K9R6T1W8C --grant --as triage
    """
    Step(case, unit, command_id, data, as_json).take(
        build(ReviewAppeal, case_id=case, granted=granted, note=text), verifier
    )


def register(app: typer.Typer) -> None:
    """Add the verbs of this group."""
    for verb in (extend, suspend, answer, resume, appeal, review):
        app.command(rich_help_panel="Cases")(verb)
