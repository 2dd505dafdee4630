"""`waggle wish`: what riders would like to get for their points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.ids import new_id
from cli.printing import note, print_json, print_table, say
from cli.running import Failure, run
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from cli.store.counter import (
    Errand,
    LanguageOption,
    OfficerOption,
    PartyOption,
    RiderOption,
    as_rows,
    named,
    officer,
    platform_of,
    shown,
)
from contracts.envelope import Erased
from contracts.reward import (
    ApproveWish,
    DeclineReason,
    DeclineWish,
    ListWish,
    MergeWish,
    RewardKind,
    SuggestWish,
    SupportWish,
    WishStep,
    WishSuggested,
)
from deploy.house import OFFICER
from eventlog.read import read_stream
from eventlog.sealing import unseal
from services.points.tables.wishes import WishRow

app = typer.Typer(
    help="The wish list: suggested by riders, answered by officers, fulfilled as items.",
    no_args_is_help=True,
)
WishArgument = Annotated[str, typer.Argument(metavar="WISH", help="The wish's id: wish-...")]


@app.command()
def suggest(
    rider: RiderOption,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="In the rider's own words.")],
    kind: Annotated[RewardKind, typer.Option(help="What it would be.")] = RewardKind.GOODS,
    wish_id: Annotated[
        str | None, typer.Option("--id", help="The wish's id; made here where not given.")
    ] = None,
    party: PartyOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Hand in a rider's wish, as the rider's platform.

    Examples:
      waggle wish suggest --rider rider-01 夏天想要一顶遮阳棚
      waggle wish suggest --rider rider-07 --kind right "A free health check"
    """
    made = wish_id or f"wish-{new_id()}"
    note(f"the wish is {made}")
    command = build(SuggestWish, reward_id=made, rider_id=rider, kind=kind, text=text)
    Errand(party, command_id, data, as_json).run(command, platform_of(rider))


@app.command()
def publish(
    wish: WishArgument,
    name: Annotated[str, typer.Option("--name", help="In words of the office, Chinese.")],
    english: Annotated[str | None, typer.Option("--english", help="The same in English.")] = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Put a wish on the public list, where riders may support it.

    Examples:
      waggle wish publish wish-shade --name 停车遮阳棚 --english "A shade to park under"
    """
    command = build(ListWish, reward_id=wish, name=named(name, english))
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def support(
    wish: WishArgument,
    rider: RiderOption,
    party: PartyOption = None,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Stand behind a listed wish; a rider counts once.

    Examples:
      waggle wish support wish-shade --rider rider-02
    """
    command = build(SupportWish, reward_id=wish, rider_id=rider)
    Errand(party, command_id, data, as_json).run(command, platform_of(rider))


@app.command()
def merge(
    wish: WishArgument,
    into: Annotated[str, typer.Option("--into", help="The wish that goes on for both.")],
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Let a wish go on with another that says the same.

    Examples:
      waggle wish merge wish-roof --into wish-shade
    """
    command = build(MergeWish, reward_id=wish, into=into)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def approve(
    wish: WishArgument,
    text: Annotated[str | None, typer.Option("--note", help="What happens now.")] = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say yes; `waggle store offer --wish` fulfils it.

    Examples:
      waggle wish approve wish-shade --note 总工会出资
    """
    command = build(ApproveWish, reward_id=wish, note=named(text) if text else None)
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command()
def decline(
    wish: WishArgument,
    reason: Annotated[DeclineReason, typer.Option(help="Why not.")],
    text: Annotated[str, typer.Option("--note", help="In words, for who stands behind it.")],
    english: Annotated[str | None, typer.Option("--english", help="The same in English.")] = None,
    party: OfficerOption = OFFICER,
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Say no, with the reason.

    Examples:
      waggle wish decline wish-car --reason too_expensive --note 超出预算
    """
    command = build(DeclineWish, reward_id=wish, reason=reason, note=named(text, english))
    Errand(party, command_id, data, as_json).run(command, officer)


@app.command("list")
def list_(
    step: Annotated[WishStep | None, typer.Option(help="Only those that stand there.")] = None,
    unread: Annotated[
        bool, typer.Option("--unread", help="Those no officer has read, in the riders' words.")
    ] = False,
    language: LanguageOption = "zh",
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """The wishes, the most supported first.

    What riders wrote is sealed; `--unread` opens it for who has the keys.

    Examples:
      waggle wish list --step listed
      waggle wish list --unread --json
    """
    run(_list(WishStep.SUGGESTED if unread else step, unread, language, data, as_json))


async def _list(
    step: WishStep | None, unread: bool, language: str, data: Path, as_json: bool
) -> None:
    async with open_session(data, quiet=as_json) as session:
        tables = await shown(session)
        records = await tables.fetch(
            "SELECT * FROM store.wish WHERE $1::text IS NULL OR step = $1"
            " ORDER BY supporters DESC, wish_id",
            step,
        )
        wishes = [_shown(row) for row in as_rows(WishRow, records)]
        if unread:
            keys, js = await session.keys(), await session.log()
            for wish in wishes:
                recorded = [r async for r in read_stream(js, "reward", wish["wish_id"])]
                said = (await unseal(recorded[:1], keys))[0]
                if isinstance(said, WishSuggested):
                    wish["text"] = None if isinstance(said.text, Erased) else said.text
        if as_json:
            print_json({"wishes": wishes})
            return
        if not wishes:
            say("no wishes")
            return
        rows = [
            (w["wish_id"], w["step"], w["supporters"], _name(w, language), w["item_id"] or "")
            for w in wishes
        ]
        print_table(("wish", "step", "supporters", "name", "item"), rows)


def _name(wish: dict[str, Any], language: str) -> str:
    name = wish["name"]
    return str(name["en" if language == "en" else "zh"]) if name else str(wish.get("text") or "")


def _shown(row: WishRow) -> dict[str, Any]:
    return {
        "wish_id": row.wish_id,
        "step": row.step,
        "kind": row.kind,
        "name": row.name.model_dump() if row.name else None,
        "supporters": row.supporters,
        "into": row.into,
        "item_id": row.item_id,
        "reason": row.reason,
        "note": row.note.model_dump() if row.note else None,
        "suggested_at": row.suggested_at,
        "answered_at": row.answered_at,
    }


@app.command()
def show(
    wish: WishArgument,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """One wish, and what became of it.

    Examples:
      waggle wish show wish-shade
    """
    run(_show(wish, data, as_json))


async def _show(wish: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        tables = await shown(session)
        found = as_rows(
            WishRow, await tables.fetch("SELECT * FROM store.wish WHERE wish_id = $1", wish)
        )
        if not found:
            raise Failure(f"there is no wish {wish}")
        told = _shown(found[0])
        if as_json:
            print_json(told)
            return
        print_table((wish, ""), [(k, v) for k, v in told.items() if v not in (None, "")])
