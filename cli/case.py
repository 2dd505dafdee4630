"""The life of a case from the command line: accept, dispatch, return, resolve, verify, close.

Each verb sends one command as the unit that does it, and prints the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.printing import finish, note
from cli.running import Exit, Failure, run
from cli.sending import CommandIdOption, Sender, build, catch_up, holder, send, token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.case import (
    AcceptWork,
    CloseCase,
    CloseOutcome,
    DispatchCase,
    ResolveWork,
    ReturnReason,
    ReturnWork,
    UnitKind,
    VerifyWork,
)
from contracts.envelope import Command

CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's id: that of the report that opened it.")
]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="UNIT",
        help="Who does it; where not given, the unit that holds the case now.",
    ),
]
NoteOption = Annotated[str | None, typer.Option("--note", help="In words, for whoever looks next.")]


Default = Callable[[Session, str], Awaitable[str]]
"""Who does it where nobody is named."""


@dataclass(frozen=True, slots=True)
class Step:
    """One verb on one case: who, in which house, under which command id."""

    case: str
    unit: str | None
    command_id: str | None
    data: Path
    as_json: bool

    def take(self, command: Command, default: Default = holder) -> None:
        """Send the command, as `default` where nobody is named, and end with its exit code."""
        token(self.case, "case")
        finish(run(self._take(command, default)))

    async def _take(self, command: Command, default: Default) -> Exit:
        async with open_session(self.data, quiet=self.as_json) as session:
            unit = self.unit or await default(session, self.case)
            if self.unit is None:
                note(f"acting as {unit}; --as names another unit")
            return await send(session, command, Sender(unit, self.command_id, self.as_json))


async def verifier(session: Session, _: str) -> str:
    """The unit that verifies by the rules in force."""
    return (await session.rulebook()).routing.verification.by


async def triage(session: Session, _: str) -> str:
    """The staffed desk of the rules in force."""
    units = (await session.rulebook()).units
    return next(unit.code for unit in units if unit.kind is UnitKind.TRIAGE)


async def decider(session: Session, case_id: str) -> str:
    """The dispatcher who answers a request: the street office of the place, else the desk."""
    unit = await holder(session, case_id)
    street: str | None = await (await session.tables()).fetchval(
        'SELECT street FROM router."case" WHERE case_id = $1', case_id
    )
    return street if street and street != unit else await triage(session, case_id)


async def platform(session: Session, case_id: str) -> str:
    """The platform that the report came from."""
    await catch_up(session, case_id)
    found: str | None = await (await session.tables()).fetchval(
        'SELECT platform FROM router."case" WHERE case_id = $1', case_id
    )
    if found is None:
        raise Failure(f"there is no case {case_id}")
    return found


def accept(
    case: CaseArgument,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take a case on that was dispatched to you.

    Examples:
      waggle accept 01JD2Q8Z7N4X0V5M3K9R6T1W8C
      waggle accept 01JD2Q8Z7N4X0V5M3K9R6T1W8C --as sanitation
    """
    Step(case, unit, command_id, data, as_json).take(build(AcceptWork, case_id=case))


def dispatch(
    case: CaseArgument,
    to: Annotated[str, typer.Argument(metavar="UNIT", help="Who is to handle it.")],
    unit: AsOption = None,
    service: Annotated[str | None, typer.Option(help="Corrects what kind of hazard it is.")] = None,
    condition: Annotated[str | None, typer.Option(help="Corrects its exact state.")] = None,
    support: Annotated[
        list[str] | None, typer.Option(metavar="UNIT", help="Who helps; may be given again.")
    ] = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Hand a case to the unit that is to handle it; for street offices and the triage desk.

    Examples:
      waggle dispatch 01JD2Q8Z7N4X0V5M3K9R6T1W8C sanitation
      waggle dispatch 01JD2Q8Z7N4X0V5M3K9R6T1W8C municipal --as triage --service lamp-out
      waggle dispatch 01JD2Q8Z7N4X0V5M3K9R6T1W8C municipal --support enforcement
    """
    command = build(
        DispatchCase,
        case_id=case,
        unit=to,
        service_code=service,
        condition=condition,
        supporting=tuple(support or ()),
    )
    Step(case, unit, command_id, data, as_json).take(command)


def return_(
    case: CaseArgument,
    reason: Annotated[ReturnReason, typer.Option(help="Why it is not yours.")],
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Give a case back: not ours. It goes to a dispatcher again.

    Examples:
      waggle return 01JD2Q8Z7N4X0V5M3K9R6T1W8C --reason not_our_area --note 桥北侧属柳湾街道
    """
    Step(case, unit, command_id, data, as_json).take(
        build(ReturnWork, case_id=case, reason=reason, note=text)
    )


def resolve(
    case: CaseArgument,
    result: Annotated[str, typer.Option(help="What was done.")],
    photo: Annotated[str | None, typer.Option(help="Where the photo of the result is.")] = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say that a case you accepted is done, and how. Somebody else verifies it.

    Examples:
      waggle resolve 01JD2Q8Z7N4X0V5M3K9R6T1W8C --result 已清运，并冲洗地面
    """
    Step(case, unit, command_id, data, as_json).take(
        build(ResolveWork, case_id=case, result=result, photo=photo)
    )


def verify(
    case: CaseArgument,
    passed: Annotated[
        bool, typer.Option("--passed/--failed", help="Whether it is done.", show_default=False)
    ],
    text: NoteOption = None,
    unit: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="UNIT",
            help="Who has looked; where not given, who verifies by the rules.",
        ),
    ] = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say whether a resolved case is done: closed, or back to its handler.

    Examples:
      waggle verify 01JD2Q8Z7N4X0V5M3K9R6T1W8C --passed
      waggle verify 01JD2Q8Z7N4X0V5M3K9R6T1W8C --failed --note 井盖仍松动
    """
    Step(case, unit, command_id, data, as_json).take(
        build(VerifyWork, case_id=case, passed=passed, note=text), verifier
    )


def close(
    case: CaseArgument,
    text: Annotated[str, typer.Option("--note", help="What was found.")],
    not_ours: Annotated[
        bool, typer.Option("--not-ours", help="It is there, but nobody here answers for it.")
    ] = False,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """End a case you hold as a dispatcher: nothing to handle, or nobody here answers for it.

    Examples:
      waggle close 01JD2Q8Z7N4X0V5M3K9R6T1W8C --note 现场已无堆物
      waggle close 01JD2Q8Z7N4X0V5M3K9R6T1W8C --not-ours --note 属高速公路管理处
    """
    outcome = CloseOutcome.NOT_OURS if not_ours else CloseOutcome.UNFOUNDED
    Step(case, unit, command_id, data, as_json).take(
        build(CloseCase, case_id=case, note=text, outcome=outcome)
    )


def register(app: typer.Typer) -> None:
    """Add the verbs of this group; `verify` stands beside what else can be verified."""
    for name, verb in (
        ("accept", accept),
        ("dispatch", dispatch),
        ("return", return_),
        ("resolve", resolve),
        ("close", close),
    ):
        app.command(name, rich_help_panel="Cases")(verb)
