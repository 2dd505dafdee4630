"""The files of the house, as the rules look at them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OURS: Final = ("proof", "contracts", "eventlog", "services", "cli", "deploy", "bench")
ROOMS: Final = ("intake", "router", "points", "notify")
EXPORTED: Final = ("docs/contracts", "tests/contracts/golden")
"""Written by a program, read by programs."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked or about to be, relative to the root."""
    if not (ROOT / ".git").exists():
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return tuple(sorted(path for path in found if not path.parts[0].startswith(".")))
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in found if (ROOT / path).is_file()))


def sources(*folders: str) -> list[Path]:
    """The Python files of these folders; of all, where none is named."""
    wanted = folders or (*OURS, "tests")
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in wanted]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def listed(found: list[str]) -> str:
    """The offenders, one a line."""
    return "\n" + "\n".join(found)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, nested ones too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public(path: Path) -> Iterator[tuple[str, Definition]]:
    """Every public class, function and method of a file, with its name."""
    yield from _public(parsed(path).body, "")


def _public(body: list[ast.stmt], inside: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{inside}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{inside}{node.name}.")
