"""`waggle rebuild`: every table again from the log, beside the live one, compared and swapped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskID

from cli.printing import finish, print_json, print_table, progress_bar, say
from cli.running import Exit, Failure, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from deploy.projections import PROJECTIONS
from eventlog.projection import Projection
from eventlog.rebuild import RebuildRuns, RebuildStopped, Rebuilt
from eventlog.rebuild import rebuild as rebuild_one


def rebuild(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare only: drop what was built and keep the live tables."),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Only this projection; can be given again."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Fold every table again from the log, beside the live one, and compare them byte for byte.

    Without --check the new tables take the place of the live ones, in one
    transaction each. Exit code 1 when the live tables were not what the log
    says. Needs no services: after an upgrade that changes tables, it comes
    before `waggle up`.

    Examples:
      waggle rebuild --check
      waggle rebuild --only router --only points
      waggle rebuild --check --json
    """
    names = [projection.name for projection in PROJECTIONS]
    if unknown := sorted(set(only or ()) - set(names)):
        raise typer.BadParameter(
            f"no projection {', '.join(unknown)}; there are {', '.join(names)}"
        )
    wanted = [projection for projection in PROJECTIONS if not only or projection.name in only]
    finish(run(_rebuild(wanted, check, data, as_json)))


async def _rebuild(wanted: list[Projection], check: bool, data: Path, as_json: bool) -> Exit:
    done: list[Rebuilt] = []
    async with open_session(data, quiet=as_json, services=False) as session:
        log, tables = await session.log(), await session.owned_tables()
        with progress_bar() as progress:
            for projection in wanted:
                bar = progress.add_task(projection.name, total=None, told="")

                def reached(sequence: int, end: int, bar: TaskID = bar) -> None:
                    told = f"{sequence:,} of {end:,}"
                    progress.update(bar, completed=sequence, total=end, told=told)

                try:
                    done.append(
                        await rebuild_one(projection, log, tables, check=check, progress=reached)
                    )
                except (RebuildStopped, RebuildRuns) as error:
                    raise Failure(str(error)) from error
                progress.remove_task(bar)
    _print(done, as_json)
    return Exit.NO if any(_differs(one, check) for one in done) else Exit.DONE


def _differs(one: Rebuilt, check: bool) -> bool:
    """Nothing to compare with is a difference only for whoever asked to compare."""
    return not one.equal and (check or one.digest_live is not None)


def _print(done: list[Rebuilt], as_json: bool) -> None:
    if as_json:
        print_json({"projections": [as_document(one) for one in done]})
        return
    print_table(
        ("projection", "facts", "rows", "seconds", "live", "rebuilt", ""),
        map(_row, done),
    )
    facts, equal = sum(one.facts for one in done), all(one.equal for one in done)
    say(
        f"{facts} facts folded again: " + ("every table is equal" if equal else "NOT equal"),
        "green" if equal else "red",
    )


def _row(one: Rebuilt) -> tuple[object, ...]:
    digests = _short(one.digest_live), _short(one.digest_rebuilt)
    return one.name, one.facts, one.rows, one.seconds, *digests, _verdict(one)


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"


def _verdict(one: Rebuilt) -> str:
    if one.equal:
        return "equal"
    return "differs from the live tables" if one.digest_live else "nothing to compare with"


def as_document(one: Rebuilt) -> dict[str, object]:
    """What a rebuild came to, for programs."""
    return {
        "name": one.name,
        "facts": one.facts,
        "rows": one.rows,
        "seconds": round(one.seconds, 3),
        "digest_live": one.digest_live,
        "digest_rebuilt": one.digest_rebuilt,
        "equal": one.equal,
    }
