"""`waggle points`: what officers give and take, what riders contest, and who decides on it.

Each verb but `decisions` sends one command as the party that does it, and prints the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.ids import new_id
from cli.moments import local_moment
from cli.printing import finish, moment, note, print_json, say
from cli.running import Exit, run
from cli.sending import CommandIdOption, Sender, build, carry, send, token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from cli.store.counter import OfficerOption, PartyOption, platform_of
from contracts import account as a
from contracts.account import (
    AdjustmentReason,
    AppealReversal,
    DecideAdjustment,
    DecideReversalAppeal,
    GrantKind,
    GrantPoints,
    ProposeAdjustment,
    ReversalReason,
    ReversePoints,
)
from contracts.envelope import Fact
from deploy.house import OFFICER
from eventlog.read import read_stream

app = typer.Typer(
    help="Points by an officer's decision: granted, taken back, contested, given by hand.",
    no_args_is_help=True,
)

RiderArgument = Annotated[str, typer.Argument(metavar="RIDER", help="The rider's id.")]
OccasionOption = Annotated[
    str,
    typer.Option(
        help="Which time it is, such as 2026-11 or exam-0607: for one occasion a rider"
        " is granted the same thing once."
    ),
]
DoneOption = Annotated[
    str | None,
    typer.Option(
        "--done-at",
        metavar="TIME",
        help="When it was done, ISO 8601; without a zone, the district's time. By default now.",
    ),
]
ReversalArgument = Annotated[
    str, typer.Argument(metavar="REVERSAL", help="As `waggle points decisions RIDER` names it.")
]
AdjustmentArgument = Annotated[
    str, typer.Argument(metavar="ADJUSTMENT", help="The id that it was proposed under.")
]
WhyOption = Annotated[str, typer.Option("--note", help="Why, in words.")]
NoteOption = Annotated[str | None, typer.Option("--note", help="In words, for whoever asks.")]
OtherOption = Annotated[
    str,
    typer.Option("--as", metavar="OFFICER", help="Who you are: another officer than the first."),
]


@dataclass(frozen=True, slots=True)
class _Occasion:
    """For which time a thing is granted, and when it was done."""

    occasion: str
    done_at: str | None
    data: Path

    def grant(self, rider: str, kind: GrantKind, code: str, sender: Sender) -> None:
        done_at = None
        if self.done_at is not None:
            done_at = local_moment(self.done_at, "--done-at", self.data, as_json=sender.as_json)
        command = build(
            GrantPoints,
            rider_id=rider,
            kind=kind,
            code=code,
            occasion=self.occasion,
            done_at=done_at,
        )
        carry(command, sender, self.data)


@app.command()
def grant(
    rider: RiderArgument,
    award: Annotated[
        str, typer.Argument(metavar="AWARD", help="Its code among the honours of the rulebook.")
    ],
    occasion: OccasionOption,
    done_at: DoneOption = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Grant a rider an award of the rulebook, such as rider of the month, with its points.

    Examples:
      waggle points grant rider-01 rider-of-the-month --occasion 2026-11
    """
    sender = Sender(party, command_id, as_json)
    _Occasion(occasion, done_at, data).grant(rider, GrantKind.HONOUR, award, sender)


@app.command()
def act(
    rider: RiderArgument,
    code: Annotated[
        str, typer.Argument(metavar="ACT", help="Its code among the acts of the rulebook.")
    ],
    occasion: OccasionOption,
    done_at: DoneOption = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Grant a rider the points of a volunteer act, such as driving a pupil to an exam.

    The rulebook says what each act earns, and how often in a month.

    Examples:
      waggle points act rider-01 exam-escort --occasion exam-0607 --done-at 2026-06-07T08:00
    """
    sender = Sender(party, command_id, as_json)
    _Occasion(occasion, done_at, data).grant(rider, GrantKind.ACT, code, sender)


@app.command()
def reverse(
    rider: RiderArgument,
    reason: Annotated[ReversalReason, typer.Option(help="Why; the rider is told.")],
    report: Annotated[
        str | None, typer.Option(help="Take back all that this report earned the rider; or else")
    ] = None,
    lot: Annotated[
        str | None, typer.Option(help="this one earn: the lot that the passbook names (--json).")
    ] = None,
    text: NoteOption = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take back points that a rider should not have earned; what is spent already is owed.

    The rider may contest it once, in time; then another officer decides.

    Examples:
      waggle points reverse rider-01 --report 01JD2Q8Z7N4X0V5M3K9R6T1W8C --reason fraud
    """
    if (report is None) == (lot is None):
        raise typer.BadParameter("give --report or --lot: one of the two")
    command = build(
        ReversePoints, rider_id=rider, report_id=report, lot=lot, reason=reason, note=text
    )
    carry(command, Sender(party, command_id, as_json), data)


@app.command()
def appeal(
    rider: RiderArgument,
    reversal: ReversalArgument,
    text: WhyOption,
    party: PartyOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Contest for a rider that points were taken back, as the rider's platform. Once.

    Examples:
      waggle points appeal rider-01 0b6cbd1e3d0c5f6a --note 当时确有积水，照片可查
    """
    token(rider, "rider")
    command = build(AppealReversal, rider_id=rider, reversal_id=reversal, note=text)
    finish(run(_appeal(command, party, command_id, data, as_json)))


async def _appeal(
    command: AppealReversal, party: str | None, command_id: str | None, data: Path, as_json: bool
) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        who = party or await platform_of(command.rider_id)(session)
        if party is None:
            note(f"acting as {who}; --as names another party")
        return await send(session, command, Sender(who, command_id, as_json))


@app.command()
def decide(
    rider: RiderArgument,
    reversal: ReversalArgument,
    granted: Annotated[
        bool,
        typer.Option(
            "--grant/--refuse", help="The points come back, or stay taken.", show_default=False
        ),
    ],
    text: WhyOption,
    party: OtherOption,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Decide on a rider's appeal, as another officer than the one who took the points back.

    Examples:
      waggle points decide rider-01 0b6cbd1e3d0c5f6a --grant --note 照片属实 --as second-officer
    """
    command = build(
        DecideReversalAppeal, rider_id=rider, reversal_id=reversal, granted=granted, note=text
    )
    carry(command, Sender(party, command_id, as_json), data)


@app.command()
def adjust(
    rider: RiderArgument,
    points: Annotated[int, typer.Option(help="So many to give; below 0: to take.")],
    reason: Annotated[AdjustmentReason, typer.Option(help="What kind of change it is.")],
    text: WhyOption,
    adjustment_id: Annotated[
        str | None, typer.Option("--id", help="The adjustment's id; made here where not given.")
    ] = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Propose to give or take points by hand. Nothing moves until another officer approves.

    Examples:
      waggle points adjust rider-01 --points 5 --reason goodwill --note 系统故障补偿
      waggle points adjust rider-01 --points -5 --reason correction --note 重复计分
    """
    made = adjustment_id or f"adjust-{new_id()}"
    if adjustment_id is None:
        note(f"the adjustment is {made}; to send this again: --id {made}")
    command = build(
        ProposeAdjustment,
        rider_id=rider,
        adjustment_id=made,
        points=points,
        reason=reason,
        note=text,
    )
    carry(command, Sender(party, command_id, as_json), data, adjustment_id=made)


@app.command()
def approve(
    rider: RiderArgument,
    adjustment: AdjustmentArgument,
    party: OtherOption,
    text: NoteOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say yes to an adjustment, as another officer than its proposer: the points move now.

    Examples:
      waggle points approve rider-01 adjust-01JD2Q8Z7N4X0V5M3K9R6T1W8C --as second-officer
    """
    command = build(
        DecideAdjustment, rider_id=rider, adjustment_id=adjustment, approve=True, note=text
    )
    carry(command, Sender(party, command_id, as_json), data)


@app.command()
def decline(
    rider: RiderArgument,
    adjustment: AdjustmentArgument,
    party: OtherOption,
    text: NoteOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say no to an adjustment, as another officer than its proposer: nothing moves.

    Examples:
      waggle points decline rider-01 adjust-01JD2Q8Z7N4X0V5M3K9R6T1W8C --as second-officer
    """
    command = build(
        DecideAdjustment, rider_id=rider, adjustment_id=adjustment, approve=False, note=text
    )
    carry(command, Sender(party, command_id, as_json), data)


@app.command()
def decisions(
    rider: RiderArgument,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """What was taken back from a rider or proposed by hand, and what waits for a decision.

    Examples:
      waggle points decisions rider-01
    """
    run(_decisions(token(rider, "rider"), data, as_json))


async def _decisions(rider: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        zone = await session.zone()
        log = await session.log()
        facts = [fact.body async for fact in read_stream(log, "account", rider)]
    found = decisions_in(facts)
    if as_json:
        print_json({"rider_id": rider, **found})
        return
    if not any(found.values()):
        say(f"nothing was taken back from {rider} or proposed by hand")
    for one in found["reversals"]:
        _say_stands(one["reversal"], one)
        until = moment(one["appeal_until"], zone)
        say(f"  {one['by']} took {one['points']} points back ({one['reason']})")
        say(f"  report {one['report'] or '-'}, could be contested until {until or 'any day'}")
    for one in found["adjustments"]:
        _say_stands(one["adjustment"], one)
        say(f"  {one['by']} proposed {one['points']:+} points ({one['reason']})")


def _say_stands(what: str, row: Mapping[str, Any]) -> None:
    by = f" by {row['decided_by']}" if row["decided_by"] else ""
    say(f"{what}  {row['stands']}{by}", "bold")


def decisions_in(facts: Iterable[Fact]) -> dict[str, list[dict[str, Any]]]:
    """Each reversal and each adjustment of an account, and what has been decided on it."""
    reversals: dict[str, dict[str, Any]] = {}
    adjustments: dict[str, dict[str, Any]] = {}
    for fact in facts:
        match fact:
            case a.PointsReversed(reversal_id=key):
                reversals[key] = {
                    "reversal": key,
                    "report": fact.report_id,
                    "points": fact.points,
                    "reason": fact.reason,
                    "by": fact.by,
                    "appeal_until": fact.appeal_until,
                    "stands": "not contested",
                    "decided_by": None,
                }
            case a.ReversalAppealed(reversal_id=key):
                reversals[key]["stands"] = "contested"
            case a.ReversalUpheld(reversal_id=key, by=by):
                reversals[key] |= {"stands": "upheld", "decided_by": by}
            case a.PointsRestored(reversal_id=key, by=by):
                reversals[key] |= {"stands": "given back", "decided_by": by}
            case a.AdjustmentProposed(adjustment_id=key):
                adjustments[key] = {
                    "adjustment": key,
                    "points": fact.points,
                    "reason": fact.reason,
                    "by": fact.by,
                    "stands": "proposed",
                    "decided_by": None,
                }
            case a.PointsAdjusted(adjustment_id=key, approved_by=by):
                adjustments[key] |= {"stands": "approved", "decided_by": by}
            case a.AdjustmentDeclined(adjustment_id=key, by=by):
                adjustments[key] |= {"stands": "declined", "decided_by": by}
    return {"reversals": [*reversals.values()], "adjustments": [*adjustments.values()]}
