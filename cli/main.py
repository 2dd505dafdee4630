"""`waggle`: every verb in one place."""

from __future__ import annotations

import typer

from cli import (
    afterwards,
    asof,
    backup,
    board,
    case,
    clocks,
    clusters,
    contracts,
    docs,
    erase,
    evaluate,
    examine,
    hands,
    ledger,
    log,
    look,
    passbook,
    points,
    queues,
    rebuild,
    receipt,
    replay,
    retention,
    role,
    rulebook,
    standard,
    submit,
    timeline,
    up,
    verify,
    whatif,
    witness,
)
from cli.demo.command import demo
from cli.export.command import export
from cli.export.repeat import repeat
from cli.imports import command as imports
from cli.store import public, ranking, redeem, shop, stations, wishes

app = typer.Typer(
    name="waggle",
    help="Riders report street hazards, departments handle them, riders earn points.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.command("up")(up.up)
app.command()(demo)
app.command(rich_help_panel="Cases")(submit.submit)
case.register(app)
hands.register(app)
clocks.register(app)
afterwards.register(app)
board.register(app)
evaluate.register(app)
look.register(app)
passbook.register(app)
examine.register(app)
app.command(rich_help_panel="Looking")(timeline.timeline)
app.command("asof", rich_help_panel="Looking")(asof.command)
app.command(rich_help_panel="Looking")(replay.replay)
app.command(rich_help_panel="Looking")(export)
app.command(rich_help_panel="Proof")(repeat)
app.command(rich_help_panel="Proof")(receipt.receipt)
app.add_typer(verify.app, name="verify", rich_help_panel="Proof")
app.add_typer(witness.app, name="witness", rich_help_panel="Proof")
queues.register(app)
app.command()(rebuild.rebuild)
erase.register(app)
backup.register(app)
app.command(rich_help_panel="Keeping")(retention.retention)
imports.app.command("standard")(standard.standard)
app.add_typer(imports.app, name="import")
app.add_typer(rulebook.app, name="rulebook")
clusters.register(whatif.app)
app.add_typer(whatif.app, name="whatif")
app.add_typer(wishes.app, name="wish", rich_help_panel="The store")
shop.app.command("public")(public.public_)
app.add_typer(shop.app, name="store", rich_help_panel="The store")
app.add_typer(redeem.app, name="redeem", rich_help_panel="The store")
app.add_typer(stations.app, name="station", rich_help_panel="The store")
app.command("ranking", rich_help_panel="The store")(ranking.ranking)
app.add_typer(log.app, name="log")
app.add_typer(points.app, name="points", rich_help_panel="Points")
app.add_typer(role.app, name="role", rich_help_panel="Points")
app.add_typer(ledger.app, name="ledger", rich_help_panel="Points")
app.add_typer(contracts.app, name="contracts")
app.add_typer(docs.app, name="docs")


def main() -> None:
    """The entry point of the command."""
    app()


if __name__ == "__main__":
    main()
