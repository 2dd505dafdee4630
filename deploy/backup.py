"""A backup of a house that runs: every stream in one folder, what opens them in another.

The log is the truth and goes first to last: a stream that others follow from is saved before those
that follow from it, so that restored together they are as after a crash, and what is missing is
done again. Two go before the log: the inbox, since what leaves it is in the log, and the seal,
since whatever was signed must be in the log.

Tables are not saved: they are folded from the log again. The keys lie apart, with a date by which
they must be gone: a key that can be fetched back from a backup is not destroyed.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from nats.aio.client import Client

from deploy.backup_files import (
    CREDENTIALS,
    KEY_TABLE,
    MANIFEST,
    SEAL,
    STREAMS,
    KeyBackup,
    KeyManifest,
    Manifest,
    StreamPart,
    absolute,
    close_off,
    copied,
    insist_apart,
    insist_on_empty,
    key_backups,
    remember,
    seal_off,
)
from deploy.house import HouseInfo
from deploy.retention import Days
from deploy.snapshots import save_stream, stream_names
from eventlog.message import LOG
from eventlog.read import at
from proof.files import LATEST, copy_seal

BEFORE_THE_LOG: Final = "INBOX"

Progress = Callable[[str, int, int], None]
"""Told what is saved, how many bytes of it, and how many there will be (about; 0: unknown)."""


async def back_up(
    nc: Client,
    info: HouseInfo,
    folder: Path,
    keys: Path,
    days: Days,
    progress: Progress | None = None,
    *,
    noted: bool = True,
) -> tuple[Manifest, KeyManifest]:
    """Save the house while it runs; whole, or nothing is left. `nc` is the provisioner's.

    The house notes where its keys were saved to, so that retention finds them; without `noted` the
    caller takes care that they go.
    """
    for place in (folder, keys):
        insist_on_empty(place)
    insist_apart(folder, keys)
    try:
        manifest = await _save_streams(nc, info, folder, progress)
        key_manifest = await _save_keys(info, keys, manifest.id, days)
    except BaseException:
        for place in (folder, keys):
            shutil.rmtree(place, ignore_errors=True)
        raise
    if noted:
        saved = KeyBackup(folder=absolute(keys), delete_by=key_manifest.delete_by)
        remember(info.folder, [*key_backups(info.folder), saved])
    return manifest, key_manifest


async def _save_streams(
    nc: Client, info: HouseInfo, folder: Path, progress: Progress | None
) -> Manifest:
    began = datetime.now(UTC)
    (folder / STREAMS).mkdir(parents=True)
    if (info.seal_folder / LATEST).is_file():
        copy_seal(info.seal_folder, folder / SEAL)
    parts: list[StreamPart] = []
    for name in in_order(await stream_names(nc)):
        file = f"{STREAMS}/{name}.snapshot"
        known = (await nc.jetstream(timeout=10).stream_info(name)).state.bytes
        told = _counting(name, known, progress)
        saved = await save_stream(nc, name, folder / file, told)
        parts.append(StreamPart(file=file, **saved))
    last = next((part.last_sequence for part in parts if part.name == LOG), 0)
    stored = await at(nc.jetstream(timeout=10), last) if last else None
    manifest = Manifest(
        id=secrets.token_hex(8),
        began_at=began,
        made_at=datetime.now(UTC),
        log_sequence=last,
        log_hash=stored.hash if stored else None,
        streams=tuple(parts),
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2))
    seal_off(folder)
    return manifest


async def _save_keys(info: HouseInfo, keys: Path, backup_id: str, days: Days) -> KeyManifest:
    copied(info.folder / CREDENTIALS, keys / CREDENTIALS)
    close_off(keys)
    connection = await asyncpg.connect(info.keys_url)
    try:
        columns = "person, encode(wrapped, 'hex'), created_at, destroyed_at"
        await connection.copy_from_query(
            f"SELECT {columns} FROM data_key ORDER BY person",  # noqa: S608 - constants
            output=keys / KEY_TABLE,
            format="csv",
        )
        held, gone = await connection.fetchrow(
            "SELECT count(wrapped), count(destroyed_at) FROM data_key"
        ) or (0, 0)
    finally:
        await connection.close()
    made = datetime.now(UTC)
    manifest = KeyManifest(
        id=backup_id,
        made_at=made,
        delete_by=made + timedelta(days=days.key_backups),
        keys=held,
        destroyed=gone,
    )
    (keys / MANIFEST).write_text(manifest.model_dump_json(indent=2))
    seal_off(keys)
    close_off(keys)
    return manifest


def in_order(names: Iterable[str]) -> list[str]:
    """The order in which streams are saved: inbox, log, and what follows from the log."""
    return sorted(names, key=lambda name: (name != BEFORE_THE_LOG, name != LOG, name))


def _counting(name: str, total: int, progress: Progress | None) -> Callable[[int], None] | None:
    if progress is None:
        return None
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(name, done, max(total, done))

    return count
