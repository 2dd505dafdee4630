"""The command, called in this process, and its answer taken apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app


@dataclass(frozen=True)
class Said:
    """What a verb said, where, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Waggle:
    """`waggle` for one house."""

    house: Path

    def __call__(self, *words: str, typed: str | None = None) -> Said:
        """Run a verb; `typed` is its stdin."""
        result = CliRunner().invoke(
            app, list(words), input=typed, env={"WAGGLE_DATA": str(self.house), "COLUMNS": "200"}
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: str, typed: str | None = None) -> Any:
        """The document of a verb that went well."""
        said = self(*words, "--json", typed=typed)
        assert said.code == 0, f"{words}: {said.code} {said.out} {said.err}"
        return said.document
