"""What is older than its days: found, told, and, when asked to, deleted.

Streams delete what is old by themselves (`max_age`); this looks after the rest: logs, backups of
keys, parked messages in clear, and the words of riders whose last case was closed long ago, who are
forgotten as if they had asked for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from contracts.envelope import Outcome
from contracts.party import EraseRider, ErasureReason
from deploy.backup_files import MANIFEST, key_backups, remember
from deploy.databases import KEYS
from deploy.erasing import PARK, next_parked, scrub_keys, wipe_parked
from deploy.house import OFFICER, HouseInfo
from deploy.provision import PROVISIONER
from deploy.retention import Days
from eventlog.asking import ask
from eventlog.connect import connect_nats, connect_postgres

log = structlog.get_logger()

EVERY: Final = timedelta(days=1)
LOOK_SECONDS: Final = 600.0
LAST_RUN: Final = "retention.last"
"""In the data folder of a house: when this was last seen to."""
PIECE_DAYS: Final = 10
"""A log that goes on for longer is cut, so that its old lines can go."""
DATE: Final = re.compile(rb"\b(\d{4})[-/](\d\d)[-/](\d\d)(?!\d)")
HEAD: Final = 4096

_FINISHED: Final = """
SELECT r.rider_id, max(greatest(r.happened_at, c.closed_at, o.closed_at)) AS quiet_since
FROM intake.report r
LEFT JOIN router.case c ON c.case_id = r.report_id
LEFT JOIN router.case o ON o.case_id = c.origin
LEFT JOIN intake.party p ON p.party_id = r.rider_id
WHERE p.erased_at IS NULL
GROUP BY r.rider_id
HAVING bool_and(
    r.state = 'refused'
    OR coalesce(c.step IN ('closed', 'rejected') OR o.step IN ('closed', 'rejected'), false)
) AND max(greatest(r.happened_at, c.closed_at, o.closed_at)) < $1
ORDER BY 2, 1
LIMIT $2
"""
AT_A_TIME: Final = 1000


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is older than its days."""

    kind: str
    """`log`, `log_piece`, `key_backup`, `parked` or `rider`."""
    name: str
    since: datetime
    days: int


async def due(
    info: HouseInfo, js: JetStreamContext, tables: asyncpg.Pool, days: Days, at: datetime
) -> list[Due]:
    """Everything of the house that is older than its days, at a moment. Changes nothing."""
    return [
        *old_logs(info.folder / "log", days, at),
        *_old_keys(info.folder, days, at),
        *[one async for one in _old_parked(js, days, at)],
        *await _finished_riders(tables, days, at),
    ]


async def apply(found: list[Due], info: HouseInfo, nc: Client, officer: Client) -> list[str]:
    """Delete what was found; what could not be, and why.

    `nc` is the provisioner's. Afterwards destroyed keys leave the disk.
    """
    failed: list[str] = []
    js = nc.jetstream(timeout=10)
    for one in found:
        match one.kind:
            case "log":
                _unlink(info.folder / "log" / one.name)
            case "log_piece":
                cut(info.folder / "log" / one.name, one.since)
            case "key_backup":
                _forget_keys(info.folder, Path(one.name))
            case "parked":
                await js.delete_msg(PARK, int(one.name))
            case _:
                failed += await _forget_rider(officer, js, one.name)
    if (admin := info.admin_url(KEYS)) is not None:
        await scrub_keys(admin)
    return failed


async def keep_tidy(info: HouseInfo, days: Days) -> None:
    """Once a day, for as long as the house runs; what was deleted stands in `log/retention.log`.

    A new house begins to count at its first start.
    """
    while True:
        at = datetime.now(UTC)
        last = _last_run(info.folder)
        if last is None:
            _note_run(info.folder, at)
        elif at - last >= EVERY:
            try:
                await _tidy(info, days, at)
            except Exception as error:
                log.exception("retention_broke")
                _say(info.folder, at, [], [repr(error)])
            _note_run(info.folder, at)
        await asyncio.sleep(LOOK_SECONDS)


async def _tidy(info: HouseInfo, days: Days, at: datetime) -> None:
    async with AsyncExitStack() as stack:
        clients = []
        for name in (PROVISIONER, OFFICER):
            seed = str(info.credentials.seed_file(name))
            client = await connect_nats(info.nats_url, identity=name, seed_file=seed)
            stack.push_async_callback(client.close)
            clients.append(client)
        tables = await connect_postgres(info.database_url, most=1)
        stack.push_async_callback(tables.close)
        found = await due(info, clients[0].jetstream(timeout=10), tables, days, at)
        failed = await apply(found, info, *clients)
    _say(info.folder, at, found, failed)


def _say(house: Path, at: datetime, found: list[Due], failed: list[str]) -> None:
    told = {
        "timestamp": at.isoformat(),
        "event": "retention",
        "deleted": [f"{one.kind} {one.name}" for one in found],
        "failed": failed,
    }
    with (house / "log" / "retention.log").open("a") as file:
        file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _last_run(house: Path) -> datetime | None:
    try:
        return datetime.fromisoformat((house / LAST_RUN).read_text().strip())
    except (OSError, ValueError):
        return None


def _note_run(house: Path, at: datetime) -> None:
    (house / LAST_RUN).write_text(f"{at.isoformat()}\n")


def old_logs(folder: Path, days: Days, at: datetime) -> Iterator[Due]:
    """Logs whose last line is too old, and such as have gone on for too long to wait for that."""
    for file in _files(folder):
        last = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        if last < at - timedelta(days=days.logs):
            yield Due("log", file.name, last, days.logs)
        elif (first := _written_since(file)) < at - timedelta(days=PIECE_DAYS):
            yield Due("log_piece", file.name, first, PIECE_DAYS)


def _written_since(file: Path) -> datetime:
    """Since when a log that somebody writes has gone on; what was put aside does so no more."""
    first = first_day(file) if file.suffix in {".log", ".out"} else None
    return first or datetime.max.replace(tzinfo=UTC)


def first_day(file: Path) -> datetime | None:
    """The day of the first line that names one."""
    with file.open("rb") as source:
        if found := DATE.search(source.read(HEAD)):
            year, month, day = map(int, found.groups())
            try:
                return datetime(year, month, day, tzinfo=UTC)
            except ValueError:
                return None  # digits that are no day
    return None


def cut(file: Path, since: datetime) -> Path:
    """Put what a log holds aside, and let it begin anew; its writer appends and goes on.

    What is written while it is copied is copied too; a line in the very moment of the cut may be
    lost.
    """
    aside = file.with_name(f"{file.name}.{since:%Y%m%d}")
    while aside.exists():
        aside = aside.with_name(f"{aside.name}x")
    with file.open("rb") as source, aside.open("xb") as target:
        while part := source.read(1024 * 1024):
            target.write(part)
        os.truncate(file, 0)
    return aside


def _old_keys(house: Path, days: Days, at: datetime) -> Iterator[Due]:
    for one in key_backups(house):
        made = one.delete_by - timedelta(days=days.key_backups)
        if one.delete_by <= at:
            yield Due("key_backup", str(one.folder), made, days.key_backups)


def _forget_keys(house: Path, folder: Path) -> None:
    """Delete a backup of keys, if it is one; where it was moved away nothing is left to do here."""
    if (folder / MANIFEST).is_file():
        shutil.rmtree(folder)
    remember(house, [one for one in key_backups(house) if one.folder != folder])


async def _old_parked(js: JetStreamContext, days: Days, at: datetime) -> AsyncIterator[Due]:
    sequence = 1
    while (message := await next_parked(js, sequence)) is not None:
        sequence = (message.seq or 0) + 1
        stored = message.time
        if stored is not None and stored < at - timedelta(days=days.parked):
            yield Due("parked", str(message.seq), stored, days.parked)


async def _finished_riders(tables: asyncpg.Pool, days: Days, at: datetime) -> list[Due]:
    rows = await tables.fetch(_FINISHED, at - timedelta(days=days.words), AT_A_TIME)
    return [Due("rider", row["rider_id"], row["quiet_since"], days.words) for row in rows]


async def _forget_rider(officer: Client, js: JetStreamContext, rider: str) -> list[str]:
    command = EraseRider(rider_id=rider, reason=ErasureReason.NOT_NEEDED)
    answer, _ = await ask(officer, OFFICER, command, f"retention.{rider}")
    if answer.outcome is not Outcome.ACCEPTED:
        return [f"{rider}: {answer.outcome}: {'; '.join(r.detail for r in answer.reasons)}"]
    await wipe_parked(js, rider)
    return []


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []


def _unlink(file: Path) -> None:
    file.unlink(missing_ok=True)
