"""`waggle contracts`: the words of the house as documents for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.printing import finish, note, print_json, say
from cli.running import Exit
from cli.session import JsonOption
from contracts.export import FOLDERS, documents

app = typer.Typer(
    help="The contracts as JSON Schema and AsyncAPI, for other programs.", no_args_is_help=True
)

KEPT: Final = Path("docs/contracts")
"""Where the repository keeps its copy."""


@app.command()
def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the files go.", file_okay=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Write every command, fact and message as JSON Schema, and asyncapi.json.

    Files of words that are no more are removed; a file that says the same is left alone.
    """
    exported = documents(version("waggle"))
    changed = [path for path, _ in _differences(folder, exported)]
    try:
        for path in changed:
            _put(folder / path, exported.get(path))
    except OSError as error:
        note(f"{error.filename}: {error.strerror}; name a folder that can be written")
        finish(Exit.WRONG_INPUT)
    if as_json:
        print_json({"files": len(exported), "changed": changed})
    else:
        say(f"{len(exported)} files in {folder}, {len(changed)} changed")


@app.command()
def check(
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="The copy.")] = KEPT,
    as_json: JsonOption = False,
) -> None:
    """Fail when the exported copy does not say what the code says."""
    found = _differences(folder, documents(version("waggle")))
    stale = [f"{folder / path}: {how}" for path, how in found]
    if as_json:
        print_json({"current": not stale, "stale": stale})
    elif stale:
        for line in stale:
            say(line)
        note(f"stale; bring it up to date: waggle contracts export {folder}")
    finish(Exit.NO if stale else Exit.DONE)


def _differences(folder: Path, exported: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Each path where the folder does not hold what is exported, and how."""
    ours = (path for path in folder.glob("*/*.json") if path.parent.name in FOLDERS)
    kept = {path.relative_to(folder).as_posix(): path for path in (*ours, folder / "asyncapi.json")}
    kept = {name: path for name, path in kept.items() if path.is_file()}
    for name in sorted(exported.keys() | kept.keys()):
        if name not in kept:
            yield name, "missing"
        elif name not in exported:
            yield name, "says what is no more"
        elif kept[name].read_bytes() != exported[name]:
            yield name, "differs"


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
