"""`waggle erase`: forget a rider."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.ids import new_id
from cli.printing import OUTCOME_EXITS, finish, note, print_answer, say
from cli.running import Exit, run
from cli.sending import CommandIdOption, build
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.envelope import Outcome
from contracts.party import EraseRider, ErasureReason
from deploy.databases import KEYS
from deploy.erasing import scrub_keys, wipe_parked
from deploy.house import OFFICER
from deploy.provision import PROVISIONER
from eventlog.asking import ask

app = typer.Typer(help="Forget a rider.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Forget a rider."""


@app.command("rider")
def rider(
    rider_id: Annotated[str, typer.Argument(metavar="RIDER", help="The rider's id.")],
    reason: Annotated[ErasureReason, typer.Option(help="Why; kept for ever with the fact.")],
    command_id: CommandIdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Destroy a rider's key: nothing personal that the log holds of them is readable again.

    Their cases go on and their points stay in the books, under an id that
    names nobody. Nothing new is written about them. Whatever interrupts it,
    run it again: it is finished where it stopped. There is no way back.

    Examples:
      waggle erase rider rider-01 --reason asked
      waggle erase rider rider-01 --reason account_closed --json
    """
    command = build(EraseRider, rider_id=rider_id, reason=reason)
    finish(run(_erase(command, command_id or new_id(), data, as_json)))


async def _erase(command: EraseRider, command_id: str, data: Path, as_json: bool) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        nc = await session.nats(OFFICER)
        answer, known = await ask(nc, OFFICER, command, command_id)
        beside: dict[str, Any] = {"as": OFFICER, "command_id": command_id}
        if answer.outcome is Outcome.ACCEPTED:
            beside |= await _clear(session, command.rider_id)
        print_answer(answer, known=known, as_json=as_json, **beside)
        if answer.outcome is Outcome.ACCEPTED and not as_json:
            say(f"the key is destroyed; {beside['parked_wiped']} parked messages overwritten")
        return OUTCOME_EXITS[answer.outcome]


async def _clear(session: Session, rider_id: str) -> dict[str, Any]:
    """Have what was destroyed leave the disk as well."""
    js = (await session.nats(PROVISIONER)).jetstream(timeout=10)
    wiped = await wipe_parked(js, rider_id)
    if (admin := session.info.admin_url(KEYS)) is not None:
        await scrub_keys(admin)
    else:
        note(
            "the key database is not this house's own: rewrite its table data_key (VACUUM FULL), "
            "and let its write-ahead log and archives end within your promise"
        )
    return {"key_destroyed": True, "key_scrubbed": admin is not None, "parked_wiped": wiped}


def register(main: typer.Typer) -> None:
    """Add the group of verbs."""
    main.add_typer(app, name="erase")
