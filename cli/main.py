"""`waggle`: every verb in one place."""

from __future__ import annotations

import typer

from cli import up

app = typer.Typer(
    name="waggle",
    help="Riders report street hazards, departments handle them, riders earn points.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.command("up")(up.up)


def main() -> None:
    """The entry point of the command."""
    app()


if __name__ == "__main__":
    main()
