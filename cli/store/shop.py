"""`waggle store`: what there is for points, its stock, and who pays."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
import yaml
from pydantic import ValidationError

from cli.printing import finish, in_words, print_json, print_table, say
from cli.running import Exit, run
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from cli.store.counter import (
    Errand,
    LanguageOption,
    OfficerOption,
    as_rows,
    named,
    officer,
    shown,
)
from cli.store.loading import load, read_shelf
from contracts.reward import (
    AddStock,
    ChangeItem,
    FundSponsor,
    OfferItem,
    RemoveStock,
    Terms,
    WithdrawItem,
)
from deploy.house import OFFICER
from eventlog.project import wait_for
from eventlog.read import head
from eventlog.receiving import problems
from services.points.availability import Asked, Availability, availability
from services.points.projection import POINTS
from services.points.shelf import NONE, Item, Sponsor
from services.points.tables.shelf import AssetRow, ItemRow

app = typer.Typer(help="What there is for points.", no_args_is_help=True)
ItemArgument = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id: item-...")]
FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE.yaml", exists=True, dir_okay=False, help="Its terms."),
]
CountOption = Annotated[int, typer.Option("--count", min=1, help="How many.")]


@app.command()
def items(
    rider: Annotated[
        str | None, typer.Option("--rider", help="Say what is in this rider's way.")
    ] = None,
    area: Annotated[str | None, typer.Option(help="Where the rider works.")] = None,
    language: LanguageOption = "zh",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """What there is, what it costs, how many are left; with --rider what is in the way.

    Examples:
      waggle store items
      waggle store items --rider rider-01 --area 330299001 --json
    """
    run(_items(rider, area, language, data, as_json))


async def _items(
    rider: str | None, area: str | None, language: str, data: Path, as_json: bool
) -> None:
    async with open_session(data, quiet=as_json) as session:
        tables = await shown(session)
        rows = as_rows(ItemRow, await tables.fetch("SELECT * FROM store.item ORDER BY item_id"))
        assets = await _assets(tables)
        asked = await _asked(session, rider, area) if rider else None
        found = [_shown(row, assets, asked) for row in rows if not row.withdrawn]
        if as_json:
            print_json({"rider_id": rider, "items": found})
            return
        if not found:
            say("the store is empty; `waggle store load` fills it with the built-in items")
            return
        lines = [
            (
                item["item_id"],
                item["name"]["en" if language == "en" else "zh"],
                item["kind"],
                item["price"],
                "any" if item["free"] is None else item["free"],
                _in_the_way(item),
            )
            for item in found
        ]
        print_table(("item", "name", "kind", "points", "left", "in the way"), lines)


async def _assets(tables: asyncpg.Pool) -> dict[str, AssetRow]:
    rows = as_rows(AssetRow, await tables.fetch("SELECT * FROM store.asset"))
    return {row.asset: row for row in rows}


async def _asked(session: Session, rider: str, area: str | None) -> Asked:
    """What the rider has in hand, as the passbook shows it."""
    tables = await session.tables()
    if last := await head(await session.log(), POINTS.subjects):
        await wait_for(tables, POINTS.name, last, timeout=10)
    points = await tables.fetchval(
        "SELECT available FROM points.passbook WHERE rider_id = $1", rider
    )
    book = await session.rulebook()
    return Asked(
        rider_id=rider,
        points=points or 0,
        at=datetime.now(UTC),
        zone=await session.zone(),
        areas=book.inside(area),
    )


def _shown(row: ItemRow, assets: dict[str, AssetRow], asked: Asked | None) -> dict[str, Any]:
    stock = _balances(assets, f"STOCK/{row.item_id}")
    told = {
        "item_id": row.item_id,
        "name": row.name.model_dump(),
        "kind": row.kind,
        "price": row.price,
        "free": stock.free if row.counted else None,
        "held": stock.held,
        "used": stock.used,
        "terms": row.terms.model_dump(mode="json"),
    }
    if asked is None:
        return told
    answer = _answer(row, assets, asked)
    return told | {
        "available": answer.available,
        "points_missing": answer.points_missing,
        "reasons": [reason.model_dump() for reason in answer.reasons],
    }


def _answer(row: ItemRow, assets: dict[str, AssetRow], asked: Asked) -> Availability:
    """The very question that the decision asks, on what the tables show."""
    start = f"QUOTA/{row.item_id}/"
    quotas = {
        name.removeprefix(start): asset.balances
        for name, asset in assets.items()
        if name.startswith(start)
    }
    item = Item(
        terms=row.terms,
        withdrawn=row.withdrawn,
        counted=row.counted,
        stock=_balances(assets, f"STOCK/{row.item_id}"),
        in_all={of: asset for of, asset in quotas.items() if "/" not in of},
        per_rider={
            (period, rider): asset
            for of, asset in quotas.items()
            for period, slash, rider in (of.partition("/"),)
            if slash
        },
    )
    fund = row.terms.sponsor
    sponsor = Sponsor(budget=_balances(assets, f"BUDGET/{fund}")) if fund else None
    return availability(item, sponsor, asked)


def _balances(assets: dict[str, AssetRow], name: str) -> Any:
    return assets[name].balances if name in assets else NONE


def _in_the_way(item: dict[str, Any]) -> str:
    reasons = item.get("reasons")
    if reasons is None:
        return ""
    missing = item["points_missing"]
    codes = [r["code"] for r in reasons]
    told = ", ".join(f"{missing} points missing" if c == "points_missing" else c for c in codes)
    return told or "nothing"


@app.command()
def offer(
    item: ItemArgument,
    file: FileArgument,
    stock: Annotated[
        int | None, typer.Option("--stock", min=0, help="How many; not counted where not given.")
    ] = None,
    wish: Annotated[str | None, typer.Option("--wish", help="The wish that it fulfils.")] = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Put an item into the store.

    The file has name, kind (goods, service, right), price from 2 points up;
    and where wanted: about, quota (period, per_rider, in_all), visible_from,
    visible_until, areas, station, sponsor, refundable, approved_first,
    hold_days, code_days.

    Examples:
      waggle store offer item-rain-cape cape.yaml --stock 40 --wish wish-rain-cape
    """
    command = build(OfferItem, reward_id=item, terms=_read(file), stock=stock, wish=wish)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def change(
    item: ItemArgument,
    file: FileArgument,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Offer an item on other terms from now on; what is held keeps its price.

    Examples:
      waggle store change item-rain-cape cape.yaml
    """
    command = build(ChangeItem, reward_id=item, terms=_read(file))
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def withdraw(
    item: ItemArgument,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take an item out of the store; open redemptions go on.

    Examples:
      waggle store withdraw item-rain-cape
    """
    Errand(party, command_id, data, as_json).run(build(WithdrawItem, reward_id=item), officer)


@app.command()
def restock(
    item: ItemArgument,
    count: CountOption,
    gone: Annotated[
        bool, typer.Option("--gone", help="So many are gone: broken, or given back.")
    ] = False,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """More pieces have come, or some are gone.

    Examples:
      waggle store restock item-rain-cape --count 20
      waggle store restock item-rain-cape --count 1 --gone
    """
    command = build(RemoveStock if gone else AddStock, reward_id=item, count=count)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def fund(
    sponsor: Annotated[str, typer.Argument(metavar="SPONSOR", help="The sponsor's id: fund-...")],
    points: Annotated[int, typer.Option("--points", min=1, help="So many more.")],
    name: Annotated[str | None, typer.Option("--name", help="Who it is; the first time.")] = None,
    english: Annotated[str | None, typer.Option("--english", help="The same in English.")] = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """A sponsor answers for so many points more.

    Examples:
      waggle store fund fund-union --points 4000 --name 区总工会
    """
    who = named(name, english) if name else None
    command = build(FundSponsor, reward_id=sponsor, points=points, name=who)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command("load")
def load_(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.yaml", exists=True, dir_okay=False, help="The built-in one by default."
        ),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Put stations, sponsors, wishes and items of a file into the store, as an officer.

    Loaded again it changes nothing. Exit code 1 when something was refused.

    Examples:
      waggle store load
      waggle store load district.yaml --json
    """
    finish(run(_load(file, data, as_json)))


async def _load(file: Path | None, data: Path, as_json: bool) -> Exit:
    shelf = read_shelf(file)
    async with open_session(data, quiet=as_json) as session:
        loaded = await load(session, shelf)
        if as_json:
            print_json(asdict(loaded))
        else:
            say(f"{loaded.new} new, {loaded.known} there before, {len(loaded.refused)} refused")
            for refusal in loaded.refused:
                told = "; ".join(f"{r['code']}: {r['detail']}" for r in refusal["reasons"])
                say(f"  {refusal['command_id']}: {told}", "yellow")
    return Exit.NO if loaded.refused else Exit.DONE


def _read(file: Path) -> Terms:
    try:
        return Terms.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except ValidationError as error:
        told = "; ".join(map(in_words, problems(error)))
        raise typer.BadParameter(f"{file}: {told}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}") from error
