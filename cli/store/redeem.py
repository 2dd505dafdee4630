"""`waggle redeem`: from points to a code, and from a code to what it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.ids import new_id
from cli.printing import moment, note, print_json, print_table, say
from cli.running import run
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from cli.store.counter import (
    Errand,
    LanguageOption,
    OfficerOption,
    PartyOption,
    RiderOption,
    as_rows,
    officer,
    platform_behind,
    platform_of,
    shown,
)
from contracts.reward import (
    ApproveRedemption,
    CancelRedemption,
    RedeemItem,
    ReissueCode,
    ShowCode,
    TakeStep,
    UseRedemption,
)
from deploy.house import OFFICER
from services.points.tables.takes import TakeRow

app = typer.Typer(
    help="Redemptions: points set aside, a code issued, and used once.", no_args_is_help=True
)
TakeArgument = Annotated[
    str, typer.Argument(metavar="REDEMPTION", help="The redemption's id: take-...")
]


@app.command()
def take(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The item's id: item-...")],
    rider: RiderOption,
    seen_price: Annotated[
        int | None, typer.Option("--seen-price", help="What the rider was shown.")
    ] = None,
    area: Annotated[str | None, typer.Option(help="Where the rider works.")] = None,
    take_id: Annotated[
        str | None, typer.Option("--id", help="The redemption's id; made here where not given.")
    ] = None,
    party: PartyOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take one piece of an item for a rider, as the rider's platform. Answers with the code.

    Points, stock, quota and budget are set aside together, or nothing is.
    Exit code 1 when it is refused, with every reason. With the same --id and
    --command-id it is never done twice, and the same code is shown again.

    Examples:
      waggle redeem take item-rain-cape --rider rider-01
      waggle redeem take item-rain-cape --rider rider-01 --seen-price 18
    """
    made = take_id or f"take-{new_id()}"
    if take_id is None:
        note(f"the redemption is {made}; to send this again: --id {made}")
    command = build(
        RedeemItem, reward_id=made, rider_id=rider, item_id=item, seen_price=seen_price, area=area
    )
    Errand(party, command_id, data, as_json).run(command, platform_of(rider))


@app.command()
def code(
    redemption: TakeArgument,
    party: PartyOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Show the code once more, as the rider's platform.

    Examples:
      waggle redeem code take-01JD2Q8Z7N4X0V5M3K9R6T1W8C
    """
    command = build(ShowCode, reward_id=redemption)
    Errand(party, None, data, as_json).run(command, platform_behind(redemption))


@app.command()
def reissue(
    redemption: TakeArgument,
    party: PartyOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Another code in the place of a lost or locked one, as the rider's platform.

    Examples:
      waggle redeem reissue take-01JD2Q8Z7N4X0V5M3K9R6T1W8C
    """
    command = build(ReissueCode, reward_id=redemption)
    Errand(party, command_id, data, as_json).run(command, platform_behind(redemption))


@app.command()
def approve(
    redemption: TakeArgument,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Let the code be issued, where an item asks for that.

    Examples:
      waggle redeem approve take-01JD2Q8Z7N4X0V5M3K9R6T1W8C
    """
    command = build(ApproveRedemption, reward_id=redemption)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def use(
    redemption: TakeArgument,
    shown_code: Annotated[str, typer.Argument(metavar="CODE", help="As the rider shows it.")],
    party: Annotated[
        str, typer.Option("--as", metavar="PARTY", help="Who keeps the station, or an officer.")
    ] = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take a code and hand the item over: the points are spent, once.

    Examples:
      waggle redeem use take-01JD... 7H2KD-4QXVB-9WZ3M-C0T5R --as street-taoyuan
    """
    command = build(UseRedemption, reward_id=redemption, code=shown_code)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def cancel(
    redemption: TakeArgument,
    party: PartyOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Give everything back: as the rider's platform, or as an officer.

    Examples:
      waggle redeem cancel take-01JD2Q8Z7N4X0V5M3K9R6T1W8C
    """
    command = build(CancelRedemption, reward_id=redemption)
    Errand(party, command_id, data, as_json).run(command, platform_behind(redemption))


@app.command("list")
def list_(
    rider: Annotated[str | None, typer.Option("--rider", help="Of one rider.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Of one item.")] = None,
    step: Annotated[TakeStep | None, typer.Option(help="Only those that stand there.")] = None,
    language: LanguageOption = "zh",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Redemptions, the latest first.

    Examples:
      waggle redeem list --rider rider-01
      waggle redeem list --step held --json
    """
    run(_list(rider, item, step, language, data, as_json))


async def _list(
    rider: str | None,
    item: str | None,
    step: TakeStep | None,
    language: str,
    data: Path,
    as_json: bool,
) -> None:
    async with open_session(data, quiet=as_json) as session:
        tables = await shown(session)
        records = await tables.fetch(
            "SELECT * FROM store.redemption WHERE ($1::text IS NULL OR rider_id = $1)"
            " AND ($2::text IS NULL OR item_id = $2) AND ($3::text IS NULL OR step = $3)"
            " ORDER BY sequence DESC",
            rider,
            item,
            step,
        )
        rows = as_rows(TakeRow, records)
        if as_json:
            print_json({"redemptions": [_shown(row) for row in rows]})
            return
        if not rows:
            say("no redemptions")
            return
        zone = await session.zone()
        lines = [
            (
                row.redemption_id,
                row.rider_id,
                row.name.read_in(language),
                row.price,
                row.step,
                moment(row.due_at or row.ended_at, zone),
            )
            for row in rows
        ]
        print_table(("redemption", "rider", "item", "points", "step", "until, or ended"), lines)


def _shown(row: TakeRow) -> dict[str, object]:
    return {
        "redemption_id": row.redemption_id,
        "rider_id": row.rider_id,
        "platform": row.platform,
        "item_id": row.item_id,
        "name": row.name.model_dump(),
        "price": row.price,
        "step": row.step,
        "station": row.station,
        "period": row.period,
        "issue": row.issue,
        "tries": row.tries,
        "due_at": row.due_at,
        "ended_by": row.ended_by,
        "held_at": row.held_at,
        "ended_at": row.ended_at,
    }
