"""Rulebook documents in YAML: the built-in one, or a file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from contracts.rulebook import Rulebook, contradictions


class BadRulebook(Exception):
    """A rulebook that cannot be put in force, with every error: path and reason."""


def load_rulebook(file: Path | None = None) -> dict[str, Any]:
    """The document in `file`, or the built-in one; validated as a whole. Raises `BadRulebook`."""
    name = str(file or "the built-in rulebook")
    try:
        text = (
            file.read_text("utf-8")
            if file
            else files("contracts.builtin").joinpath("rulebook.yaml").read_text("utf-8")
        )
        document = yaml.safe_load(text)
        book = Rulebook.model_validate(document)
    except (OSError, yaml.YAMLError) as error:
        raise BadRulebook(f"{name}: {error}") from error
    except ValidationError as error:
        problems = (
            f"  {'.'.join(map(str, e['loc'])) or '(document)'}: {e['msg']}" for e in error.errors()
        )
        raise BadRulebook("\n".join((f"{name} is not a valid rulebook:", *problems))) from error
    if errors := contradictions(book):
        raise BadRulebook(
            "\n".join((f"{name} is not a valid rulebook:", *(f"  {e}" for e in errors)))
        )
    return book.model_dump(mode="json")
