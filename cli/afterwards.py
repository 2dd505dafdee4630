"""The end of a case, and after: cancelled, contested, looked at again, reopened.

Each verb sends one command as the party that does it, and prints the answer.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cli.case import AsOption, CaseArgument, NoteOption, Step, platform, triage, verifier
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from contracts.case import CancelCase, CancelReason, ContestClosing, DismissContest, ReopenCase

WordsOption = Annotated[str, typer.Option("--note", help="What was found.")]


def cancel(
    case: CaseArgument,
    reason: Annotated[CancelReason, typer.Option(help="Why it is void.")],
    text: NoteOption = None,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Void an open case, for a reason of the list; by default as the triage desk.

    Examples:
      waggle cancel 01JD2Q8Z7N4X0V5M3K9R6T1W8C --reason outside_the_rules --note 登记工地
    """
    Step(case, unit, command_id, data, as_json).take(
        build(CancelCase, case_id=case, reason=reason, note=text), triage
    )


def contest(
    case: CaseArgument,
    rider: Annotated[str, typer.Option("--rider", help="Whose report it was.")],
    text: WordsOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """As the platform, for its rider: it is closed, and it is not done.

    Examples:
      waggle contest 01JD2Q8Z7N4X0V5M3K9R6T1W8C --rider rider-07 --note 垃圾还在
    """
    Step(case, unit, command_id, data, as_json).take(
        build(ContestClosing, case_id=case, rider_id=rider, note=text), platform
    )


def dismiss(
    case: CaseArgument,
    text: WordsOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Having looked again: it is done, whatever was contested.

    Examples:
      waggle dismiss 01JD2Q8Z7N4X0V5M3K9R6T1W8C --note 复查已清
    """
    Step(case, unit, command_id, data, as_json).take(
        build(DismissContest, case_id=case, note=text), verifier
    )


def reopen(
    case: CaseArgument,
    text: WordsOption,
    unit: AsOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Open a closed case again: it is not done. By default as who verifies.

    Examples:
      waggle reopen 01JD2Q8Z7N4X0V5M3K9R6T1W8C --note 复查仍有积水
    """
    Step(case, unit, command_id, data, as_json).take(
        build(ReopenCase, case_id=case, note=text), verifier
    )


def register(app: typer.Typer) -> None:
    """Add the verbs of this group."""
    for verb in (cancel, contest, dismiss, reopen):
        app.command(rich_help_panel="Cases")(verb)
