"""In whose hands a case is: claimed by a clerk, handed on, helped with, put right, joined, checked.

Each verb sends one command as the unit that does it, and prints the answer.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cli.case import AsOption, CaseArgument, NoteOption, Step, triage
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from contracts.case import (
    AskSupport,
    CheckReport,
    ClaimWork,
    CorrectCase,
    GiveSupport,
    JoinCase,
    ReleaseWork,
    SeparateCase,
    TransferWork,
)
from contracts.envelope import Datum
from contracts.report import Position

ClerkOption = Annotated[
    str, typer.Option("--clerk", help="Staff number or account name within the unit.")
]
UnitArgument = Annotated[str, typer.Argument(metavar="UNIT", help="The other unit's code.")]


def claim(
    case: CaseArgument,
    clerk: ClerkOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take a case into your own hands; of two clerks the first has it, the other is told who.

    Examples:
      waggle claim 01JD2Q8Z7N4X0V5M3K9R6T1W8C --clerk li-01
    """
    Step(case, unit, command_id, data, as_json).take(build(ClaimWork, case_id=case, clerk=clerk))


def release(
    case: CaseArgument,
    clerk: ClerkOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Hand a case that you claimed back to your unit's desk.

    Examples:
      waggle release 01JD2Q8Z7N4X0V5M3K9R6T1W8C --clerk li-01
    """
    Step(case, unit, command_id, data, as_json).take(build(ReleaseWork, case_id=case, clerk=clerk))


def transfer(
    case: CaseArgument,
    to: UnitArgument,
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Hand a case that you handle directly to another unit; its clock starts anew, it is counted.

    Examples:
      waggle transfer 01JD2Q8Z7N4X0V5M3K9R6T1W8C municipal --note 电缆井属市政
    """
    Step(case, unit, command_id, data, as_json).take(
        build(TransferWork, case_id=case, unit=to, note=text)
    )


def support(
    case: CaseArgument,
    to: Annotated[
        str | None, typer.Argument(metavar="[UNIT]", help="Whom to ask for help.")
    ] = None,
    result: Annotated[
        str | None, typer.Option(help="As the helping unit: what it has done.")
    ] = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Ask another unit to help, or say what you did to help. The holder stays accountable.

    Examples:
      waggle support 01JD2Q8Z7N4X0V5M3K9R6T1W8C enforcement
      waggle support 01JD2Q8Z7N4X0V5M3K9R6T1W8C --as enforcement --result 已疏导交通
    """
    step = Step(case, unit, command_id, data, as_json)
    if (to is None) == (result is None):
        raise typer.BadParameter("name the unit to ask, or give --result: one of the two")
    if to is not None:
        step.take(build(AskSupport, case_id=case, unit=to))
    if unit is None:
        raise typer.BadParameter("--result is said by the helping unit: name it with --as")
    step.take(build(GiveSupport, case_id=case, result=result))


def correct(
    case: CaseArgument,
    service: Annotated[str | None, typer.Option(help="What kind of hazard it is.")] = None,
    condition: Annotated[str | None, typer.Option(help="Its exact state.")] = None,
    lat: Annotated[float | None, typer.Option(help="Where it is: latitude.")] = None,
    lng: Annotated[float | None, typer.Option(help="Where it is: longitude.")] = None,
    datum: Annotated[
        Datum, typer.Option(help="What latitude and longitude were measured in.")
    ] = Datum.WGS84,
    asset: Annotated[
        str | None, typer.Option(help="The number on the thing, by which its owner is found.")
    ] = None,
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Put kind or place right: routed again by the rules; by default as the triage desk.

    Examples:
      waggle correct 01JD2Q8Z7N4X0V5M3K9R6T1W8C --condition manhole-broken-sunken
      waggle correct 01JD2Q8Z7N4X0V5M3K9R6T1W8C --lat 29.7712 --lng 121.3034 --note 照片位置有误
    """
    if (lat is None) != (lng is None):
        raise typer.BadParameter("a place is --lat and --lng together")
    place = None
    if lat is not None and lng is not None:
        place = Position(lat=lat, lng=lng, datum=datum)
    command = build(
        CorrectCase,
        case_id=case,
        service_code=service,
        condition=condition,
        position=place,
        asset=asset,
        note=text,
    )
    Step(case, unit, command_id, data, as_json).take(command, triage)


def join(
    case: CaseArgument,
    into: Annotated[str, typer.Argument(metavar="ORIGINAL", help="The case it gathers under.")],
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Let a case gather under another one: both are about one thing.

    Examples:
      waggle join 01JD2QB2T5N8K1R4V7X0Z3C6F9 01JD2Q8Z7N4X0V5M3K9R6T1W8C
    """
    Step(case, unit, command_id, data, as_json).take(
        build(JoinCase, case_id=case, into=into), triage
    )


def separate(
    case: CaseArgument,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take a gathered report out again: it is about another thing, and gets its own case.

    Examples:
      waggle separate 01JD2QB2T5N8K1R4V7X0Z3C6F9
    """
    Step(case, unit, command_id, data, as_json).take(build(SeparateCase, case_id=case), triage)


def confirm(
    case: CaseArgument,
    found: Annotated[
        bool, typer.Option("--found/--nothing", help="Whether it is there.", show_default=False)
    ],
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say what a check before opening has found: a case is opened, or it is not.

    Examples:
      waggle confirm 01JD2Q8Z7N4X0V5M3K9R6T1W8C --found
      waggle confirm 01JD2Q8Z7N4X0V5M3K9R6T1W8C --nothing --note 现场无此情况
    """
    Step(case, unit, command_id, data, as_json).take(
        build(CheckReport, case_id=case, found=found, note=text)
    )


def register(app: typer.Typer) -> None:
    """Add the verbs of this group."""
    for verb in (claim, release, transfer, support, correct, join, separate, confirm):
        app.command(rich_help_panel="Cases")(verb)
