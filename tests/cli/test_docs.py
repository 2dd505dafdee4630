"""The pages that are drawn from the code say what the code says."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from cli.docs import KEPT, page
from cli.main import app
from contracts.case import Step
from services.router.lifecycle import TABLE

ROOT = Path(__file__).parents[2]


def test_the_page_of_the_life_of_a_case_is_drawn_from_its_table() -> None:
    kept = (ROOT / KEPT).read_text("utf-8")
    assert kept == page(), "run `waggle docs case-lifecycle`"


def test_the_page_names_every_command_and_every_step() -> None:
    drawn = page()
    assert all(f"`{move.command.token}`" in drawn for move in TABLE)
    assert all(f"`{step}`" in drawn for step in Step)


def test_a_page_that_says_something_else_is_found(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(page() + "\n", "utf-8")
    run = CliRunner()
    assert (
        run.invoke(app, ["docs", "case-lifecycle", "--check", "--file", str(file)]).exit_code == 1
    )
    assert run.invoke(app, ["docs", "case-lifecycle", "--file", str(file)]).exit_code == 0
    assert (
        run.invoke(app, ["docs", "case-lifecycle", "--check", "--file", str(file)]).exit_code == 0
    )
