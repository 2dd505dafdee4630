"""The ledger replayed and compared with what is stored: for a person, and as a job of the house.

`python -m deploy.ledger_check` does it once as the projector and prints one JSON document; the
projector starts it now and then and counts what it finds.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import asyncpg
from nats.js import JetStreamContext

from contracts.envelope import Recorded
from eventlog import checkpoint as marks
from eventlog.connect import connect_nats, connect_postgres
from eventlog.projection import Unfoldable
from eventlog.read import Unread, read_log
from eventlog.settings import Settings
from eventlog.tables import Connection, Schema
from services.points.audit import AUDITS, Audit, Sheet, Violation

MOST_NAMED: Final = 100
"""Violations that are named; more are counted."""


@dataclass(slots=True)
class Found:
    """What a check came to."""

    facts: int = 0
    accounts: int = 0
    rows: int = 0
    """Rows that were compared."""
    seconds: float = 0.0
    as_of: dict[str, int] = field(default_factory=dict)
    """By projection: the sequence of the log up to which it was checked."""
    count: int = 0
    """Of all violations."""
    violations: list[Violation] = field(default_factory=list)
    """The first of them, those of the lowest sequence first."""

    def add(self, violation: Violation) -> None:
        """One more."""
        self.count += 1
        if len(self.violations) < MOST_NAMED:
            self.violations.append(violation)

    def as_document(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


async def check_ledger(
    js: JetStreamContext,
    pool: asyncpg.Pool,
    told: Callable[[int], None] = lambda _: None,
) -> Found:
    """Replay everything that is audited, judge every step, compare every row.

    Changes nothing. `told` hears how many facts have been read.
    """
    found, began = Found(), time.perf_counter()
    for audit in (make() for make in AUDITS):
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await _check(audit, js, connection, found, told)
    found.violations.sort(key=lambda violation: violation.sequence)
    found.seconds = time.perf_counter() - began
    return found


async def _check(
    audit: Audit,
    js: JetStreamContext,
    connection: Connection,
    found: Found,
    told: Callable[[int], None],
) -> None:
    """One audit, as far as the tables had come when we looked."""
    name = audit.projection.name
    standing = await marks.read(connection, name)
    if standing is None:
        return
    found.as_of[name] = standing.last_sequence
    subjects = audit.projection.subjects
    async for batch in read_log(js, up_to=standing.last_sequence, subjects=subjects):
        for entry in batch:
            for violation in _take(audit, entry):
                found.add(violation)
        found.facts += len(batch)
        told(found.facts)
        await asyncio.sleep(0)
    for violation in audit.settled():
        found.add(violation)
    stored = {table.name: table for table in Schema(name, audit.projection).tables}
    for sheet in audit.sheets():
        rows = await stored[sheet.table].select(connection)
        found.rows += len(rows)
        for violation in compared(f"{name}.{sheet.table}", sheet, rows):
            found.add(violation)
    found.accounts += audit.accounts


def _take(audit: Audit, entry: Recorded | Unread) -> Iterator[Violation]:
    if isinstance(entry, Unread):
        yield Violation("L16", entry.subject, entry.sequence, f"cannot be read: {entry.reason}")
        return
    try:
        yield from audit.take(entry)
    except Unfoldable as error:
        yield Violation("L16", entry.subject, entry.sequence, str(error))


def compared(table: str, sheet: Sheet, rows: list[Any]) -> Iterator[Violation]:
    """Where stored rows are not what the log gives: another value, one too many, one missing."""
    left = dict(sheet.rows)
    for row in rows:
        key = tuple(getattr(row, name) for name in sheet.key)
        says = tuple(getattr(row, name) for name in sheet.columns)
        due = left.pop(key, None)
        where = f"{table} {' '.join(map(str, key))}"
        if due is None:
            yield Violation("L15", where, sheet.by(key), "no fact explains this row")
        elif due != says:
            other = [
                f"{name} is {said}, and the log gives {wanted}"
                for name, said, wanted in zip(sheet.columns, says, due, strict=True)
                if said != wanted
            ]
            yield Violation("L15", where, sheet.by(key), "; ".join(other))
    for key in left:
        where = f"{table} {' '.join(map(str, key))}"
        yield Violation("L15", where, sheet.by(key), "the log gives this row, and it is not there")


async def main() -> None:
    """Check once, with the credentials of the environment; say what was found."""
    settings = Settings.from_environment()
    seed = str(settings.nkey_seed_file)
    nc = await connect_nats(settings.servers, identity=settings.identity, seed_file=seed)
    pool = await connect_postgres(settings.database_url, tidy=False, most=1)
    try:
        found = await check_ledger(nc.jetstream(timeout=10), pool)
        print(json.dumps(found.as_document()), flush=True)  # noqa: T201 - the answer of a program
    finally:
        await pool.close()
        await nc.close()


if __name__ == "__main__":
    asyncio.run(main())
