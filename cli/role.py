"""`waggle role`: what a rider is beside a rider, for a term.

Each verb sends one command as the officer or unit that appoints, and prints the answer.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cli.moments import local_moment
from cli.sending import CommandIdOption, Sender, build, carry
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from contracts.party import EndRole, GiveRole, RoleName
from deploy.house import OFFICER

app = typer.Typer(help="Roles of riders, for a term: given and ended.", no_args_is_help=True)

RiderArgument = Annotated[str, typer.Argument(metavar="RIDER", help="The rider's id.")]
RoleArgument = Annotated[RoleName, typer.Argument(metavar="ROLE", help=", ".join(RoleName))]
ByOption = Annotated[
    str, typer.Option("--as", metavar="PARTY", help="Who appoints: an officer or a unit.")
]
WHEN = "ISO 8601; without a zone, the district's time."


@app.command()
def give(
    rider: RiderArgument,
    role: RoleArgument,
    first: Annotated[str, typer.Option(metavar="TIME", help=f"From when on. {WHEN}")],
    last: Annotated[
        str | None,
        typer.Option(metavar="TIME", help=f"Until when; by default until it is ended. {WHEN}"),
    ] = None,
    party: ByOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Appoint a rider to a role for a term; reports taken on in it earn the role's bonus.

    Examples:
      waggle role give rider-01 grid_member --first 2026-12-01 --last 2027-12-01
      waggle role give rider-01 food_safety_supervisor --first 2026-12-01 --as street-taoyuan
    """
    begins = local_moment(first, "--first", data, as_json=as_json)
    ends = local_moment(last, "--last", data, as_json=as_json) if last else None
    command = build(GiveRole, party_id=rider, role=role, first=begins, last=ends)
    carry(command, Sender(party, command_id, as_json), data)


@app.command()
def end(
    rider: RiderArgument,
    role: RoleArgument,
    at: Annotated[str, typer.Option(metavar="TIME", help=f"From when on it is over. {WHEN}")],
    party: ByOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """End a rider's role before its term does; what was earned in it stays as it is.

    Examples:
      waggle role end rider-01 grid_member --at 2027-06-30T18:00
    """
    moment = local_moment(at, "--at", data, as_json=as_json)
    command = build(EndRole, party_id=rider, role=role, at=moment)
    carry(command, Sender(party, command_id, as_json), data)
